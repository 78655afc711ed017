# SPDX-License-Identifier: MIT
"""What the reports have in common: what a student may see of a result, and how it is said.

Hidden and hostile tests show the first thing that is wrong, because that is what one can learn from, and no more of
their inputs; nothing shows where on the grading machine it lay. A test or an exercise that ended as INFRA has no
score: each format leaves it out, or calls it an error, and a format that can do neither raises NoScore.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from ..result import FAILED, GRADED, INFRA, NOT_BUILT, NOT_RUN, PASSED, REFUSED, WAITS, Result, Test

WORDS = {PASSED: "ok", FAILED: "FAILED", WAITS: "waits", INFRA: "INFRA", NOT_RUN: "not run"}
HEADS = {REFUSED: "the submission was refused", NOT_BUILT: "it did not build", INFRA: "INFRA, no score"}
ABOUT_INFRA = "The grading machinery failed, not what it tests. This is no score: it has to be graded again."
PUBLIC = "public"
_ABSOLUTE = re.compile(r"""(?<![\w.~/-])/(?:[^\s/:'"`,;()<>]+/)+""")


class NoScore(Exception):
    """This format has no word for a run that ended as INFRA. One line; whoever asked exits with a status of its own."""


def student(result: Result) -> Result:
    """The result as far as a student may see it."""
    return replace(result, message=placeless(result.message), notes=tuple(placeless(note) for note in result.notes),
                   environment=replace(result.environment, sandbox=placeless(result.environment.sandbox)),
                   tests=tuple(_shown(test) for test in result.tests))


def _shown(test: Test) -> Test:
    test = replace(test, message=placeless(test.message))
    if test.visibility == PUBLIC or (len(test.findings) <= 1 and not test.output):
        return test
    return replace(test, findings=test.findings[:1], more=test.more + max(len(test.findings) - 1, 0), output=())


def nightly(result: Result) -> Result:
    """What a student may know before the deadline: the public tests, and of the others in which exercises some fail."""
    public = tuple(test for test in result.tests if test.visibility == PUBLIC)
    failing = list(dict.fromkeys(test.exercise for test in result.tests if test not in public and test.status in (FAILED, WAITS)))
    told = f"Tests that are not public fail in exercise {', '.join(failing)}." if failing else "No test fails that is not public."
    if not result.tests:
        return result
    exercises = []
    for exercise in result.exercises:
        own = [test for test in public if test.exercise == exercise.number]
        exercises.append(replace(exercise, tests=tuple(test.name for test in own), points=possible(own), score=reached(own)))
    hidden_infra = any(test.status == INFRA for test in result.tests if test not in public)
    return replace(result, tests=public, exercises=tuple(exercises), points=possible(public),
                   message="" if hidden_infra else result.message, score=None if result.score is None else reached(public),
                   notes=(*result.notes, f"Public tests only. {told}"))


def possible(tests: Sequence[Test]) -> int:
    """The points of the tests that ran."""
    return sum(test.points for test in tests if test.status != NOT_RUN)


def reached(tests: Sequence[Test]) -> int | None:
    return None if any(test.status == INFRA for test in tests) else sum(test.score or 0 for test in tests)


def placeless(text: str) -> str:
    """A text without the folders of absolute paths: of /tmp/run-7/src/frame.c stays frame.c."""
    return _ABSOLUTE.sub("", text)


def head(result: Result) -> str:
    """The outcome in a line."""
    if result.status == GRADED:
        return of(result.score, result.points)
    return HEADS[result.status]


def of(score: int | None, points: int) -> str:
    """`4 of 9 points`; what has no score, or none of whose tests could be run, says so."""
    if points == 0:
        return "not run"
    plural = "point" if points == 1 else "points"
    return f"no score of {points} {plural}" if score is None else f"{score} of {points} {plural}"


def what(test: Test) -> str:
    """How a test ended, in a few words."""
    words = WORDS[test.status]
    if test.status == WAITS and test.waits_for:
        words += f" for {', '.join(test.waits_for)}"
    return f"{words}: {test.failure}" if test.failure not in ("", words) else words


def explain(test: Test) -> list[str]:
    """A test that did not pass, in lines for the one who has to mend it."""
    lines = test.message.split("\n") if test.message else []
    if test.status == INFRA:
        lines.append(ABOUT_INFRA)
    if test.waits_for:
        lines.append(f"leans on {', '.join(test.waits_for)}, which failed too: mend that first")
    lines += [f"{finding.what}: expected {finding.want}, seen {finding.got}" for finding in test.findings]
    if test.more:
        lines.append(f"and {test.more} more")
    lines += [f"| {line}" for line in test.output]
    if test.reproduce:
        lines.append(f"again: {test.reproduce}")
    return lines


def scored(result: Result, kind: str, whole: bool = False) -> None:
    """For formats that must have a score: NoScore if there is none, or, where the platform knows the points, if a part is missing."""
    if result.score is None:
        raise NoScore(f"{kind} has no word for INFRA, and INFRA is no zero: {placeless(result.message) or ABOUT_INFRA}")
    unrun = [test for test in result.tests if test.status == NOT_RUN]
    if unrun and (whole or not result.points):
        names = ", ".join(test.name for test in unrun)
        raise NoScore(f"{kind} would take for lost what was not run: {names}: {placeless(unrun[0].message)}")


def alone(result: Result) -> tuple[str, str] | None:
    """What stands in the place of the tests if there are none: a name and a reason."""
    return None if result.tests else ("submission", f"{head(result)}: {placeless(result.message)}")
