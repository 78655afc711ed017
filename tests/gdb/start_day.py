# SPDX-License-Identifier: MIT
"""A state that tests of commands know beforehand: domain 0, a guest on mini, at its first hypercall, just as the builder made it.

What is where then follows from the guest's own start info (public/atelier.h) and its own P2M, which these orders read out of
its memory; the hypervisor's tables are not asked. Orders can name $info (the words of the start info), $base (where
pseudo-physical frame 0 is mapped), $p2m, $dir and $table (the frames of the directory, and of the page table after it).
"""

ORDERS = (
    "thbreak vcpu_open", "continue", "set $info = (unsigned int *)esi", "thbreak hypercall_dispatch", "continue",
    "set $base = $info[5]", "set $p2m = (unsigned int *)$info[7]", "set $dir = $p2m[($info[9] - $base) >> 12]",
    "set $table = $p2m[(($info[9] - $base) >> 12) + 1]", "set $shared = $p2m[($info[8] - $base) >> 12]",
)  # fmt: skip
