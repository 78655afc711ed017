# SPDX-License-Identifier: MIT
"""Judges `suppress`: is each guest told once when its own threshold is passed, and at no other time?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab6_model as model  # noqa: E402
from lab6_model import SLOTS, Script, encode  # noqa: E402,F401

EXERCISE = "6.3"


def inputs(rng: Random) -> dict:
    s = Script()
    for ring in range(2):
        s.register(ring, ring, ring)
    for _ in range(400):
        ring = rng.randrange(2)
        r = s.rings[ring]
        s.produce(ring, rng.randrange(SLOTS - (r.made - r.answered) + 1))
        while r.taken != r.made:
            s.take(ring)
        if rng.random() < 0.7:
            s.threshold(ring, rng.choice((*range(SLOTS + 2), 0x80000000, -1)))
        s.respond(ring, [rng.randrange(100) for _ in range(rng.randrange(r.taken - r.answered + 1))])
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
