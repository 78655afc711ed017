# SPDX-License-Identifier: MIT
"""Classroom 50's result.json, `classroom50/result/v1`.

Its runner names the submission in the environment and adds owner, kind of assignment and times itself. A run that ended as
INFRA gets no file (NoScore): an autograder that exits with a status other than 0 is what Classroom 50 has for that.
"""

import json
import os
from collections.abc import Mapping

from ..result import NOT_RUN, PASSED, Result, Test
from . import common

FROM_ENVIRONMENT = {"classroom": "CLASSROOM", "assignment": "ASSIGNMENT", "submission": "SUBMISSION_TAG", "commit": "COMMIT_URL",
                    "release": "RELEASE_URL", "review": "REVIEW_URL"}


def render(result: Result, environment: Mapping[str, str] = os.environ) -> str:
    common.scored(result, "Classroom 50")
    result = common.student(result)
    document = {"schema": "classroom50/result/v1"}
    document |= {key: environment[name] for key, name in FROM_ENVIRONMENT.items() if environment.get(name)}
    document |= {"score": result.score, "max-score": result.points,
                 "tests": [entry(test) for test in result.tests if test.status != NOT_RUN]}
    return json.dumps(document, indent=2) + "\n"


def entry(test: Test) -> dict:
    return {"test-name": f"{test.exercise} {test.name}", "passed": test.status == PASSED, "score": test.score, "max-score": test.points,
            "message": "\n".join([common.what(test), *common.explain(test)])}
