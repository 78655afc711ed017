# SPDX-License-Identifier: MIT
"""Text for a terminal or a mail: the score, a line a test, then what failed."""

from ..result import GRADED, PASSED, Result, Test
from . import common


def render(result: Result) -> str:
    result = common.student(result)
    lines = [f"Lab {result.lab.number}, {result.lab.name}: {common.head(result)}"]
    if result.message:
        lines += [f"    {line}" for line in result.message.split("\n")]
    if result.status != GRADED and result.score is not None:
        lines.append(f"    {common.of(result.score, result.points)}")
    if result.score is None:
        lines.append(f"    {common.ABOUT_INFRA}")
    lines.append(f"Submission {result.submission.name}" + (f", seed {result.seed}" if result.seed else ""))

    tests = {test.name: test for test in result.tests}
    for exercise in result.exercises:
        lines += ["", f"{exercise.number:<6} {exercise.title}: {common.of(exercise.score, exercise.points)}"]
        lines += [line(tests[name]) for name in exercise.tests if name in tests]

    for test in result.tests:
        if test.status != PASSED:
            lines += ["", f"{test.name} ({test.failed_on or test.emulator}), exercise {test.exercise}: {common.what(test)}"]
            lines += [f"    {text}" for text in common.explain(test)]

    more = [f"ignored: {file.name or 'and others'}: {file.why}" for file in result.submission.ignored] + list(result.notes)
    if not result.environment.sandbox.startswith("bubblewrap"):
        more.append(f"sandbox {result.environment.sandbox}")
    return "\n".join([*lines, *([""] if more else []), *more]) + "\n"


def line(test: Test) -> str:
    """A test in a line."""
    score = "" if test.score is None else f"{test.score} of {test.points}"
    return f"  {common.WORDS[test.status]:<8} {test.name:<22} {test.emulator:<11} {test.visibility:<8} {score:<10} {test.failure}".rstrip()
