# SPDX-License-Identifier: MIT
"""Judges `batches`: do domains with full rings take turns of at most a batch?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab9_disks as model  # noqa: E402
import lab9_turns as turns  # noqa: E402

EXERCISE = "9.4"
encode = model.encode
PHASES = 6


def inputs(rng: Random) -> dict:
    s = turns.open_script()
    for _ in range(PHASES):
        for domain in rng.sample(range(turns.DOMAINS), turns.DOMAINS):  # the first two take all the room
            turns.post(s, rng, domain, 0, turns.SLOTS)
        turns.end(s, rng, turns.DOMAINS * turns.SLOTS)
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from turns.judge(EXERCISE, given["script"], seen)
