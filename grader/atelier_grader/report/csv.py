# SPDX-License-Identifier: MIT
"""CSV (RFC 4180): a row a test. What has no score has an empty cell there, never a zero."""

import csv
import io
from collections.abc import Iterable

from ..result import Result
from . import common

COLUMNS = ("submission", "lab", "exercise", "test", "visibility", "emulator", "status", "failure", "score", "points",
           "instructions", "seed")


def render(result: Result) -> str:
    result = common.student(result)
    rows = [(result.submission.name, result.lab.number, t.exercise, t.name, t.visibility, t.emulator, t.status, t.failure, t.score,
             t.points, t.instructions, t.seed) for t in result.tests]
    if not rows:
        rows = [(result.submission.name, result.lab.number, "", "", "", "", result.status, result.message, result.score, result.points,
                 None, result.seed)]
    return table(COLUMNS, rows)


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table of numbers, texts and None. A spreadsheet takes none of its texts for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([cell(name) for name in columns])
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def cell(value: object) -> object:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return "" if value is None else value
