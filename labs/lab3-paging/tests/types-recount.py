# SPDX-License-Identifier: MIT
"""Judges `types-recount`: do the counts stay what the tables, pins and bases say, over very many steps?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    DIRECTORY, DIRECTORY0, EMPTY, HOST_SLOT, P, RW, TABLE, TABLES0, US, Model, Unspecified, entry,
)

EXERCISE = "3.2"
PAGES = 10
STEPS = 100_000
EACH = 500
SLOTS = (0, 1, 2, 3, 255, 300, 511, 512, 700, 1005, 1006, 1007, 1008, 1015, 1022, 1023)
WRITE, CLEAR, PIN_TABLE, PIN_DIRECTORY, UNPIN, BASE, BASE_FIRST, OWN_ADDRESS, ZERO = range(9)
OFTEN = (WRITE,) * 9 + (CLEAR,) * 4 + (PIN_TABLE, PIN_TABLE, PIN_DIRECTORY, PIN_DIRECTORY, UNPIN, UNPIN, UNPIN, BASE, BASE_FIRST,
                                       OWN_ADDRESS, OWN_ADDRESS, OWN_ADDRESS, ZERO)
FLAGS = (P, P, P | RW, P | RW, P | RW | US, P | 0x200, RW, P | 0x80)


def take_step(m: Model, what: int, page: int, other: int, slot: int, flags: int) -> frozenset[int]:
    value = entry(other, flags)
    match what:
        case 0:
            return m.attempt(m.write_entry, page, slot, value)
        case 1:
            return m.attempt(m.write_entry, page, slot, EMPTY)
        case 2 | 3:
            return m.attempt(m.pin, page, TABLE if what == PIN_TABLE else DIRECTORY)
        case 4:
            return m.attempt(m.unpin, page)
        case 5 | 6:
            return m.attempt(m.new_base, page if what == BASE else DIRECTORY0)
        case 7:
            return m.attempt(m.write_entry, TABLES0, page, entry(page, flags) if flags & P else EMPTY)
        case _:
            m.frames[page].words = {}
            return model.DONE


def possible(m: Model, what: int, page: int) -> bool:
    """Nobody stores into a table."""
    return what != ZERO or not m.frames[page].valid


def inputs(rng: Random) -> dict:
    m = Model(PAGES, HOST_SLOT)
    words, answers, counts = [], [], []
    while len(words) < STEPS:
        bits = rng.getrandbits(40)  # drawn at once, as there are so many
        what, page, other = OFTEN[(bits & 0xff) % len(OFTEN)], (bits >> 8 & 0xff) % PAGES, (bits >> 16 & 0xff) % PAGES
        slot, flags = bits >> 24 & 15, FLAGS[bits >> 28 & 7]
        if not possible(m, what, page):
            continue
        try:
            answers.append(take_step(m, what, page, other, SLOTS[slot], flags))
        except Unspecified:
            continue
        words.append(what | page << 4 | other << 8 | slot << 12 | flags << 16)
        if len(words) % EACH == 0:
            counts.append(tuple((f.refs, f.uses, f.valid | f.pinned << 1) for f in (m.frames[i] for i in range(PAGES))))
    return {"words": words, "answers": answers, "counts": counts}


def encode(given: dict) -> bytes:
    return observe.encode((PAGES, EACH, SLOTS, given["words"]))


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    answers = seen.one("answers").bytes
    wrong = len(answers)
    for i, want in enumerate(given["answers"]):
        got = int.from_bytes(answers[i:i + 1], "little", signed=True)
        if got not in (want or (0,)):
            word = given["words"][i]
            yield Finding(EXERCISE, f"step {i}: kind {word & 15}, pages {word >> 4 & 15} and {word >> 8 & 15}, "
                          f"slot {SLOTS[word >> 12 & 15]}, flags {word >> 16:#x}", model.shown(want or 0), got)
            wrong = i
            break
    for i, want in enumerate(given["counts"]):
        if (i + 1) * EACH > wrong:
            return
        found = list(model.judge_counts(EXERCISE, f"after {(i + 1) * EACH} steps", want, seen.one("counts", i).bytes,
                                        seen.one("audit", i).text))
        yield from found
        if found:
            return
