# SPDX-License-Identifier: MIT
"""The formats of a result: FORMATS[name](result) is the text of a file. Each is a pure function of the result, in a file of its own.

NoScore comes out of those that can only tell scores (gradescope, classroom50), for a result that has none. nightly(result) is
what may be told before the deadline.
"""

from collections.abc import Callable

from ..result import Result, to_json
from . import autolab, classroom50, csv, gradescope, html, junit, prairielearn, tap, text
from .common import NoScore, nightly

__all__ = ["FORMATS", "NoScore", "nightly"]

FORMATS: dict[str, Callable[[Result], str]] = {
    "text": text.render,
    "json": to_json,
    "junit": junit.render,
    "tap": tap.render,
    "gradescope": gradescope.render,
    "autolab": autolab.render,
    "prairielearn": prairielearn.render,
    "classroom50": classroom50.render,
    "csv": csv.render,
    "html": html.render,
}
