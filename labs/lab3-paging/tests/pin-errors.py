# SPDX-License-Identifier: MIT
"""Judges `pin-errors`: does a refused pin or base leave everything as it was, and is the loaded base always a good one?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    DIRECTORY0, EMPTY, FOREIGN, HOST_SLOT, NEW_BASE, P, PIN_DIRECTORY, PIN_TABLE, PS, RAW, RW, SLOTS, Script,
    UNPIN, VOID, command, entry, write,
)

EXERCISE = "3.5"
encode = model.encode

TABLE, DIRECTORY, BAD_TABLE, BAD_DIRECTORY, DATA, NAMED, TOGGLED = range(7)
BASES = range(7, 10)
GONE = RAW | 0x9000  # a number that no frame of the machine has
TIMES = 10

WRONG = [command(pin, page) for pin in (PIN_TABLE, PIN_DIRECTORY)
         for page in (TABLE, DIRECTORY, BAD_TABLE, BAD_DIRECTORY, DATA, FOREIGN | 4, VOID, GONE)]
WRONG += [command(PIN_DIRECTORY, NAMED)]
WRONG += [command(UNPIN, page) for page in (DATA, NAMED, BAD_TABLE, FOREIGN | 4, VOID, GONE)]
WRONG += [command(NEW_BASE, page) for page in (TABLE, BAD_TABLE, BAD_DIRECTORY, DATA, NAMED, FOREIGN | 4, VOID, GONE)]


def wrong(s: Script, rng: Random) -> None:
    for request in rng.sample(WRONG, len(WRONG)):
        for _ in range(TIMES):
            s.call(request)
        s.counts()


def bases(s: Script, rng: Random) -> None:
    """Directories that nothing but the processor holds: they go when it leaves them."""
    for page in BASES:
        s.clone(page)
        s.protect(page, P)
    for _ in range(12):
        page = rng.choice(BASES)
        s.call(command(PIN_DIRECTORY, page))
        s.call(command(NEW_BASE, page))
        s.call(command(UNPIN, page))
        s.call(command(NEW_BASE, rng.choice((DATA, FOREIGN | 3, page))))
        s.counts()
    s.call(command(NEW_BASE, DIRECTORY0))
    s.counts()


def inputs(rng: Random) -> dict:
    s = Script(10, HOST_SLOT)
    s.store(BAD_TABLE, rng.randrange(SLOTS), entry(FOREIGN | 2, P))  # bad as a directory, too
    s.store(BAD_DIRECTORY, rng.randrange(SLOTS), entry(TABLE, P | RW | PS))
    for page in (TABLE, DIRECTORY, BAD_TABLE, BAD_DIRECTORY, NAMED):
        s.protect(page, P)
    s.call(command(PIN_TABLE, TABLE), command(PIN_DIRECTORY, DIRECTORY), write(DIRECTORY, 4, entry(NAMED, P | RW)))
    wrong(s, rng)
    bases(s, rng)
    wrong(s, rng)
    for _ in range(TIMES):
        s.call(command(PIN_TABLE, NAMED))
        s.call(command(UNPIN, NAMED))
    s.counts()
    s.call(write(DIRECTORY, 4, EMPTY), command(UNPIN, TABLE), command(UNPIN, DIRECTORY))
    for page in range(10):
        s.protect(page, 0)
        s.give_up(page)
    return {"script": s}

def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
    got = seen.one("watched")
    if got.calls == 0 or got.bad:
        yield Finding(EXERCISE, "moments at which the processor used a directory that was none any more", 0, got.bad)

