# SPDX-License-Identifier: MIT
"""Judges `transfer`: does what is asked of virtual sectors come from and to the real ones that the table says?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab9_transfers as model  # noqa: E402
from lab9_transfers import READ, WRITE, Extent, Request, VBD_READ, VBD_WRITE  # noqa: E402

EXERCISE = "9.1"
DOMAINS = (Guest("transfer"),)
SECTORS = 512
devices, encode = model.devices, model.encode


def table(rng: Random) -> list[Extent]:
    """Apart on the disk, none at its own virtual place, one of them read-only, one write-only."""
    places = [64 * i + rng.randrange(1, 20) for i in range(1, 8)]
    rng.shuffle(places)
    rights = [READ | WRITE] * 5 + [READ, WRITE]
    return [Extent(p, rng.randrange(3, 20), r) for p, r in zip(places, rights, strict=True)]


def one(rng: Random, size: int, page: int) -> Request:
    count = rng.randrange(1, 9)
    return Request(rng.choice((VBD_READ, VBD_WRITE)), rng.choice((rng.randrange(size), rng.randrange(size), size, size - 1, size + 9)),
                   ((page, 0, count),))


def inputs(rng: Random) -> dict:
    extents = table(rng)
    size = sum(e.count for e in extents)
    batches = [(rng.getrandbits(31), [one(rng, size, i % model.PAGES)]) for i in range(24)]
    return {"sectors": SECTORS, "word": rng.getrandbits(31), "extents": extents, "batches": batches}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given, seen, outside)
