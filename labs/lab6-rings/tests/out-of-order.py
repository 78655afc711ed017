# SPDX-License-Identifier: MIT
"""Judges `out-of-order`: do answers that come in another order than their requests find the right ones?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab6_consoles as consoles  # noqa: E402
from lab6_consoles import COLLECT, SLEEP, TOO_MUCH, TYPE, Script, Talker, encode  # noqa: E402,F401

EXERCISE = "6.3"
DOMAINS = (Guest("director"), Guest("out-of-order"))


def inputs(rng: Random) -> dict:
    """Requests to read wait for what is typed, others for domain 0's ear, and what is too long for nobody."""
    counts: list[int] = []
    for _ in range(40):
        batch = [0] * 2 + [rng.choice(TOO_MUCH) for _ in range(4)] + [rng.randrange(1, 61) for _ in range(8)]
        rng.shuffle(batch)
        counts += batch
    typed = consoles.text(rng, 400)
    script = Script([typed], [Talker(rng.randrange(1 << 31), tuple(counts))])
    heard = 0
    for _ in range(80):
        # One byte for each request to read: so none is left over that would take a slot for ever.
        script.add(TYPE, 1, 1)
        heard = min(heard + rng.randrange(250), script.talkers[0].written)
        script.add(COLLECT if rng.random() < 0.5 else SLEEP, 1, heard if rng.random() < 0.5 else 100)
    script.finish()
    return {"script": script}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from consoles.judge(EXERCISE, given["script"], seen)
