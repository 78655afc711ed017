# SPDX-License-Identifier: MIT
"""Judges `linear`: which directories may name themselves and each other, and where?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    A, EMPTY, FLUSH, FOREIGN, G, NEW_BASE, P, PCD, PIN_DIRECTORY, PIN_TABLE, PS, PWT, RAW, RW, Script,
    UNPIN, US, VOID, command, entry, raw, write,
)

EXERCISE = "3.3"
encode = model.encode
DOMAINS = (Guest("neighbour", args="rounds=400"), Guest("linear"))

LOADED, OTHER, THIRD, TABLE, SUBJECT, DATA = range(6)
GONE = RAW | 0x9000  # a number that no frame of the machine has
EDGES = (0, 1, 500, 1006, 1007, 1008, 1015, 1022, 1023)
FORBIDDEN = (PS, G, PWT, PCD, PS | G)


def directory(s: Script, page: int) -> None:
    s.clone(page)
    s.protect(page, P)
    s.call(command(PIN_DIRECTORY, page))


def sweeps(s: Script, rng: Random) -> None:
    """Each kind of entry in each slot of the directory that is loaded."""
    kinds = [entry(LOADED, P), entry(LOADED, P | US | A), entry(LOADED, P | RW), entry(OTHER, P), entry(OTHER, P | RW),
             entry(TABLE, P | RW | US), entry(TABLE, P), entry(FOREIGN | 3, P), entry(FOREIGN | 5, P | RW), entry(VOID, P),
             entry(GONE, P), entry(DATA, P | RW)]
    for bits in FORBIDDEN:
        kinds += [entry(rng.choice((LOADED, OTHER, TABLE)), P | bits), entry(rng.choice((LOADED, OTHER, TABLE)), P | RW | bits)]
    rng.shuffle(kinds)
    for kind in kinds:
        s.sweep(LOADED, kind)
    s.compare(LOADED)


def live(s: Script, rng: Random) -> None:
    """Looks through linear entries, and tries to write through them."""
    own, other = rng.sample(range(1, 700), 2)
    s.call(write(OTHER, 7, entry(TABLE, P | RW | US)))
    s.call(write(LOADED, own, entry(LOADED, P)), write(LOADED, other, entry(OTHER, P)), command(FLUSH))
    for at in (own << 22 | own << 12 | 4 * own, own << 22 | own << 12 | 4 * other, own << 22 | other << 12 | 4 * 7,
               other << 22 | 7 << 12 | 4 * 9, other << 22 | 7 << 12):
        s.read(at)
        s.write(at, raw(0))
    for flags in (P | RW, P | PS, P | RW | PS, P | G, P | US, P | A, P):
        s.call(write(LOADED, own, entry(LOADED, flags)))
        s.call(write(LOADED, other, entry(OTHER, flags)))
        s.call(write(OTHER, 7, entry(TABLE, flags)))
    for third in (entry(THIRD, P), entry(LOADED, P)):  # one that maps others is mapped by no third
        s.call(write(OTHER, 9, third))
    s.call(write(THIRD, 9, entry(LOADED, P)))
    s.call(write(THIRD, 9, entry(OTHER, P)))
    s.write(own << 22 | own << 12 | 4 * own, entry(LOADED, P | RW))
    s.call(write(THIRD, 9, EMPTY), write(LOADED, own, EMPTY), write(LOADED, other, EMPTY), write(OTHER, 7, EMPTY), command(FLUSH))


def pins(s: Script, rng: Random) -> None:
    """Directories that hold such entries before they are ones."""
    kinds = [entry(SUBJECT, P), entry(SUBJECT, P | RW), entry(SUBJECT, P | PS), entry(OTHER, P), entry(OTHER, P | RW),
             entry(FOREIGN | 1, P), entry(TABLE, P | RW | PS), entry(TABLE, P | PCD), entry(GONE, P), entry(VOID | 1, P | RW)]
    for kind in kinds:
        for slot in rng.sample(EDGES, 4):
            s.store(SUBJECT, slot, kind)
            s.protect(SUBJECT, P)
            if s.call(command(PIN_DIRECTORY, SUBJECT)):
                s.compare(SUBJECT)
                s.call(command(UNPIN, SUBJECT))
            s.protect(SUBJECT, P | RW)
            s.store(SUBJECT, slot, EMPTY)


def inputs(rng: Random) -> dict:
    s = Script(6)
    for page in (LOADED, OTHER, THIRD):
        directory(s, page)
    s.store(TABLE, 9, entry(DATA, P))
    s.protect(TABLE, P)
    s.call(command(PIN_TABLE, TABLE), command(NEW_BASE, LOADED))
    sweeps(s, rng)
    live(s, rng)
    pins(s, rng)
    s.compare(LOADED)
    s.compare(OTHER)
    return {"script": s}

def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen, domain=1)
    yield from model.judge_neighbour(EXERCISE, seen, outside)
