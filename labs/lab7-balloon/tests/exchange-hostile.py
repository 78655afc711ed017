# SPDX-License-Identifier: MIT
"""Judges `exchange-hostile`: is only what nobody holds exchanged, and each frame once?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab7_model as model  # noqa: E402
from lab7_model import DATA, DECREASE, EXCHANGE, FOREIGN, FREE, HOLDS, MACHINE, RAW, Script  # noqa: E402

EXERCISE = "7.3"
encode = model.encode


def inputs(rng: Random) -> dict:
    s = Script()
    slots = rng.sample(range(DATA), DATA)
    for how in rng.sample(HOLDS, len(HOLDS)):
        slot, before, after = slots.pop(), slots.pop(), slots.pop()
        s.hold(how, slot)
        s.ask(EXCHANGE, slot)
        s.ask(EXCHANGE, before, slot, after)
        s.let_go(how, slot)
        s.ask(EXCHANGE, slot, slot)
        s.ask(EXCHANGE, before, after)
    for stranger in (FOREIGN | 4, FREE, MACHINE, RAW | 200, RAW | 0xfffff, RAW | 0xfffffff):
        if stranger != FREE:  # which frame that is depends on what the one before got
            s.ask(EXCHANGE, slots[0], stranger, slots[1])
        s.ask(EXCHANGE, stranger)
    s.ask(DECREASE, *slots[:3])
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
