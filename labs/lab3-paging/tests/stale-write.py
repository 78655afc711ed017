# SPDX-License-Identifier: MIT
"""Judges `stale-write`: can a page that has become a table be written through an address that was writable once?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    DIRECTORY0, EMPTY, FLUSH, NEW_BASE, P, PIN_DIRECTORY, PIN_TABLE, RW, Script, UNPIN, US, UVM_INVLPG,
    UVM_NONE, command, entry, write,
)

EXERCISE = "3.6"
encode = model.encode
DOMAINS = (Guest("neighbour", args="rounds=200"), Guest("stale-write"))

TABLE, DIRECTORY = range(2)
PAGES = range(2, 8)
SLOT = 256
ARENA = SLOT << 22

BECOME = ("pinned table", "pinned directory", "named", "base", "nothing")
WAYS = ("single", "batch", "other page", "read-only", "own address")


def become(s: Script, page: int, what: str) -> None:
    match what:
        case "pinned table":
            s.call(command(PIN_TABLE, page))
        case "pinned directory":
            s.call(command(PIN_DIRECTORY, page))
        case "named":
            s.call(write(DIRECTORY, 5, entry(page, P | RW)))
        case "base":
            s.call(command(NEW_BASE, page))


def cease(s: Script, page: int, what: str) -> None:
    match what:
        case "pinned table" | "pinned directory":
            s.call(command(UNPIN, page))
        case "named":
            s.call(write(DIRECTORY, 5, EMPTY))
        case "base":
            s.call(command(NEW_BASE, DIRECTORY0))


def take_away(s: Script, at: int, page: int, other: int, way: str) -> None:
    """The page can be written no more, and nobody asks for a flush."""
    i = at >> 12 & 1023
    match way:
        case "single" | "own address":
            s.map(at, EMPTY, UVM_NONE)
        case "batch":
            s.call(write(TABLE, i, EMPTY))
        case "other page":
            s.map(at, entry(other, P | RW), UVM_NONE)
        case "read-only":
            s.map(at, entry(page, P), UVM_NONE)


def attack(s: Script, rng: Random, what: str, way: str) -> None:
    page, other = rng.sample(PAGES, 2)
    at, i = ARENA + (rng.randrange(1024) << 12), rng.randrange(1, 700)
    if what == "base":
        s.clone(page)
    s.map(at, entry(page, P | RW))
    s.write(at + 4 * i, EMPTY)
    s.store(page, i, EMPTY)
    s.protect(page, P, UVM_NONE if way == "own address" else UVM_INVLPG)
    take_away(s, at, page, other, way)
    become(s, page, what)
    if what == "nothing":  # the honest twin: what was taken away is gone after a flush, and not before it is asked for
        s.call(command(FLUSH))
    s.write(at + 4 * i, entry(page, P | RW))
    s.store(page, i, entry(page, P | RW))
    s.map(at + 0x1000 if at + 0x1000 < ARENA + 0x400000 else ARENA, entry(page, P))
    s.read((at + 0x1000 if at + 0x1000 < ARENA + 0x400000 else ARENA) + 4 * i)
    cease(s, page, what)
    s.map(at, EMPTY)
    s.map(at + 0x1000 if at + 0x1000 < ARENA + 0x400000 else ARENA, EMPTY)
    s.protect(page, P | RW)
    s.clear(page)
    s.store(other, i, EMPTY)


def inputs(rng: Random) -> dict:
    s = Script(8)
    s.protect(TABLE, P)
    s.protect(DIRECTORY, P)
    s.call(write(DIRECTORY0, SLOT, entry(TABLE, P | RW | US)), command(PIN_DIRECTORY, DIRECTORY))
    rows = [(what, way) for what in BECOME for way in WAYS]
    rng.shuffle(rows)
    for what, way in rows:
        attack(s, rng, what, way)
    return {"script": s}

def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen, domain=1)
    yield from model.judge_neighbour(EXERCISE, seen, outside)
