# SPDX-License-Identifier: MIT
"""From runs to a result: what a test, an exercise and a lab come to, and how a failure is told to who has to mend it."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from . import result
from .manifest import Manifest
from .manifest import Test as Listed
from .result import Exercise, Finding, Test
from .trial import Verdict

WHOLE = "whole"
NOT_BUILT = "did not build"

# What a class of failure usually means.
MEANING = {
    Verdict.CRASHED: "A check of the hypervisor's own, or the processor, stopped it at the place named.",
    Verdict.NOT_BOOTED: "The machine started and no test guest came to say anything: the hypervisor stopped, or hung, before domain 0 "
                        "ran, or while it started.",
    Verdict.TRIPLE_FAULT: "An exception came, and two more while it was handled, so the processor reset itself. The exception named "
                          "is the first of them: mend that one.",
    Verdict.RESET: "The machine was reset without an exception: something wrote to a reset port, or jumped to the firmware.",
    Verdict.HALTED: "The processor waits for an interrupt with interrupts turned off (hlt with IF=0): nothing can wake it any more.",
    Verdict.ASLEEP: "It waits for something that never comes. A machine's processor: for an interrupt, when a wake-up or a timer was lost.",
    Verdict.OUTPUT: "It printed without end: look for a message in a loop or in a fault that comes back.",
    Verdict.BUDGET: "It ran for as many instructions as this test may and did not come to an end: look for a loop around the place named.",
    Verdict.UNREADABLE: "What the test guest wrote down cannot be read: its memory was overwritten, or it was stopped in between.",
    Verdict.EMULATOR: "The emulator itself broke down, each time, and with the solution does not. Staff will look at what it does to it.",
    Verdict.CHANGED: "The hypervisor wrote over the code of its guest, which is to run as it was loaded. Staff will look at it. Without "
                     "intent: a frame of the guest's was used for something else.",
    Verdict.UNSTEADY: "What is right is right each time: look for memory that is read before it is written, and for clocks.",
    Verdict.CUT_SHORT: "",
    Verdict.WRONG: "",
}


# Classes of failure that are no ordinary mistake: staff have to look at them.
FLAGGED = frozenset(verdict.value for verdict in (Verdict.EMULATOR, Verdict.CHANGED, Verdict.UNSTEADY))


def flagged(graded: result.Result) -> list[Test]:
    return [test for test in graded.tests if test.failure in FLAGGED]


@dataclass(frozen=True)
class Seen:
    """One run of a test, as the judge's sandbox told it."""

    where: str
    seed: str
    verdict: Verdict
    detail: str = ""
    findings: tuple[Finding, ...] = ()
    more: int = 0
    exercises: tuple[str, ...] = ()  # that the findings point at
    unwritten: tuple[str, ...] = ()  # exercises that said so of themselves
    output: tuple[str, ...] = ()
    instructions: int | None = None
    unbuilt: str = ""  # why there is nothing to run

    @property
    def failed(self) -> bool:
        return bool(self.unbuilt) or self.verdict not in (Verdict.PASSED, Verdict.NOT_RUN, Verdict.INFRA)


def test(lab: Manifest, listed: Listed, runs: Sequence[Seen]) -> Test:
    """A test's line of the result. `waits` comes later: it takes all of them."""
    row = Test(listed.name, listed.exercise, "+".join(run.where for run in runs), listed.visibility, listed.points, listed.points,
               result.PASSED, seed=runs[0].seed, instructions=next((r.instructions for r in runs if r.instructions is not None), None))
    bad = next((run for run in runs if run.failed), None)
    if bad is None:
        odd = next((run for run in runs if run.verdict is not Verdict.PASSED), None)
        if odd is None:
            return row
        status = result.INFRA if odd.verdict is Verdict.INFRA else result.NOT_RUN
        return replace(row, score=None, status=status, failed_on=odd.where, message=odd.detail, failure=odd.verdict.value)
    return replace(
        row, score=0, status=result.FAILED, failed_on=bad.where, failure=NOT_BUILT if bad.unbuilt else bad.verdict.value,
        message="\n".join(_message(bad, listed)), findings=bad.findings, more=bad.more,
        output=bad.output if listed.visibility == "public" else (),
        reproduce=f"make gdb LAB={lab.number} TEST={listed.name} SEED={shlex.quote(bad.seed)}"
                  + {"qemu": " REVERSE=1", "bochs": " EMU=bochs", "host": ""}[bad.where])


def _message(run: Seen, listed: Listed) -> Iterator[str]:
    if run.unbuilt:
        yield run.unbuilt
        return
    where = {"bochs": "in Bochs", "qemu": "in QEMU", "host": "on the host"}[run.where]
    if run.verdict is Verdict.WRONG:
        other = [number for number in run.exercises if number != listed.exercise]
        yield (f"The test came to its end {where}, and what it observed is not what the interface says."
               + (f" This points at exercise {', '.join(other)}." if other else ""))
    else:
        yield f"{run.verdict.value.capitalize()} {where}" + (f": {run.detail}" if run.detail else "")
        if MEANING[run.verdict]:
            yield MEANING[run.verdict]
    if run.unwritten:
        yield f"Not written yet: {', '.join(run.unwritten)}."


def with_waits(tests: Sequence[Test], lab: Manifest) -> list[Test]:
    """Tests that failed because an exercise that they lean on has failed wait for that: one mistake is one failure.

    Where exercises lean on each other in a ring, the first of them is the one that has failed.
    """
    needs = {listed.name: listed.needs for listed in lab.tests}
    left = [t for t in tests if t.status == result.FAILED and t.failure != NOT_BUILT]
    waits: dict[str, tuple[str, ...]] = {}
    down: set[str] = set()  # exercises of which it is known why they failed
    while left:
        unknown = {t.exercise for t in left} - down
        own = {t.exercise for t in left if not (unknown | down).intersection(needs[t.name])}
        down |= own or {min(unknown)}
        waits = {t.name: on for t in left if (on := tuple(sorted(down.intersection(needs[t.name]))))} | waits
        left = [t for t in left if t.exercise not in down]
    return [replace(t, status=result.WAITS, waits_for=waits[t.name]) if t.name in waits else t for t in tests]


def exercises(lab: Manifest, tests: Sequence[Test]) -> list[Exercise]:
    titles: Mapping[str, str] = {e.number: e.title for e in lab.exercises} | {WHOLE: "Everything together"}
    found = []
    for number, title in titles.items():
        of = [t for t in tests if t.exercise == number and t.status != result.NOT_RUN]
        names = tuple(t.name for t in tests if t.exercise == number)
        if names:
            found.append(Exercise(number, title, sum(t.points for t in of), _sum(of), names))
    return found


def _sum(tests: Sequence[Test]) -> int | None:
    return None if any(t.status == result.INFRA for t in tests) else sum(t.score or 0 for t in tests)


def total(tests: Sequence[Test]) -> tuple[int | None, int]:
    """Score and points, of the tests that were run."""
    ran = [t for t in tests if t.status != result.NOT_RUN]
    return _sum(ran), sum(t.points for t in ran)
