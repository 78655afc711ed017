# SPDX-License-Identifier: MIT
"""Back-traces through entries: what is outside of an entry is what was there before it, at each of its instructions.

What that is, GDB has said itself while the guest's own code ran, by the compiler's tables; the registers that were interrupted
are those that the hypervisor's struct regs and mini's struct frame hold.
"""

import re
import unittest

from sessions import debug, needs_lab

FRAME = re.compile(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+|\?\?)(?: \[(ring \d(?:, domain \d+)?)\])? \(", re.M)
INSTRUCTIONS = 16  # of entry_hypercall, and the first of serve_hypercall()


def functions(backtrace: str) -> list[str]:
    return [name for name, _ in FRAME.findall(backtrace)]


def rings(backtrace: str) -> list[str]:
    return [ring for _, ring in FRAME.findall(backtrace) if ring]


def number(text: str) -> int:
    return int(re.findall(r"(?:= |\t|^)(0x[0-9a-f]+|-?\d+)", text, re.M)[-1], 0) & 0xFFFFFFFF


class Hypercalls(unittest.TestCase):
    def test_each_instruction_of_the_way_in_and_out(self) -> None:
        """What is outside of hypercall(), the guest's function with the INT, stays the same."""
        way = [order for _ in range(INSTRUCTIONS) for order in ("stepi", "backtrace")]
        orders = ["break hypercall", "continue", "backtrace", "delete", "break entry_hypercall", "continue", "backtrace", *way, "delete",
                  "break exit_to_guest", "continue", "backtrace", *way[:16]]
        said = debug(1, "copy", *orders)
        guest = functions(said[2])
        self.assertEqual(["hypercall", "mini_main", "mini_entry"], [guest[0], *guest[-2:]])
        self.assertIn("test_main", guest)
        traces = [i for i, order in enumerate(orders) if order == "backtrace"][1:]
        for i in traces:
            self.assertEqual(guest, functions(said[i])[-len(guest):], said[i])
        self.assertTrue(any("serve_hypercall" in said[i] for i in traces))
        self.assertEqual("hypercall", functions(said[traces[-1]])[0], "the guest has not been reached")

    def test_the_registers_outside_are_those_that_were_saved(self) -> None:
        registers = ("eip", "esp", "ebp", "ebx", "esi", "edi", "eax", "ecx", "edx", "eflags", "cs", "ss", "ds")
        said = debug(1, "copy", "break hypercall", "continue", "delete", "break hypercall_dispatch", "continue",
                     *(f"print/x regs->{name}" for name in registers), "up 3", *(f"print/x (unsigned)${name}" for name in registers))
        saved, seen = said.said[5:5 + len(registers)], said.said[6 + len(registers):]
        for name, one, other in zip(registers, saved, seen, strict=True):
            self.assertEqual(number(one), number(other), name)

    def test_a_fault_in_the_hypervisor(self) -> None:
        said = debug(1, "copy", "break serve_own_trap if frame->vector == 14", "continue", "backtrace", "print/x frame->eip",
                     "print/x frame->ebp", "print/x (unsigned)&frame->esp", "up 2", "print/x (unsigned)$eip", "print/x (unsigned)$ebp",
                     "print/x (unsigned)$esp")
        called = functions(said[2])
        self.assertEqual(["serve_own_trap", "from_hypervisor"], called[:2])
        self.assertRegex(called[2], "^(machine_copy|copy)_(in|out)")
        self.assertLess(called.index("hypercall_dispatch"), called.index("entry_hypercall"))
        self.assertEqual("mini_entry", called[-1])
        self.assertEqual(["ring 1, domain 0"], rings(said[2]))
        self.assertEqual([number(said[i]) for i in (3, 4, 5)], [number(said[i]) for i in (7, 8, 9)])


@needs_lab(2)
class Upcalls(unittest.TestCase):
    def test_an_event_in_ring_1(self) -> None:
        """An event interrupts the guest; mini calls event_dispatch() on the interrupted stack."""
        said = debug(2, "alarm", "break trap_dispatch", "continue", "backtrace", "print/x f->eip", "print/x (unsigned)&f->esp", "up 2",
                     "print/x (unsigned)$eip", "print/x (unsigned)$esp")
        called = functions(said[2])
        self.assertEqual("trap_dispatch", called[0])
        self.assertIn(called[1], ("enter", "event_entry", "trap_stubs"))
        self.assertEqual(["mini_main", "mini_entry"], called[-2:])
        self.assertEqual(number(said[3]), number(said[6]))
        self.assertEqual(number(said[4]), number(said[7]))


@needs_lab(4)
class Ring3(unittest.TestCase):
    def test_from_ring_3_to_ring_1(self) -> None:
        said = debug(4, "tls", "break user_leave", "continue", "backtrace", "print/x f->eip", "print/x f->esp", "print/x f->ss", "up 3",
                     "print/x (unsigned)$eip", "print/x (unsigned)$esp", "print/x $ss", "print $cs & 3")
        self.assertEqual(["user_leave", "trap_dispatch", "enter", "??"], functions(said[2]))
        self.assertEqual(["ring 1, domain 0", "ring 3, domain 0"], rings(said[2]))
        self.assertEqual([number(said[i]) for i in (3, 4, 5)], [number(said[i]) for i in (7, 8, 9)])
        self.assertEqual(3, number(said[10]))

    def test_from_ring_3_to_ring_0(self) -> None:
        said = debug(4, "tls", "break serve_trap if (regs->cs & 3) == 3", "continue", "backtrace", "print/x regs->eip", "up 2",
                     "print/x (unsigned)$eip")
        self.assertEqual(["serve_trap", "entry_trap", "??"], functions(said[2]))
        self.assertEqual(["ring 3, domain 0"], rings(said[2]))
        self.assertEqual(number(said[3]), number(said[5]))


@needs_lab(5)
class OtherDomains(unittest.TestCase):
    def test_a_guest_that_is_not_loaded_is_not_walked(self) -> None:
        """Of two domains, the one that entered is no longer loaded when the next one's page tables are: there it ends."""
        said = debug(5, "sleepers", "break vcpu_switch_in if sched.loaded != 0", "continue", "backtrace", "delete",
                     "break sched_return", "continue", "backtrace")
        self.assertIn(functions(said[2])[-1], ("entry_hypercall", "entry_trap"))
        self.assertEqual("mini_entry", functions(said[6])[-1])
        self.assertNotRegex(said.whole, "Traceback|Python Exception")


if __name__ == "__main__":
    unittest.main()
