# SPDX-License-Identifier: MIT
"""Judges `exchange-fails`: is an exchange that finds no frame none at all?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab7_model as model  # noqa: E402
from lab7_model import DATA, EXCHANGE, NEVER, Script  # noqa: E402

EXERCISE = "7.3"
encode = model.encode


def inputs(rng: Random) -> dict:
    s = Script()
    s.set_limit(rng.choice((0, 5, 31, 32, 1000)))
    for k in rng.sample(range(20), 20):
        s.fail_after(k)
        s.ask(EXCHANGE, *rng.sample(range(DATA), rng.randrange(max(k, 1), DATA)))
        s.fail_after(NEVER)
        s.ask(EXCHANGE, *rng.sample(range(DATA), rng.randrange(1, 20)))
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
