# SPDX-License-Identifier: MIT
"""`atl why` names the right cause: for known mistakes of each lab, and for what guests do to themselves.

What is right is written down by those who made the mistake (solutions/LAB/wrong) and the test that catches it.
"""

import re
import unittest
from dataclasses import dataclass

import wrong
from sessions import ROOT, debug


@dataclass(frozen=True)
class Mistake:
    lab: int
    slug: str
    test: str
    told: tuple[str, ...]  # what must be told, as patterns; words may stand on different lines


MISTAKES = (
    Mistake(1, "number-signed", "numbers", (
        "The hypervisor crashed: page fault", r"in its call no call \(0xf", "It jumped to 0x.*where there is no code",
        r"at hypercall\.c:\d+, call: return hypercalls\.table\[number\]", "look at exercise 1.1 ")),
    Mistake(1, "number-masked", "numbers", (
        "The grader says: numbers, exercise 1.1: wrong observation", "call 0x10006: expected -38, seen 0", "0x40000009.*became shutdown",
        "look at exercise 1.1 ")),
    Mistake(1, "fixup-first", "copy", (
        "an address of a guest's: only copies by copy_from_guest.* its fix-up was not found", r"at copy\.S:", "look at exercise 1.3 ")),
    Mistake(1, "big-buffer", "flood", (
        "was overwritten", r"do_console_write takes 16,\d+ bytes of the stack at once", "look at exercise 1.4 ")),
    Mistake(2, "double-is-panic", "fault-in-fault", (
        "The hypervisor crashed: double fault: no room", "only the domain should die of that", r"at upcall\.c:\d+, enter_handler: crash_machine",
        "look at exercise 2.4 ")),
    Mistake(2, "sp-unchecked", "bad-stack", (
        "the stack for ring 1 being at 0xf.* expected 'the domain dies of it', seen 'it lives'", "look at exercise 2.3 ")),
    Mistake(3, "m2p-unchecked", "batch-hostile", (
        "in its call mmu_update", "is the machine-to-physical table, as the hypervisor writes it: frame 0xfffff's entry, and nothing is mapped",
        r"at mmu\.c:\d+, machine_m2p_set: ", "look at exercise 3.4 ")),
    Mistake(3, "self-spins", "linear", (
        "the hypervisor's stack overflowed", "validate_directory calls itself", r"at paging\.c:\d+, validate_directory", "look at exercise 3.3 ")),
    Mistake(4, "expand-down-absent", "reach", (
        "descriptor .* expected 'refused', seen 'accepted", "look at exercise 4.1 .*segment_fit")),
    Mistake(5, "weight-zero", "warp-abuse", (
        "exception 0 in the hypervisor", "in its call control_op", "It divided by zero", r"at sched_policy\.c:\d+, .* / weight;",
        "look at exercise 5.4 ")),
    Mistake(6, "consumer-late", "order", (
        r"assertion failed: count <= under_way\(r\)", "in its call ring_op", r"at ring\.c:\d+, ring_respond", "the test is about exercise 6.2 ")),
    Mistake(7, "m2p-left", "shrink", ("step 1, decrease of", "look at exercise 7.2 .*balloon_give_back")),
    Mistake(8, "sum-of-pieces", "send-hostile", (
        "is a temporary mapping of the hypervisor's, and nothing is mapped there", r"at ramwire\.c:\d+, collect", "look at exercise 8.2 ")),
    Mistake(8, "death-too-soon", "die-in-flight", (
        "asleep for ever", "Now: domain 0 blocked", "look at exercise 8.5 ")),
    Mistake(9, "not-typed", "dma-hostile", (
        "triple fault", "CR3 names frame 0x.*the hypervisor runs, is not mapped, and frame 0x.* is in use as page directory", "look at exercise 9.5 ")),
    Mistake(9, "death-frees", "dma-hostile", (
        "a null pointer's", r"at vbd\.c:\d+, disk_done", "exercise 9.5 ")),
)  # fmt: skip


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def names(mistake: Mistake) -> str:
    return f"test_{mistake.slug.replace('-', '_')}_of_lab_{mistake.lab}"


@unittest.skipUnless(wrong.there(), "the wrong solutions are the staff's")
class WrongSolutions(unittest.TestCase):
    def told(self, text: str, patterns: tuple[str, ...]) -> None:
        for pattern in patterns:
            self.assertRegex(flat(text), pattern)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)


def _add(mistake: Mistake) -> None:
    def run(self: WrongSolutions) -> None:
        said = wrong.session(mistake.lab, mistake.slug, mistake.test, "continue", "atl why")
        self.told(said[1], mistake.told)
    run.__name__ = names(mistake)
    setattr(WrongSolutions, run.__name__, run)


for _mistake in MISTAKES:
    _add(_mistake)


class Guests(unittest.TestCase):
    """Of a hypervisor that is right."""

    def test_there_is_nothing_to_tell(self) -> None:
        said = debug(1, "hello", "atl why", "break do_console_write", "continue", "atl why", "atl why 1")
        self.assertIn("has not started yet", said[0])
        self.assertIn("nothing has gone wrong so far", said[3])
        self.assertIn("say: atl why", said[4])

    def test_a_crash_that_was_asked_for_is_told_without_a_record_too(self) -> None:
        """The build for use remembers nothing: its console does."""
        orders = ("break do_console_write", "continue", "call (void)crash_machine(0, domains.slots[0].name)", "atl why")
        for build in ("atelier-debug.elf", "atelier.elf"):
            with self.subTest(build=build):
                said = debug(1, "hello", *orders, more=("--hypervisor", str(ROOT / "build" / build)))
                self.assertIn("The hypervisor crashed: domain 0.", said[3])
                self.assertIn("in its call console_write(" if build == "atelier-debug.elf" else "The hypervisor", said[3])

    @unittest.skipUnless(list(ROOT.glob("labs/lab2-*")), "comes with lab 2")
    def test_page_faults_of_a_guest(self) -> None:
        """What upcall_exception() is told is what the processor said."""
        said = debug(2, "traps", "break upcall_exception if vector == 14", *("continue", "output/x fault", "output error", "output/x regs.eip",
                                                                         "output regs.cs & 3", "atl why") * 4)  # fmt: skip
        for address, error, eip, ring, why in (said.said[i + 2:i + 7] for i in range(0, 24, 6)):
            text = flat(why)
            self.assertIn("domain 0's: page fault", text)
            self.assertIn(f"a {'write to' if int(error) & 2 else 'read of'} {address}", text.replace("instruction fetch from", "read of"))
            self.assertIn(f"at {eip}", text)
            self.assertIn("its kernel" if ring == "1" else "a program of it, in ring 3", text)
            if int(error) & 1 == 0:
                self.assertIn("not present", text)
            elif int(error) & 2 and int(address, 16) < 0xFC000000:
                self.assertIn("read only", text)

    @unittest.skipUnless((ROOT / "labs/lab2-events/tests/bad-stack.py").exists(), "a hidden test")
    def test_a_domain_that_dies_for_its_stack(self) -> None:
        said = debug(2, "bad-stack", "break crash_domain", "continue", "output d->id", "output/x d->vcpu.regs.esp", "disable", "up", "finish",
                     "atl why")
        self.assertRegex(flat(said[7]), rf"Domain {said[2]} \(domain\) died: double fault: no room for .* below {said[3]}\.")
        self.assertIn("upcall.c:", said[7])
        said = debug(2, "bad-stack", "continue", "atl why")
        self.assertIn("below 0xfc542460: that is above the line", flat(said[1]))
