# SPDX-License-Identifier: MIT
"""Judges `bases`: does the processor use the address space that was asked for, as long as it is there?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    A, DIRECTORY0, EMPTY, NEW_BASE, P, PIN_DIRECTORY, PIN_TABLE, RAW, RW, Script, UNPIN, US, VOID, command,
    entry, raw, write,
)

EXERCISE = "3.5"
encode = model.encode

DIRECTORIES = range(0, 8)
TABLES = range(8, 16)
DATA = range(16, 24)
MANY = range(24, 41)  # one more than a call may make valid
BIG = 41
SLOT = 300
AT = SLOT << 22 | 0x5000
GONE = RAW | 0x9000  # a number that no frame of the machine has


def build(s: Script, i: int) -> None:
    """Directory i shows page i of the data at AT."""
    s.clone(DIRECTORIES[i])
    s.store(TABLES[i], 5, entry(DATA[i], P | RW))
    s.store(DIRECTORIES[i], SLOT, entry(TABLES[i], P | RW | US))
    s.protect(TABLES[i], P)
    s.protect(DIRECTORIES[i], P)


def free(s: Script, i: int) -> None:
    """What is no table any more can be written: its own address first, then its words."""
    for page in (DIRECTORIES[i], TABLES[i]):
        s.protect(page, P | RW)
        s.store(page, 1000, raw(0))
        s.clear(page)


def step(s: Script, rng: Random, count: int) -> None:
    i = rng.randrange(count)
    page = DIRECTORIES[i]
    frame = s.model.frames[page]
    match rng.randrange(6):
        case 0:
            if not frame.valid and not s.model.frames[TABLES[i]].valid and not frame.words:
                build(s, i)
            s.call(command(PIN_DIRECTORY, page))
        case 1 | 2 | 3:
            if frame.words:
                s.call(command(NEW_BASE, page))
        case 4:
            s.call(command(UNPIN, page))
        case _:
            s.call(command(NEW_BASE, rng.choice((DIRECTORY0, TABLES[0], DATA[0], VOID, GONE))))
    if s.model.base != DIRECTORY0:
        s.read(AT)
        s.write(AT + 8, raw(rng.randrange(1 << 32)))
    elif rng.random() < 0.5:
        s.read(AT)
    for i in range(count):
        if s.model.frames[DIRECTORIES[i]].words and not s.model.frames[DIRECTORIES[i]].valid and rng.random() < 0.3:
            free(s, i)


def many(s: Script) -> None:
    """A directory of more tables than one call makes valid or gives back."""
    s.clone(BIG)
    for i, page in enumerate(MANY):
        s.store(BIG, 10 + i, entry(page, P | RW))
        s.protect(page, P)
    s.protect(BIG, P)
    s.call(command(PIN_DIRECTORY, BIG))
    s.call(command(NEW_BASE, BIG))
    s.call(command(PIN_TABLE, MANY[3]), command(PIN_DIRECTORY, BIG), command(UNPIN, MANY[3]))
    s.call(command(UNPIN, BIG))
    s.call(command(NEW_BASE, BIG), command(UNPIN, BIG))
    s.call(command(NEW_BASE, DIRECTORY0))
    s.call(write(BIG, 10, EMPTY))
    s.call(command(NEW_BASE, DIRECTORY0))
    for page in (*MANY, BIG):
        s.protect(page, P | RW)


def inputs(rng: Random) -> dict:
    s = Script(42)
    for page in DATA:
        s.store(page, 0, raw(rng.randrange(1 << 32)))
    count = rng.randrange(2, 9)
    for i in range(count):
        build(s, i)
        s.call(command(PIN_DIRECTORY, DIRECTORIES[i]))
    for _ in range(120):
        step(s, rng, count)
    s.call(command(NEW_BASE, DIRECTORY0))
    many(s)
    return {"script": s}

def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
