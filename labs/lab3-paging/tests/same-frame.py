# SPDX-License-Identifier: MIT
"""Judges `same-frame`: is an entry counted anew exactly when its frame or its right to write changes?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    A, EMPTY, FOREIGN, G, HOST_SLOT, OWN, P, PIN_DIRECTORY, PIN_TABLE, PS, RAW, RW, Script, US, VOID,
    command, entry, write,
)

EXERCISE = "3.4"
encode = model.encode

TABLE_A, TABLE_B, DIRECTORY_A, DIRECTORY_B, DATA, OTHER = range(6)
GONE = RAW | 0x9000  # a number that no frame of the machine has

# Where an entry lies, and what it names: of a page table and of a directory.
KINDS = ((TABLE_A, DATA), (TABLE_A, TABLE_B), (TABLE_A, TABLE_A), (TABLE_A, DIRECTORY_A), (DIRECTORY_A, TABLE_B),
         (DIRECTORY_A, DIRECTORY_A), (DIRECTORY_A, DIRECTORY_B))
REFUSED = (entry(FOREIGN | 4, P), entry(FOREIGN | 4, P | RW), entry(VOID, P), entry(GONE, P), entry(GONE, P | RW),
           entry(DATA, P | PS), entry(DATA, P | RW | G), entry(DIRECTORY_B, P | RW))


def look(s: Script, page: int) -> None:
    """The entry as it is now, and all counts."""
    s.read(page, OWN)
    s.counts()


def flags(s: Script, rng: Random, at: int, to: int) -> None:
    """From each good entry, each flag alone."""
    starts = [entry(to, P), entry(to, P | US | A), entry(to, P | RW), entry(to, P | RW | 0x200)]
    for start in starts:
        if not s.call(write(at, 0, start)):
            continue
        bits = [1 << bit for bit in range(1, 12)]
        for bit in rng.sample(bits, len(bits)):
            if s.call(write(at, 0, start ^ bit)):
                look(s, at)
                s.call(write(at, 0, start))
            look(s, at)
        s.call(write(at, 0, start & ~P))  # the same frame, and no entry any more
        look(s, at)


def refused(s: Script, at: int, to: int) -> None:
    """What is refused leaves the old entry as it was, and what it holds."""
    if not s.call(write(at, 0, entry(to, P | RW))):
        s.call(write(at, 0, entry(to, P)))
    for new in REFUSED:
        if s.call(write(at, 0, new)):
            s.call(write(at, 0, entry(to, P)))
        look(s, at)
    s.call(write(at, 0, EMPTY))
    look(s, at)


def inputs(rng: Random) -> dict:
    s = Script(6, HOST_SLOT)
    for page in (TABLE_A, TABLE_B, DIRECTORY_A, DIRECTORY_B):
        s.protect(page, P)
    s.call(command(PIN_TABLE, TABLE_A), command(PIN_TABLE, TABLE_B), command(PIN_DIRECTORY, DIRECTORY_A),
           command(PIN_DIRECTORY, DIRECTORY_B))
    s.protect(DATA, P)
    for at, to in rng.sample(KINDS, len(KINDS)):
        flags(s, rng, at, to)
        refused(s, at, to)
    return {"script": s}

def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
