# SPDX-License-Identifier: MIT
"""Judges `bad-at-k`: is a table with one bad entry refused, and all given back that the others had taken?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    A, D, EMPTY, FOREIGN, G, HOST_SLOT, NEW_BASE, P, PCD, PIN_DIRECTORY, PIN_TABLE, PS, PWT, RAW, RW,
    Script, UNPIN, US, VOID, command, entry,
)

EXERCISE = "3.3"
encode = model.encode

DATA = range(0, 6)
TABLES = range(6, 9)  # with a bad entry that may be one, as many as one call validates
OTHER = 10  # a directory
SUBJECTS = range(11, 20)
GONE = RAW | 0x9000  # a number that no frame of the machine has

BAD_IN_TABLE = (entry(0, P | PS), entry(1, P | RW | G), entry(2, P | PCD), entry(FOREIGN | 4, P), entry(FOREIGN | 5, P | RW),
                entry(VOID, P), entry(VOID | 1, P | RW), entry(GONE, P), entry(TABLES[0], P | RW), entry(OTHER, P | RW))
BAD_IN_DIRECTORY = (entry(TABLES[0], P | PS), entry(TABLES[1], P | RW | G), entry(TABLES[2], P | PWT), entry(FOREIGN | 4, P),
                    entry(VOID, P | RW), entry(GONE, P | RW), entry(OTHER, P | RW), entry(0, P | RW))


def good_table(rng: Random) -> int:
    return entry(rng.choice(DATA), P | rng.choice((0, RW)) | rng.choice((0, US, A, D))) if rng.random() < 0.8 else \
        entry(rng.choice((*TABLES, OTHER)), P)


def good_directory(rng: Random, subject: int) -> int:
    return rng.choice((entry(rng.choice(TABLES), P | RW | US), entry(rng.choice(TABLES), P), entry(subject, P), entry(OTHER, P)))


def case(s: Script, rng: Random, directory: bool, k: int, bad: int) -> None:
    """One page with a bad entry at k: refused twice, and a good table once that entry is gone."""
    subject = rng.choice(SUBJECTS)
    slots = 1008 if directory else 1024
    s.protect(subject, P | RW)
    s.clear(subject)
    for i in {0, slots - 1, *rng.sample(range(slots), 25)}:
        s.store(subject, i, good_directory(rng, subject) if directory else good_table(rng))
    s.store(subject, k, bad)
    s.protect(subject, P)
    pin = command(PIN_DIRECTORY if directory else PIN_TABLE, subject)
    s.call(pin)
    s.counts()
    s.call(command(NEW_BASE, subject) if directory else pin)
    s.counts()
    s.protect(subject, P | RW)
    s.store(subject, k, EMPTY)
    s.protect(subject, P)
    s.call(pin)
    s.counts()
    s.call(command(UNPIN, subject))
    s.counts()


def inputs(rng: Random) -> dict:
    s = Script(20, HOST_SLOT)
    for page in TABLES:  # in use as tables only where a directory names them
        s.store(page, rng.randrange(1024), entry(rng.choice(DATA), P | RW))
        s.store(page, rng.randrange(1024), entry(rng.choice(DATA), P))
        s.protect(page, P)
    s.protect(OTHER, P)
    s.call(command(PIN_DIRECTORY, OTHER))
    rows = [(directory, k) for directory, last in ((False, 1023), (True, 1007)) for k in (0, 1, last // 2, last - 1, last)]
    rows += [(False, rng.randrange(1024)) for _ in range(8)] + [(True, rng.randrange(1008)) for _ in range(8)]
    rows += [(False, 1008), (False, 1015)]
    bad = {False: list(BAD_IN_TABLE) * 3, True: list(BAD_IN_DIRECTORY) * 3}
    for kinds in bad.values():
        rng.shuffle(kinds)
    for directory, k in rows:
        case(s, rng, directory, k, bad[directory].pop())
    for page in SUBJECTS:
        s.protect(page, 0)
        s.give_up(page)
    return {"script": s}

def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
