# SPDX-License-Identifier: MIT
"""`atl why` names the right cause of known mistakes in each lab: what is right, those say who made them (solutions/LAB/wrong).

One of each lab; MISTAKES=all: every one that is listed here.
"""

import os
import re
import unittest
from dataclasses import dataclass

import wrong
from frames_test import FREED
from sessions import debug


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
        "was overwritten|It jumped to 0x", r"do_console_write takes 16,\d+ bytes of the stack at once", "look at exercise 1.4 ")),
    Mistake(2, "double-is-panic", "fault-in-fault", (
        "The hypervisor crashed: double fault: no room", "only the domain should die of that",
        r"at upcall\.c:\d+, enter_handler: crash_machine",
        "look at exercise 2.4 ")),
    Mistake(2, "sp-unchecked", "bad-stack", (
        "the stack for ring 1 being at 0xf.* expected 'the domain dies of it', seen 'it lives'", "look at exercise 2.3 ")),
    Mistake(3, "m2p-unchecked", "batch-hostile", (
        "in its call mmu_update",
        "is the machine-to-physical table, as the hypervisor writes it: frame 0xfffff's entry, and nothing is mapped",
        r"at mmu\.c:\d+, machine_m2p_set: ", "look at exercise 3.4 ")),
    Mistake(3, "self-spins", "linear", (
        "the hypervisor's stack overflowed", "(validate|get)_directory(_entry)? calls itself",
        r"at paging\.c:\d+, (validate|get)_directory", "look at exercise 3.3 ")),
    Mistake(4, "expand-down-absent", "reach", (
        "descriptor .* expected 'refused', seen 'accepted", "look at exercise 4.1 .*segment_fit")),
    Mistake(5, "weight-zero", "warp-abuse", (
        "exception 0 in the hypervisor", "in its call control_op", "It divided by zero", r"at sched_policy\.c:\d+, .* / weight;",
        "look at exercise 5.4 ")),
    Mistake(6, "consumer-late", "order", (
        r"assertion failed: count <= under_way\(r\)", "in its call ring_op",
        r"at ring\.c:\d+, ring_respond", "the test is about exercise 6.2 ")),
    Mistake(7, "m2p-left", "shrink", ("step 1, decrease of", "look at exercise 7.2 .*balloon_give_back")),
    Mistake(8, "sum-of-pieces", "send-hostile", (
        "is a temporary mapping of the hypervisor's, and nothing is mapped there", r"at ramwire\.c:\d+, collect", "look at exercise 8.2 ")),
    Mistake(8, "death-too-soon", "die-in-flight", (
        "asleep for ever", "Now: domain 0 blocked", "look at exercise 8.5 ")),
    Mistake(9, "not-typed", "dma-hostile", (
        "triple fault", "CR3 names frame 0x.*the hypervisor runs, is not mapped, and frame 0x.* is in use as page directory",
        "look at exercise 9.5 ")),
    Mistake(9, "death-frees", "dma-hostile", (
        "a null pointer's", r"at vbd\.c:\d+, disk_done", "exercise 9.5 ")),
)  # fmt: skip


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def names(mistake: Mistake) -> str:
    return f"test_{mistake.slug.replace('-', '_')}_of_lab_{mistake.lab}"


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


_seen: set[int] = set()
for _mistake in MISTAKES:
    if _mistake.lab not in _seen or os.environ.get("MISTAKES") == "all":
        _add(_mistake)
    _seen.add(_mistake.lab)


class Frames(unittest.TestCase):
    def test_one_that_is_free_before_the_flush(self) -> None:
        said = wrong.session(7, "unflushed", "shrink", *FREED)[-1]
        self.assertRegex(said, r"nobody's, free.*\n  TLB +a mapping went since the last flush")


class Stacks(unittest.TestCase):
    def test_a_domain_that_dies_for_its_stack(self) -> None:
        said = debug(2, "bad-stack", "break crash_domain", "continue", "output d->id", "output/x d->vcpu.regs.esp", "disable",
                     "up", "finish", "atl why")
        self.assertRegex(flat(said[7]), rf"Domain {said[2]} \(domain\) died: double fault: no room for .* below {said[3]}\.")
        self.assertIn("upcall.c:", said[7])
        said = debug(2, "bad-stack", "continue", "atl why")
        self.assertRegex(flat(said[1]), "below 0xf[0-9a-f]+: that is above the line")
