# SPDX-License-Identifier: MIT
"""Results as the grader makes them, for the tests of reports and of whole classes."""

from dataclasses import replace

from atelier_grader import result
from atelier_grader.result import Environment, Exercise, Finding, Ignored, Lab, Result, Submission, Test, Tool

LAB = Lab(3, "paging", "How can a guest own its page tables without owning the machine?")
ENVIRONMENT = Environment("bubblewrap", (Tool("qemu", "7.2.22"), Tool("gcc", "12.2.0")))
SEED = "1"

PASSED = Test("refs", "3.1", "host", "public", 30, 30, result.PASSED, instructions=None, seed=SEED)
FAILED = Test("types", "3.2", "qemu+bochs", "public", 20, 0, result.FAILED, "wrong observation", "bochs",
              "A frame has two types at once.\nA type may change only while its count is 0.",
              (Finding("type of frame 0x7", "2", "3"), Finding("count of frame 0x7", "0", "1")), 3,
              ("(atelier) domain 0 started", "types: 17 frames"), 1234567, (), SEED, "make gdb LAB=3 TEST=types EMU=bochs SEED=1")
HIDDEN = Test("types-recount", "3.2", "host", "hidden", 20, 0, result.FAILED, "crashed", "host", "src/frame.c:112: heap-use-after-free",
              (Finding("step 1 of 9", "-16", "0"),), 4, (), None, (), SEED, "make gdb LAB=3 TEST=types-recount SEED=1")
WAITING = Test("linear", "3.3", "qemu", "hostile", 10, 0, result.WAITS, "did not boot", "qemu",
               "It stopped before its guest said anything.", waits_for=("3.2",), seed=SEED, reproduce="make gdb LAB=3 TEST=linear SEED=1")
BROKEN = Test("flush", "3.3", "qemu", "public", 10, None, result.INFRA, "INFRA", "qemu", "the wall clock ended the machine", seed=SEED)
ABSENT = Test("shell", "whole", "qemu", "public", 10, None, result.NOT_RUN, message="Linux is not built in this tree", seed=SEED)


def make(tests: tuple[Test, ...], name: str = "ada.zip", **changes: object) -> Result:
    """A result of some tests, added up as the grader does it."""
    numbers = list(dict.fromkeys(test.exercise for test in tests))
    exercises = []
    for number in numbers:
        own = [test for test in tests if test.exercise == number]
        infra = any(test.status == result.INFRA for test in own)
        exercises.append(Exercise(number, f"Title of {number}", sum(t.points for t in own if t.status != result.NOT_RUN),
                                  None if infra else sum(t.score or 0 for t in own), tuple(t.name for t in own)))
    broken = any(test.status == result.INFRA for test in tests)
    made = Result(LAB, Submission(name, "5a" * 32, ("src/frame.c",), (Ignored("Makefile", "not one of the lab's files"),)), SEED,
                  ENVIRONMENT, result.INFRA if broken else result.GRADED, "the wall clock ended the machine" if broken else "",
                  None if broken else sum(t.score or 0 for t in tests), sum(t.points for t in tests if t.status != result.NOT_RUN),
                  tuple(exercises), tests, ("Lab 3 was graded on top of labs 1 and 2 as solved.",))
    return replace(made, **changes)


FULL = make((PASSED,))
MIXED = make((PASSED, FAILED, HIDDEN, WAITING, ABSENT))
RAN = make((PASSED, FAILED, HIDDEN, WAITING))
UNRUN = make((ABSENT,))
INFRA = make((PASSED, FAILED, BROKEN))
REFUSED = replace(make(()), status=result.REFUSED, message="ada.zip: ../x leads out of the archive", score=0, points=100)
SYNTAX = "src/frame.c:12: expected ';' before 'return'"
UNBUILT = replace(FAILED, failure="did not build", failed_on="", message=SYNTAX, findings=(), more=0, output=(), instructions=None)
NOT_BUILT = replace(make((UNBUILT,)), status=result.NOT_BUILT, message=SYNTAX)
LOST = replace(make(()), status=result.INFRA, message="/tmp/run-1/work: No space left on device", score=None, points=100)
EVERY = {"full": FULL, "mixed": MIXED, "ran": RAN, "unrun": UNRUN, "infra": INFRA, "refused": REFUSED, "not-built": NOT_BUILT, "lost": LOST}
