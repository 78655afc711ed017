# SPDX-License-Identifier: MIT
"""Judges `wake-latency`: does one that wakes run when the other has used up its allowance, and no later?

Time is the time stamp counter, which QEMU makes of the number of executed instructions.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab5_wakes  # noqa: E402
from lab5_wakes import encode  # noqa: E402,F401

EXERCISE = "5.2"
DOMAINS = (Guest("director"), Guest("shares"), Guest("wake-latency"))
WAKER = 2

COUNT = 40
DELAY = 200_000  # ns: the timer's grain, the shortest slice, the switch, the event


def inputs(rng: Random) -> dict:
    c = rng.randrange(700_000, 1_000_000)
    return {"domains": len(DOMAINS), **lab5_wakes.moments(rng, COUNT, 2_000_000, 4_000_000), "c": c,
            "wishes": [(1, rng.randrange(100, 500), 0, 0, 0, c), (WAKER, rng.randrange(100, 500), 0, 0, 0, c)]}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from lab5_wakes.judge(EXERCISE, given, seen, WAKER, given["c"] + DELAY, f"C {given['c']} ns")
