# SPDX-License-Identifier: MIT
"""Judges `maps`: do both maps agree, whatever was taken, given back and exchanged?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab7_model as model  # noqa: E402
from lab7_model import DECREASE, EXCHANGE, GIVE, GONE, INCREASE, LIMIT_OF, SLOTS, GuestScript  # noqa: E402

EXERCISE = "7.4"
DOMAINS = (Guest("director"), Guest("maps"))
encode = model.encode


def inputs(rng: Random) -> dict:
    s = GuestScript(data=30)
    room = rng.randrange(10, 25)
    s.direct(GIVE, 0, 50)
    s.direct(LIMIT_OF, 1, room)
    s.direct(GONE, 1)
    s.set_limit(room)
    for i in range(60):
        full, empty = sorted(s.full), sorted(set(range(SLOTS)) - s.full)
        op = rng.choice((INCREASE, DECREASE, EXCHANGE))
        names = rng.sample(empty if op == INCREASE else full, min(rng.randrange(1, 12), len(empty if op == INCREASE else full)))
        if names:
            s.ask(op, *names)
        if i % 5 == 0:
            s.look()
    s.look()
    return {"script": s}



def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge_guest(EXERCISE, given["script"], seen)
