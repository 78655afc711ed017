# SPDX-License-Identifier: MIT
"""Judges `refs-wrap`: is a count that is full kept, and nothing freed that is still referred to?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_refs as refs  # noqa: E402

EXERCISE = "3.1"
PAGES = 32
FULL = 7  # HOST_DEFINES of the program
encode = refs.encode


def inputs(rng: Random) -> dict:
    return {"pages": PAGES, "steps": refs.script(rng, PAGES, 3000, FULL, rising=0.75)}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from refs.judge(EXERCISE, given["steps"], seen)
