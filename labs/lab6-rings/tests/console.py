# SPDX-License-Identifier: MIT
"""Judges `console`: does what a domain writes come to domain 0, and what is typed to the domain, byte for byte?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab6_consoles as consoles  # noqa: E402
from lab6_consoles import COLLECT, SLEEP, TYPE, Script, Talker, encode  # noqa: E402,F401

EXERCISE = "6.4"
DOMAINS = (Guest("director"), Guest("console"))


def inputs(rng: Random) -> dict:
    typed = consoles.text(rng, rng.randrange(800, 1200))
    counts = [rng.choice((rng.randrange(1, 61), rng.randrange(1, 4), 60)) for _ in range(200)]
    for _ in range(6):
        counts.insert(rng.randrange(30), 0)
    script = Script([typed], [Talker(rng.randrange(1 << 31), tuple(counts))])
    heard, ahead = 0, consoles.TYPED_AHEAD
    for _ in range(20):
        heard = min(heard + rng.randrange(300), script.talkers[0].written)
        script.add(COLLECT, 1, heard)
        script.add(SLEEP, 0, rng.randrange(50, 500))
        piece = rng.randrange(min(ahead, 40) + 1)
        ahead -= piece
        script.add(TYPE, 1, piece)
    script.finish()
    return {"script": script}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from consoles.judge(EXERCISE, given["script"], seen)
