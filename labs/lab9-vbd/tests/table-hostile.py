# SPDX-License-Identifier: MIT
"""Judges `table-hostile`: does a table hold what makes sense and nothing else, under load as well?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab9_disks as model  # noqa: E402
from lab9_disks import (  # noqa: E402
    ADD, CHECK, CREATE, DESTROY, END, KICK, KILL, LIMIT, NONE, POST, READ, REMOVE, SHARED, VBD_READ, VBD_WRITE, WRITE, Extent, Piece,
    Request, Script,
)

EXERCISE = "9.2"
encode = model.encode
SECTORS = 300
ROUNDS = 60
RIGHTS = (READ, WRITE, READ | WRITE, READ | SHARED, READ | WRITE | SHARED)
ODD = (Extent(0, 5, 0), Extent(0, SECTORS, 1), Extent(0, SECTORS - 1, 2), Extent(0, SECTORS + 1, 1), Extent(2, 0, 1), Extent(LIMIT, 0, 1),
       Extent(0, 1 << 32, 1), Extent(0, 0, (1 << 32) + 1), Extent(0, (1 << 64) - 1, 2), Extent(0, 2, (1 << 64) - 1),
       Extent(0, (1 << 63), 1 << 63), Extent(0, 5, 5, 0), Extent(0, 5, 5, SHARED), Extent(0, 5, 5, READ | 8), Extent(1, LIMIT, 1))


def change(s: Script, rng: Random) -> None:
    domain, number = rng.randrange(1, 4), rng.randrange(2)
    match rng.randrange(10):
        case 0:
            s.do(CREATE, domain, rng.choice((number, number, 7, 8, LIMIT)))
        case 1:
            s.do(DESTROY, domain, rng.choice((number, 7, 8)))
        case 2 | 3:
            s.do(REMOVE, domain, number)
        case 4 | 5:
            s.do(ADD, domain, number, rng.choice(ODD))
        case _:
            first = rng.randrange(SECTORS)
            s.do(ADD, domain, number, Extent(rng.randrange(2), first, rng.randrange(1, min(40, SECTORS - first) + 1), rng.choice(RIGHTS)))


def ask(s: Script, rng: Random, number: int) -> None:
    domain = rng.randrange(1, 4)
    r = Request(domain, number, rng.choice((VBD_READ, VBD_WRITE)), (Piece(number % model.BUFFERS, 0, rng.randrange(1, 9)),),
                rng.choice((rng.randrange(60), rng.randrange(60), LIMIT - 1, (1 << 32) + 1, (1 << 64) - 2)), rng.randrange(2))
    s.do(POST, r)
    s.do(KICK, domain)


def drain(s: Script) -> None:
    for _ in range(80):
        s.do(END, 0, NONE)
    s.do(CHECK)


def full(s: Script) -> None:
    """A table without room, and one that takes more when something was removed."""
    s.do(CREATE, 3, 5)
    for i in range(model.EXTENTS + 1):
        s.do(ADD, 3, 5, Extent(1, SECTORS - 1 - i, 1, READ | SHARED))
    s.do(REMOVE, 3, 5)
    s.do(ADD, 3, 5, Extent(1, 3, 1, READ | SHARED))
    s.do(DESTROY, 3, 5)


def revoke(s: Script, rng: Random, number: int) -> None:
    """What is under way ends where it was to go; what comes then is ruled by the new table."""
    s.do(CREATE, 2, 6)
    s.do(ADD, 2, 6, Extent(0, 7, 8, READ | SHARED))
    for i, sector in enumerate((0, 4)):
        s.do(POST, Request(2, number + i, VBD_READ, (Piece(number % model.BUFFERS, 4 * i, 4),), sector, 6))
    s.do(KICK, 2)
    s.do(REMOVE, 2, 6)
    s.do(ADD, 2, 6, Extent(1, 50, 6, READ | SHARED))
    for i, sector in enumerate((4, 0)):
        s.do(POST, Request(2, number + 2 + i, VBD_READ, (Piece((number + 1) % model.BUFFERS, 4 * i, 4),), sector, 6))
    s.do(KICK, 2)
    s.do(DESTROY, 2, 6)
    drain(s)
    s.do(DESTROY, 2, 6)


def inputs(rng: Random) -> dict:
    s = Script([(SECTORS, 2), (SECTORS, 1)])
    for domain in (1, 2, 3):
        s.vbd(domain, 0)
    full(s)
    number = 0
    for i in range(ROUNDS):
        for _ in range(rng.randrange(1, 6)):
            change(s, rng)
        for _ in range(rng.randrange(6)):
            ask(s, rng, number)
            number += 1
        for _ in range(rng.randrange(4)):
            s.do(END, rng.randrange(4), NONE)
        if i % 4 == 3:
            drain(s)
            revoke(s, rng, number)
            number += 4
    ask(s, rng, number)
    s.do(KILL, 1)
    s.do(CHECK)
    s.do(CREATE, 1, 3)
    s.do(ADD, 1, 0, Extent(0, 0, 1))
    drain(s)
    s.do(ADD, 2, 0, Extent(0, 1, 1, READ | SHARED))
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.follow(EXERCISE, given["script"], seen)
