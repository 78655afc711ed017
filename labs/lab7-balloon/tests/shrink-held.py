# SPDX-License-Identifier: MIT
"""Judges `shrink-held`: does a frame that anybody holds stay, and can it go afterwards?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab7_model as model  # noqa: E402
from lab7_model import DATA, DECREASE, FOREIGN, FREE, HOLDS, MACHINE, RAW, Script  # noqa: E402

EXERCISE = "7.2"
encode = model.encode


def inputs(rng: Random) -> dict:
    s = Script()
    slots = rng.sample(range(DATA), DATA)
    for how in rng.sample(HOLDS, len(HOLDS)):
        slot, before, after = slots.pop(), slots.pop(), slots.pop()
        s.hold(how, slot)
        s.ask(DECREASE, slot)
        s.ask(DECREASE, before, slot, after)
        s.let_go(how, slot)
        s.ask(DECREASE, slot, after)
    for stranger in (FOREIGN | 4, FREE, MACHINE, RAW | 200, RAW | 0xfffff, RAW | 0xfffffff):
        s.ask(DECREASE, stranger)
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
