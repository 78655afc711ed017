# SPDX-License-Identifier: MIT
"""The system calls that nothing in a sandbox needs, and that are refused there: a program for the kernel's filter (seccomp(2)).

The first of them is ptrace: with it a program could stop the first process of its namespace, which no signal can, and whoever
waits for that would wait until the wall clock ends it.
"""

import struct

# Numbers: 64 bits, 32 bits (arch/x86/entry/syscalls of Linux).
REFUSED = {
    "ptrace": (101, 26), "process_vm_readv": (310, 347), "process_vm_writev": (311, 348), "process_madvise": (440, 440),
    "kcmp": (312, 349), "pidfd_getfd": (438, 438), "bpf": (321, 357), "perf_event_open": (298, 336), "userfaultfd": (323, 374),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "add_key": (248, 286), "request_key": (249, 287), "keyctl": (250, 288), "open_by_handle_at": (304, 342),
    "mount": (165, 21), "umount2": (166, 52), "pivot_root": (155, 217), "unshare": (272, 310), "setns": (308, 346),
    "init_module": (175, 128), "finit_module": (313, 350), "kexec_load": (246, 283), "swapon": (167, 87), "quotactl": (179, 131),
}
X86_64, I386 = 0xc000003e, 0x40000003  # linux/audit.h
X32 = 0x40000000  # the bit in the numbers of a third kind of calls, which nobody uses

# linux/bpf_common.h, linux/seccomp.h
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER, ARCHITECTURE = 0, 4  # where they lie in struct seccomp_data
ALLOW, EPERM = 0x7fff0000, 0x00050001


def _step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_so, if_not, value)


def _block(numbers: list[int], first: tuple[bytes, ...] = ()) -> bytes:
    """Refuses these numbers, and nothing else."""
    steps = [_step(LOAD, NUMBER), *first]
    steps += [_step(EQUAL, number, len(numbers) - i) for i, number in enumerate(numbers)]
    return b"".join([*steps, _step(RETURN, ALLOW), _step(RETURN, EPERM)])


def program() -> bytes:
    long = [pair[0] for pair in REFUSED.values()]
    short = [pair[1] for pair in REFUSED.values()]
    wide = _block(long, (_step(AT_LEAST, X32, len(long) + 1),))
    narrow = _block(short)
    return b"".join([
        _step(LOAD, ARCHITECTURE),
        _step(EQUAL, X86_64, 0, len(wide) // 8), wide,
        _step(EQUAL, I386, 0, len(narrow) // 8), narrow,
        _step(RETURN, EPERM)])
