# SPDX-License-Identifier: MIT
"""Gradescope's results.json (its autograder specification, January 2025).

Tests that are not public show when the assignment is due. A run that ended as INFRA, or in which a test could not be run, gets no
file at all (NoScore): Gradescope then says that the autograder failed, and staff start it again; it knows the points of the
assignment, and would take any number in a file for a score of all of them.
"""

import json

from ..result import NOT_RUN, PASSED, Result, Test
from . import common


def render(result: Result) -> str:
    common.scored(result, "Gradescope", whole=True)
    result = common.student(result)
    document = {
        "score": result.score,
        "output": "\n".join(about(result)),
        "output_format": "text",
        "test_output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"seed": result.seed, "digest": result.submission.digest, "status": result.status},
        "tests": [entry(test) for test in result.tests],
    }
    return json.dumps(document, indent=2) + "\n"


def about(result: Result) -> list[str]:
    """What is to be said of the submission as a whole."""
    lines = [f"Lab {result.lab.number}, {result.lab.name}: {common.head(result)}"]
    lines += result.message.split("\n") if result.message else []
    lines += [f"ignored: {file.name or 'and others'}: {file.why}" for file in result.submission.ignored]
    lines += [f"not run: {test.name}: {test.message}" for test in result.tests if test.status == NOT_RUN]
    return lines + list(result.notes)


def entry(test: Test) -> dict:
    return {
        "name": test.name,
        "number": test.exercise,
        "score": test.score,
        "max_score": test.points,
        "status": "passed" if test.status == PASSED else "failed",
        "output": "\n".join([common.what(test), *common.explain(test)]),
        "visibility": "visible" if test.visibility == common.PUBLIC else "after_due_date",
        "extra_data": {"seed": test.seed, "emulator": test.emulator, "instructions": test.instructions},
    }
