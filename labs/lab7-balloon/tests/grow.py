# SPDX-License-Identifier: MIT
"""Judges `grow`: does a domain get as many frames as it asks for, up to the last one that it may have, and nothing else in them?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab7_model as model  # noqa: E402
from lab7_model import DECREASE, GIVE, GONE, INCREASE, LIMIT_OF, GuestScript  # noqa: E402

EXERCISE = "7.1"
DOMAINS = (Guest("director"), Guest("grow"))
encode = model.encode


def inputs(rng: Random) -> dict:
    s = GuestScript()
    room = rng.randrange(20, 50)
    s.direct(GIVE, 0, 100)
    s.direct(LIMIT_OF, 1, room)
    s.direct(GONE, 1)
    s.set_limit(room)
    used: list[int] = []
    for _ in range(2):
        while s.owned < s.limit - 1:
            n = rng.randrange(1, min(s.limit - 1 - s.owned, 12) + 1)
            empty = [i for i in range(64) if i not in s.full]
            used = empty[:n]
            s.ask(INCREASE, *used)
        # One is left, and three are asked for; then none is.
        empty = [i for i in range(64) if i not in s.full]
        s.ask(INCREASE, *empty[:3])
        s.ask(INCREASE, *empty[1:2])
        s.look()
        s.ask(DECREASE, *rng.sample(sorted(s.full), 10))
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge_guest(EXERCISE, given["script"], seen)
