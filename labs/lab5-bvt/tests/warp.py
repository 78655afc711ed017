# SPDX-License-Identifier: MIT
"""Judges `warp`: is one that may warp woken promptly beside three that spin?

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
from lab5_bound import ALLOWANCE  # noqa: E402
from lab5_wakes import encode  # noqa: E402,F401

EXERCISE = "5.4"
DOMAINS = (Guest("director"), *(Guest("shares") for _ in range(3)), Guest("warp"))
WAKER = 4

COUNT = 40
MILLISECOND = 1_000_000
DELAY = 200_000  # ns: the timer's grain, the switch, the event


def inputs(rng: Random) -> dict:
    spinners = [(d, rng.randrange(128, 512), 0, 0, 0, ALLOWANCE) for d in range(1, WAKER)]
    warp = rng.randrange(50, 500) * MILLISECOND, rng.randrange(20, 50) * MILLISECOND, rng.randrange(20) * MILLISECOND
    return {"domains": len(DOMAINS), **lab5_wakes.moments(rng, COUNT, 2 * MILLISECOND, 4 * MILLISECOND),
            "wishes": [*spinners, (WAKER, 256, *warp, ALLOWANCE)]}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from lab5_wakes.judge(EXERCISE, given, seen, WAKER, DELAY, f"warped, C {ALLOWANCE} ns")
