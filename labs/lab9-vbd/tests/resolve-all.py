# SPDX-License-Identifier: MIT
"""Judges `resolve-all`: does each virtual sector come to the real one that the table says, over any number of borders?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab9_extents as model  # noqa: E402
from lab9_extents import EXTENTS, READ, WRITE, Extent, Script  # noqa: E402

EXERCISE = "9.1"
encode = model.encode
REQUESTS = 60  # of a table


def fill(s: Script, rng: Random, table: int) -> None:
    """Small extents, in no order on three disks, so that a request crosses many."""
    places = rng.sample(range(1000), EXTENTS)
    for place in places[:rng.randrange(2, EXTENTS)]:
        s.add(table, Extent(rng.randrange(3), place * 100, rng.randrange(1, 20), READ | WRITE if rng.random() < 0.8 else READ))


def inputs(rng: Random) -> dict:
    s = Script()
    for table in range(4):
        fill(s, rng, table)
        end = s.end(table)
        s.resolve(table, 0, end, READ)
        for first in range(0, end, max(end // 8, 1)):
            s.resolve(table, first, 1, READ)
        for _ in range(REQUESTS):
            first = rng.randrange(end)
            s.resolve(table, first, rng.randrange(1, end - first + 1), rng.choice((READ, READ, WRITE, READ | WRITE)))
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
