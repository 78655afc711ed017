# SPDX-License-Identifier: MIT
"""TAP 14. INFRA bails out: what reads it then says neither passed nor failed, but that the run is worth nothing."""

import json
from collections.abc import Sequence

from ..result import INFRA, NOT_RUN, PASSED, Result, Test
from . import common


def render(result: Result) -> str:
    result = common.student(result)
    alone = common.alone(result)
    lines = ["TAP version 14", f"1..{1 if alone else len(result.tests)}"]
    lines.append(_line(f"# lab {result.lab.number}, {result.lab.name}: {common.head(result)}; submission {result.submission.name}"))
    if alone:
        if result.status != INFRA:
            lines += [f"not ok 1 - {_description(alone[0])}", *_block({"message": alone[1], "status": result.status})]
    else:
        for number, test in enumerate(result.tests, 1):
            lines += point(number, test)
    if result.score is None:
        lines.append(f"Bail out! INFRA: {_line(result.message) or common.ABOUT_INFRA}")
    return "\n".join(lines) + "\n"


def point(number: int, test: Test) -> list[str]:
    """A test point with its diagnosis."""
    name = _description(f"{test.exercise} {test.name}")
    if test.status == PASSED:
        return [f"ok {number} - {name}"]
    if test.status == NOT_RUN:
        return [f"ok {number} - {name} # SKIP {_description(test.message)}"]
    told = {"message": common.what(test), "status": test.status, "exercise": test.exercise, "emulator": test.failed_on or test.emulator,
            "max": test.points}
    if test.score is not None:
        told["score"] = test.score
    if test.seed:
        told["seed"] = test.seed
    return [f"not ok {number} - {name}", *_block(told, common.explain(test))]


def _block(values: dict, lines: Sequence[str] = ()) -> list[str]:
    """A YAML block: JSON's strings and numbers are YAML's, and `explained` is literal text."""
    block = ["  ---", *(f"  {key}: {json.dumps(value)}" for key, value in values.items())]
    text = [f"    {_line(line)}" for line in lines if _line(line)]
    return [*block, *(["  explained: |", *text] if text else []), "  ..."]


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() or c.isspace() else "?" for c in text).split())


def _description(text: str) -> str:
    return _line(text).replace("\\", "\\\\").replace("#", "\\#")
