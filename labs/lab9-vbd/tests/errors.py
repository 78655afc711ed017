# SPDX-License-Identifier: MIT
"""Judges `errors`: one answer after the last piece, with the error if there was one, and nothing held for what was refused?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab9_disks as model  # noqa: E402
from lab9_disks import (  # noqa: E402
    CHECK, END, FOREIGN, KICK, NONE, PAGE, POST, RAW, VBD_READ, VBD_WRITE, Extent, Piece, Request, Script,
)

EXERCISE = "9.5"
encode = model.encode
ROUNDS = 40
ENDS = 24  # more than one request can have transfers


def pieces(rng: Random, most: int) -> tuple[Piece, ...]:
    """Up to @most, in buffers of their own."""
    out = []
    for frame in rng.sample(range(model.BUFFERS), rng.randrange(1, most + 1)):
        first = rng.randrange(8)
        out.append(Piece(frame, first, rng.randrange(1, 9 - first)))
    return tuple(out)


def spoil(rng: Random, r: Request) -> None:
    """Makes a request that is to be refused for one of its pieces, or for what it says of them."""
    k = rng.randrange(len(r.pieces))
    p = r.pieces[k]
    bad = rng.choice((Piece(FOREIGN | 5, 0, 1), Piece(RAW | 0xfffff, 0, 1),
                      Piece(p.frame, p.first, 0), Piece(p.frame, 7, 2), Piece(p.frame, 8, 1), Piece(p.frame, 0, 9),
                      Piece(p.frame, 15, 1), Piece(p.frame, 1, 15), Piece(p.frame, 0, 1, reserved=1)))
    if r.op == VBD_READ and rng.random() < 0.4:
        bad = Piece(PAGE | rng.randrange(2), 0, 1)  # its page directory, its page table
    if rng.random() < 0.2:
        r.claimed = rng.choice((0, model.PIECES + 1, 255))
    else:
        r.pieces = (*r.pieces[:k], bad, *r.pieces[k + 1:])


def real(extents: list[Extent], sector: int) -> int:
    for e in extents:
        if sector < e.count:
            return e.first + sector
        sector -= e.count
    raise ValueError


def inputs(rng: Random) -> dict:
    s = Script([(2000, rng.randrange(1, 5)), (2000, rng.randrange(1, 5))])
    # No number is a sector of both disks: what fails is known by it.
    extents = [Extent(i % 2, 100 * i + rng.randrange(50), rng.randrange(3, 9)) for i in range(16)]
    size = sum(e.count for e in extents)
    s.vbd(1, 0, *extents)
    s.vbd(2, 0, Extent(0, 1990, 10))
    for i in range(ROUNDS):
        r = Request(1, 3 * i, rng.choice((VBD_READ, VBD_WRITE)), pieces(rng, model.PIECES), 0)
        count = sum(p.count for p in r.pieces)
        r.sector = rng.randrange(size + 1 - min(count, size))
        bad = real(extents, r.sector + rng.randrange(min(count, size))) if rng.random() < 0.7 else NONE
        wrong = Request(1, 3 * i + 1, rng.choice((VBD_READ, VBD_WRITE)), pieces(rng, model.PIECES), 0)
        spoil(rng, wrong)
        other = Request(2, 3 * i + 2, VBD_WRITE, (Piece(i % model.BUFFERS, 0, 2),), rng.randrange(9))
        for q in rng.sample((r, wrong, other), 3):
            s.do(POST, q)
            s.do(KICK, q.domain)
        s.do(CHECK)
        for _ in range(ENDS):
            s.do(END, rng.randrange(8), bad)
        s.do(CHECK)
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.follow(EXERCISE, given["script"], seen)
