# SPDX-License-Identifier: MIT
"""Judges `index-wrap`: do rings go on when their indices have come to the end of 32 bits?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab6_model as model  # noqa: E402
from lab6_model import SLOTS, Script, encode  # noqa: E402,F401

EXERCISE = "6.2"
START = 0xfffffffb  # as the program is built


def inputs(rng: Random) -> dict:
    s = Script(start=START)
    for ring in range(3):
        s.register(ring, ring, 0)
    # A step at a time over the end first, then at random.
    for _ in range(2 * SLOTS):
        s.produce(0, 1)
        s.more(0)
        s.take(0)
        s.take(0)
        s.threshold(0, 1)
        s.respond(0, [rng.randrange(100)])
        s.more(0)
    for _ in range(400):
        ring = rng.randrange(1, 3)
        r = s.rings[ring]
        s.produce(ring, rng.randrange(SLOTS - (r.made - r.answered) + 1))
        for _ in range(rng.randrange(SLOTS)):
            s.take(ring)
        s.threshold(ring, rng.randrange(SLOTS))
        s.respond(ring, [rng.randrange(100) for _ in range(rng.randrange(r.taken - r.answered + 1))])
        s.more(ring)
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
