# SPDX-License-Identifier: MIT
"""Judges `tables`: does an address space show what its tables say, and only what they may say?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    A, D, DIRECTORY0, EMPTY, G, NEW_BASE, P, PCD, PIN_DIRECTORY, PS, PWT, RAW, RW, Script, UNPIN, US, VOID,
    command, entry, raw, write,
)

EXERCISE = "3.3"
encode = model.encode

DIRECTORY = 0
TABLES = range(1, 5)
DATA = range(5, 24)
GONE = RAW | 0x9000  # a number that no frame of the machine has

# What no entry of a page table may say, and one that it may after all.
BAD = (entry(5, P | PS), entry(5, P | RW | G), entry(5, P | PWT), entry(5, P | PCD), entry(VOID, P), entry(VOID | 9, P | RW),
       entry(GONE, P), entry(GONE, P | RW), entry(DIRECTORY0, P | RW), entry(TABLES[0], P | RW), entry(GONE, RW | PS))


def fill(s: Script, rng: Random, page: int) -> list[int]:
    """A page of good entries; the indices."""
    indices = rng.sample(range(1024), 12)
    if rng.random() < 0.5:
        indices[0] = rng.choice((0, 1023))
    for i in dict.fromkeys(indices):
        flags = P | rng.choice((0, RW)) | rng.choice((0, US)) | rng.choice((0, A | D)) | rng.choice((0, 0x200, 0xe00))
        s.store(page, i, entry(rng.choice(DATA), flags))
    s.store(page, (indices[0] + 1) % 1024, entry(rng.choice((*TABLES, DIRECTORY)), P))  # to look at, not to write
    return [*indices, (indices[0] + 1) % 1024]


def space(s: Script, rng: Random) -> None:
    """Builds an address space, with one bad entry at first; touches all of it; takes it down."""
    tables = rng.sample(TABLES, rng.randrange(1, len(TABLES) + 1))
    slots = rng.sample(range(1, 700), len(tables))
    s.clone(DIRECTORY)
    used = {}
    for slot, page in zip(slots, tables, strict=True):
        used[slot] = fill(s, rng, page)
        s.store(DIRECTORY, slot, entry(page, P | rng.choice((RW, RW, 0)) | US))
    bad, at = rng.choice(tables), rng.choice((0, 1023, rng.randrange(1024)))
    good = s.model.frames[bad].words.get(at, EMPTY)
    s.store(bad, at, rng.choice(BAD))
    for page in (DIRECTORY, *tables):
        s.protect(page, P)
    if not s.call(command(PIN_DIRECTORY, DIRECTORY)):
        s.protect(bad, P | RW)
        s.store(bad, at, good)
        s.protect(bad, P)
        s.call(command(PIN_DIRECTORY, DIRECTORY))
    s.call(command(NEW_BASE, DIRECTORY))
    for slot, indices in used.items():
        for i in indices:
            s.read(slot << 22 | i << 12)
            s.write(slot << 22 | i << 12 | 4 * rng.randrange(1, 1024), raw(rng.randrange(1 << 32)))
        s.read(slot << 22 | rng.randrange(1024) << 12)
    s.call(command(NEW_BASE, DIRECTORY0), command(UNPIN, DIRECTORY))
    for page in (DIRECTORY, *tables):
        s.protect(page, P | RW)
        s.clear(page)


def inputs(rng: Random) -> dict:
    s = Script(24)
    for page in DATA:
        s.store(page, 0, raw(rng.randrange(1 << 32)))
    for _ in range(5):
        space(s, rng)
    return {"script": s}

def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
