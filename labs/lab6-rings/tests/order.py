# SPDX-License-Identifier: MIT
"""Judges `order`: are ten thousand requests taken in their order, round and round, each once?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab6_consoles as consoles  # noqa: E402
from lab6_consoles import TOO_MUCH, Script, Talker, encode  # noqa: E402,F401

EXERCISE = "6.2"
DOMAINS = (Guest("director"), Guest("order"))


def inputs(rng: Random) -> dict:
    counts = tuple(rng.choice(TOO_MUCH) if rng.random() < 0.2 else rng.randrange(1, 20) for _ in range(10_000))
    script = Script([b""], [Talker(rng.randrange(1 << 31), counts)])
    script.finish()
    return {"script": script}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from consoles.judge(EXERCISE, given["script"], seen)
