# SPDX-License-Identifier: MIT
"""Judges `read-write`: do requests of many pieces, many at a time, move each sector where it belongs?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab9_transfers as model  # noqa: E402
from lab9_transfers import Extent  # noqa: E402

EXERCISE = "9.5"
DOMAINS = (Guest("transfer"),)
SECTORS = 1024
devices, encode = model.devices, model.encode


def inputs(rng: Random) -> dict:
    cut = rng.randrange(100, 900)
    extents = [Extent(cut, SECTORS - cut), Extent(0, cut)]
    batches = [(rng.getrandbits(31), model.draw_batch(rng, SECTORS, 24)) for _ in range(6)]
    return {"sectors": SECTORS, "word": rng.getrandbits(31), "extents": extents, "batches": batches,
            "args": f"depth={rng.randrange(1, 9)} delay=100 seed={rng.randrange(1, 1 << 31)}"}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given, seen, outside)
