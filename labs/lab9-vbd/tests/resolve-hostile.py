# SPDX-License-Identifier: MIT
"""Judges `resolve-hostile`: is what the table does not give refused, whatever its border?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab9_extents as model  # noqa: E402
from lab9_extents import EXTENTS, LIMIT, READ, WRITE, Extent, Script  # noqa: E402

EXERCISE = "9.1"
encode = model.encode


def borders(s: Script, table: int, rng: Random) -> None:
    end = s.end(table)
    for first, count in ((0, 0), (end, 0), (end, 1), (end - 1, 1), (end - 1, 2), (0, end + 1), (end + 5, 1), (LIMIT, 0), (LIMIT, 1),
                         (LIMIT - 1, 1), (LIMIT - 1, 2), (LIMIT, LIMIT), (1, LIMIT), (2, LIMIT), (end - 1, LIMIT), (0, LIMIT)):
        if 0 <= first <= LIMIT and count <= LIMIT:
            s.resolve(table, first, count, rng.choice((READ, WRITE)))


def mixed(s: Script, rng: Random) -> None:
    """Writable, read-only, write-only, one after the other, apart on the disk."""
    rights = [READ | WRITE, READ, WRITE, READ | WRITE, READ, READ | WRITE]
    for i, r in enumerate(rights):
        s.add(0, Extent(i % 2, 1000 + 50 * i, rng.randrange(3, 9), r))
    at = 0
    for e in list(s.tables[0]):
        for first, count in ((at, 1), (at + e.count - 1, 2), (at, e.count), (max(at - 1, 0), 2), (max(at - 1, 0), e.count + 2)):
            for need in (READ, WRITE, READ | WRITE):
                s.resolve(0, first, count, need)
        at += e.count


def little_room(s: Script, rng: Random) -> None:
    for i in range(EXTENTS):
        s.add(1, Extent(0, 5000 - 100 * i, rng.randrange(1, 4), READ))
    for most in range(EXTENTS + 1):
        s.resolve(1, 0, s.end(1), READ, most)
        s.resolve(1, rng.randrange(3), rng.randrange(1, 10), READ, most)


def inputs(rng: Random) -> dict:
    s = Script()
    mixed(s, rng)
    little_room(s, rng)
    s.add(2, Extent(0, 7, LIMIT - 7, READ | WRITE))  # all of a disk but its first sectors
    s.add(0, Extent(1, 3000, rng.randrange(3, 9), READ | WRITE))
    s.remove(0)  # what was there is not there any more
    for table in (0, 1, 2, 3):
        borders(s, table, rng)
    s.add(2, Extent(1, 1, 7, READ))
    borders(s, 2, rng)
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
