# SPDX-License-Identifier: MIT
"""Judges `register-holds`: is a ring's page held, and as one that is written, from its first moment to its last?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab6_model as model  # noqa: E402
from lab6_model import PAGE, PAGES, PORTS, Script, encode  # noqa: E402,F401

EXERCISE = "6.1"


def use(s: Script, rng: Random, ring: int) -> None:
    for _ in range(rng.randrange(1, 8)):
        s.produce(ring, 1)
        s.take(ring)
        s.respond(ring, [rng.randrange(1000)])


def try_all(s: Script, rng: Random, ring: int, page: int) -> None:
    """What may not happen to a ring's page."""
    steps = [lambda: s.retype(ring, page, rng.random() < 0.5), lambda: s.register_refused(1 - ring, errno.EBUSY, (PAGE, page)),
             lambda: s.register_refused(ring, errno.EEXIST, (PAGE, page)), lambda: use(s, rng, ring)]
    for step in rng.sample(steps, len(steps)):
        step()


def inputs(rng: Random) -> dict:
    s = Script()
    for page in rng.sample(range(PAGES), PAGES):
        ring, gives_up = rng.randrange(2), rng.random() < 0.6
        s.register(ring, page, rng.randrange(PORTS))
        try_all(s, rng, ring, page)
        s.unmap(ring, page)
        try_all(s, rng, ring, page)
        if gives_up:
            s.give_up(ring, page)
            try_all(s, rng, ring, page)
        s.produce(ring, 2)
        s.take(ring)
        s.release(ring)
        s.take(ring)
        s.respond(ring, [1, 2])
        s.release(ring)
        s.release(ring)
        if not gives_up:
            s.retype(ring, page, rng.random() < 0.5)
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
