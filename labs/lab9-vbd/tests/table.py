# SPDX-License-Identifier: MIT
"""Judges `table`: is a table what was added to it and not removed, and is said what stands against what?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab9_extents as model  # noqa: E402
from lab9_extents import EXTENTS, LIMIT, READ, SHARED, WRITE, Extent, Script  # noqa: E402

EXERCISE = "9.2"
encode = model.encode
STEPS = 600
RIGHTS = (READ, WRITE, READ | WRITE, READ | SHARED, READ | WRITE | SHARED, WRITE | SHARED)


def draw(rng: Random) -> Extent:
    return Extent(rng.randrange(2), rng.randrange(60), rng.randrange(1, 25), rng.choice(RIGHTS))


def odd(rng: Random) -> Extent:
    """Something that cannot be, or only just."""
    return rng.choice((Extent(0, 5, 0, READ), Extent(0, LIMIT, 1, READ), Extent(0, LIMIT - 1, 1, READ), Extent(0, LIMIT - 3, 4, READ),
                       Extent(0, 0, LIMIT, READ), Extent(0, 1, LIMIT, READ), Extent(0, 5, 5, 0), Extent(0, 5, 5, SHARED),
                       Extent(0, 5, 5, 8 | READ), Extent(0, 5, 5, LIMIT)))


def inputs(rng: Random) -> dict:
    s = Script()
    for i in range(EXTENTS + 1):
        s.add(3, Extent(1, 2 * i, 1, READ))
    for _ in range(STEPS):
        table = rng.randrange(4)
        match rng.randrange(8):
            case 0 | 1:
                s.add(table, draw(rng) if rng.random() < 0.7 else odd(rng))
            case 2:
                s.remove(table)
            case 3 | 4 | 5:
                s.conflict(table, draw(rng))
            case 6 | 7:
                end = min(s.end(table), 500)
                s.resolve(table, rng.randrange(end + 2), rng.randrange(1, end + 2), rng.choice((READ, WRITE)))
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
