# SPDX-License-Identifier: MIT
"""Linux under GDB, alive: breakpoints in rings 0, 1 and 3, its names, and back-traces from ring 0 to ring 3.

Where names lie, nm says of the files; what was interrupted, the hypervisor's struct regs, and the words that it or the processor
has pushed at the end of the kernel's stack.
"""

import re
import subprocess
import unittest

from sessions import ROOT, Session, debug, needs_lab
from unwind_test import functions, number, rings

KERNEL, PROGRAM = ROOT / "build/linux/vmlinux.debug", ROOT / "build/labs/lab4-segmentation/tests/linux-shell.elf"
PROGRAMS = 60  # that are started before the test's, at most: the shell's
STOPS = 30

# Where Linux puts the test's program: its entry is in the auxiliary vector (AT_ENTRY, 9), behind its arguments and environment,
# and the only one so far into a page. start_thread(regs, eip, esp) has ESP in ECX.
FIND = """
import gdb, struct
for _ in range({most}):
    gdb.execute("continue", to_string=True)
    words = struct.unpack("<64I", gdb.selected_inferior().read_memory(int(gdb.parse_and_eval("(unsigned)$ecx")), 256).tobytes())
    end = words.index(0, words[0] + 2)
    base = dict(zip(words[end + 1::2], words[end + 2::2]))[9] - {entry}
    if base % 4096 == 0:
        print("=", hex(base))
        gdb.execute("atl program {program} " + hex(base))
        break
"""


def names(*files: object) -> dict[str, int]:
    out = subprocess.run(["nm", *files], check=True, capture_output=True, text=True).stdout
    return {words[2]: int(words[0], 16) for line in out.splitlines() if len(words := line.split()) == 3}


def linux(*orders: str) -> Session:
    return debug(4, "linux-shell", *orders, seconds=180.0)


@needs_lab(4)
@unittest.skipUnless(KERNEL.exists() and PROGRAM.exists(), "Linux or its test is not built: make linux initramfs, make check")
class Linux(unittest.TestCase):
    def test_ring_1(self) -> None:
        said = linux("break start_kernel", "continue", "print/x (unsigned)$pc", "backtrace", "atl symbols", "break do_sys_openat2",
                     "continue", "print/x (unsigned)$pc", "backtrace")
        kernel = names(KERNEL)
        self.assertIn(number(said[2]) - kernel["start_kernel"], range(16))
        self.assertEqual(["start_kernel", "atelier_start"], functions(said[3]))
        self.assertIn("build/linux/vmlinux", said[4])
        self.assertIn(number(said[7]) - kernel["do_sys_openat2"], range(16))
        called = functions(said[8])
        self.assertEqual(["do_sys_openat2", "do_int80_syscall_32", "entry_INT80_32", "??"], [called[0], *called[-3:]])
        self.assertEqual(["ring 1, domain 0", "ring 3, domain 0"], rings(said[8]))

    def test_a_fault_of_the_kernel_s_own(self) -> None:
        """mem_init() tries whether it is kept from writing what is read-only. Linux has not changed its own code yet."""
        said = linux("break fixup_exception", "continue", "backtrace")
        self.assertEqual(["exc_page_fault", "handle_exception", "copy_to_kernel_nofault", "mem_init", "start_kernel", "atelier_start"],
                         functions(said[2])[-6:])

    def test_from_ring_0_to_ring_3(self) -> None:
        """A page fault of a program's, for which Linux has a page table written."""
        said = linux("break do_sys_openat2", "continue", "delete", "break exc_page_fault if (*(int *)($eax + 52) & 3) == 3", "continue",
                     "delete", "break do_mmu_update", "continue", "backtrace", "print/x domains.slots[0].vcpu.regs.eip",
                     "print/x *(unsigned *)(domains.slots[0].vcpu.kernel_esp - 20)")
        called = functions(said[8])
        self.assertEqual(["ring 1, domain 0", "ring 3, domain 0"], rings(said[8]))
        self.assertEqual(["exc_page_fault", "handle_exception", "??"], called[-3:])
        self.assertIn("handle_mm_fault", called)
        entry = called.index("entry_hypercall")
        self.assertEqual(["do_mmu_update", "serve_hypercall"], [called[0], called[entry - 1]])
        places = re.findall(r"^#(\d+) +0x([0-9a-f]+) in ", said[8], re.M)
        self.assertIn((str(entry + 1), f"{number(said[9]):08x}"), places)
        self.assertEqual(number(said[10]), int(places[-1][1], 16))

    def test_each_back_trace_comes_to_an_end(self) -> None:
        """All lead to ring 3, to where a thread began, or to where Linux did: none is cut short, and none is invented."""
        said = linux("break kernel_init", "continue", "delete", "break do_mmu_update", "break sysvec_atelier_events", "break schedule",
                     *["continue", "backtrace"] * STOPS)
        for trace in said.said[7::2]:
            self.assertRegex(trace, r"(\?\? \[ring 3, domain 0\]|ret_from_fork|atelier_start) [^\n]*\n$")

    def test_ring_3(self) -> None:
        """The test's own program, with its lines, where Linux has put it."""
        program = names(PROGRAM)
        find = FIND.format(most=PROGRAMS, entry=program["_start"], program=PROGRAM)
        said = linux("break start_thread", f"python exec({find!r})", "delete", "atl break 0 on_fault", "continue", "print $cs & 3",
                     "print/x (unsigned)$pc", "backtrace", f"atl program {PROGRAM} off", "info symbol $pc")
        self.assertIn("linux-shell.c:", said[4])
        self.assertEqual(3, number(said[5]))
        self.assertIn(number(said[6]) - number(said[1]) - program["on_fault"], range(32))
        self.assertEqual("on_fault", functions(said[7])[0])
        self.assertIn("No symbol", said[9])


if __name__ == "__main__":
    unittest.main()
