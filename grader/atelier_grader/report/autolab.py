# SPDX-License-Identifier: MIT
"""Autolab: the text report, and as the very last line the scores, a problem an exercise (named as in the lab: "3.1").

An exercise without a score is left out of that line, and Autolab leaves that problem ungraded.
"""

import json

from ..result import Result
from . import text


def render(result: Result) -> str:
    scores = {exercise.number: exercise.score for exercise in result.exercises if exercise.score is not None and exercise.points}
    return text.render(result) + "\n" + json.dumps({"scores": scores}) + "\n"
