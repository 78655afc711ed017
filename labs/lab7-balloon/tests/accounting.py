# SPDX-License-Identifier: MIT
"""Judges `accounting`: do the sums hold, whatever was asked?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab7_model as model  # noqa: E402
from lab7_model import DATA, DECREASE, EXCHANGE, INCREASE, SLOTS, Script  # noqa: E402

EXERCISE = "7.4"
encode = model.encode


STEPS = 1000


def one(s: Script, rng: Random) -> None:
    full, empty = sorted(s.full), sorted(set(range(SLOTS)) - s.full)
    match rng.randrange(8):
        case 0:
            s.set_limit(rng.choice((0, s.owned - 1, s.owned, s.owned + 3, s.owned + 20)))
        case 1 | 2 | 3 if empty:
            s.ask(INCREASE, *rng.sample(empty, rng.randrange(1, min(len(empty), 20) + 1)))
        case 4 | 5 if full:
            s.ask(DECREASE, *rng.sample(full, rng.randrange(1, min(len(full), 10) + 1)))
        case 6 | 7 if full:
            s.ask(EXCHANGE, *rng.sample(full, rng.randrange(1, min(len(full), 20) + 1)))


def inputs(rng: Random) -> dict:
    s = Script()
    s.set_limit(SLOTS + 3)
    for op in (INCREASE, DECREASE, EXCHANGE):
        s.line(op, rng.randrange(1, 8), rng.randrange(8, 16))
    for _ in range(STEPS):
        one(s, rng)
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
