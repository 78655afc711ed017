# SPDX-License-Identifier: MIT
"""Judges `grow-limit`: is the limit reached, and never passed, whatever it is?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab7_model as model  # noqa: E402
from lab7_model import DATA, INCREASE, OWN, Script  # noqa: E402

EXERCISE = "7.1"
encode = model.encode


def inputs(rng: Random) -> dict:
    s = Script()
    used = DATA
    for room in rng.sample(range(0, 6), 6):
        s.set_limit(s.owned + room)
        asked = rng.randrange(room, room + 4) or 1
        s.ask(INCREASE, *range(used, used + asked))
        used += min(room, asked)
    for limit in (0, 1, OWN - 1, s.owned - 1, s.owned):
        s.set_limit(limit)
        s.ask(INCREASE, *range(used, used + rng.randrange(1, 5)))
    for limit in (0xffffffff, 0xfffffffe, 0x80000000):
        s.set_limit(limit)
        s.ask(INCREASE, used, used + 1)
        used += 2
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
