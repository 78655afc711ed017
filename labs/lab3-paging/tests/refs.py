# SPDX-License-Identifier: MIT
"""Judges `refs`: is each reference counted, and the frame free when the last one is gone?"""

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
FULL = 0x7fffffff  # FRAME_COUNT_MAX
encode = refs.encode


def inputs(rng: Random) -> dict:
    return {"pages": PAGES, "steps": refs.script(rng, PAGES, 3000, FULL, rising=0.55)}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from refs.judge(EXERCISE, given["steps"], seen)
