# SPDX-License-Identifier: MIT
"""Autolab: the text report, and as the very last line the scores, a problem an exercise (named as in the lab: "3.1").

An exercise without a score, or of which a test could not be run, is left out of that line: Autolab leaves that problem ungraded.
"""

import json

from ..result import NOT_RUN, Result
from . import text


def render(result: Result) -> str:
    unrun = {test.exercise for test in result.tests if test.status == NOT_RUN}
    scores = {e.number: e.score for e in result.exercises if e.score is not None and e.number not in unrun}
    return text.render(result) + "\n" + json.dumps({"scores": scores}) + "\n"
