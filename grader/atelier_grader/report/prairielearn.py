# SPDX-License-Identifier: MIT
"""PrairieLearn's results.json for external grading. INFRA is `gradable: false`: no score, and no attempt is lost."""

import json
from dataclasses import replace

from ..result import NOT_RUN, Result, Test
from . import common, gradescope

LONGEST = 4000  # characters of a test's message: PrairieLearn takes a megabyte in all


def render(result: Result) -> str:
    result = common.student(result)
    about = "\n".join(gradescope.about(result))
    if result.score is None or not result.points:
        document = {"gradable": False, "message": common.ABOUT_INFRA, "format_errors": [common.ABOUT_INFRA, about]}
    else:
        document = {"gradable": True, "score": result.score / result.points, "message": about,
                    "tests": [entry(test) for test in result.tests if test.status != NOT_RUN]}
    return json.dumps(document, indent=2) + "\n"


def entry(test: Test) -> dict:
    return {"name": f"{test.exercise} {test.name}", "description": common.what(test), "points": test.score, "max_points": test.points,
            "message": "\n".join(common.explain(replace(test, output=())))[:LONGEST], "output": "\n".join(test.output)}
