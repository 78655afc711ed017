# SPDX-License-Identifier: MIT
"""Judges `hog`: does a domain that always asks for all keep nobody from a turn, whenever they come?"""

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
PHASES = 12


def phase(s: model.Script, rng: Random) -> None:
    """Two hogs fill the room and more; the others ask for little, now and then, while what is under way ends."""
    hogs = rng.sample(range(turns.DOMAINS), 3)
    other = next(d for d in range(turns.DOMAINS) if d not in hogs)
    asked = 0
    for hog in hogs:
        turns.post(s, rng, hog, 0, turns.SLOTS)
        if rng.random() < 0.5:
            count = rng.randrange(1, 5)
            turns.post(s, rng, other, asked, count)
            asked += count
    for _ in range(5):
        turns.end(s, rng, rng.randrange(1, 24))
        count = rng.randrange(1, 4)
        turns.post(s, rng, other, asked, count)
        asked += count
    turns.end(s, rng, 4 * turns.SLOTS)


def inputs(rng: Random) -> dict:
    s = turns.open_script()
    for _ in range(PHASES):
        phase(s, rng)
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from turns.judge(EXERCISE, given["script"], seen)
