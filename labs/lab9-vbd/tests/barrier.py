# SPDX-License-Identifier: MIT
"""Judges `barrier`: does nothing pass a barrier of its domain, and does nobody else wait for it?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab9_disks as model  # noqa: E402
from lab9_disks import (  # noqa: E402
    END, KICK, NONE, POST, VBD_BARRIER, VBD_READ, VBD_WRITE, Extent, Piece, Request, Script,
)

EXERCISE = "9.3"
encode = model.encode
STEPS = 1200
MOST = 30  # requests that are not done


def request(rng: Random, number: int) -> Request:
    op = rng.choice((VBD_WRITE | VBD_BARRIER, VBD_WRITE, VBD_WRITE, VBD_READ))
    piece = Piece(number // 8 % model.BUFFERS, number % 8, 1)
    return Request(rng.randrange(1, 4), number, op, (piece,), rng.randrange(200))


def alone(s: Script) -> int:
    """Barriers with nothing before them, of each domain."""
    for domain in (1, 2, 3):
        s.do(POST, Request(domain, domain, VBD_WRITE | VBD_BARRIER, (Piece(0, domain, 1),), 5))
        s.do(KICK, domain)
    for _ in range(3):
        s.do(END, 0, NONE)
    return 4


def inputs(rng: Random) -> dict:
    s = Script([(1000, rng.randrange(2, 5)), (1000, rng.randrange(1, 4))])
    for domain in (1, 2, 3):
        s.vbd(domain, 0, Extent(0, 100 * domain, 100), Extent(1, 500 - 100 * domain, 100))
    number, open_ = alone(s), 0
    for _ in range(STEPS):
        if open_ < MOST and rng.random() < 0.5:
            r = request(rng, number)
            number, open_ = number + 1, open_ + 1
            s.do(POST, r)
            s.do(KICK, r.domain)
        elif open_:
            s.do(END, rng.randrange(8), NONE)
            open_ -= 1
    for _ in range(open_):
        s.do(END, rng.randrange(8), NONE)
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.follow(EXERCISE, given["script"], seen, order=True)
