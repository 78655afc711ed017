# SPDX-License-Identifier: MIT
"""Judges `exchange`: does each exchange give another frame of zeros in the place of the old one?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab7_model as model  # noqa: E402
from lab7_model import EXCHANGE, GIVE, GONE, LIMIT_OF, GuestScript  # noqa: E402

EXERCISE = "7.3"
DOMAINS = (Guest("director"), Guest("exchange"))
encode = model.encode


def inputs(rng: Random) -> dict:
    s = GuestScript(data=40)
    s.direct(GIVE, 0, 50)
    s.direct(LIMIT_OF, 1, -1)
    s.direct(GONE, 1)
    s.set_limit(-1 & 0xffffffff)
    s.limit = -1  # no room for one more: an exchange needs none
    for _ in range(10):
        s.ask(EXCHANGE, *rng.sample(sorted(s.full), rng.randrange(1, 20)))
        s.look()
    return {"script": s}



def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge_guest(EXERCISE, given["script"], seen)
