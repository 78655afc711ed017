# SPDX-License-Identifier: MIT
"""Judges `flush-pairs`: is there a flush between any two uses of a frame that need one?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    A, EMPTY, FLUSH, HOST_SLOT, NEW_BASE, P, PIN_DIRECTORY, PIN_TABLE, RW, Script, UNPIN, US, UVM_NONE,
    command, entry, write,
)

EXERCISE = "3.6"
encode = model.encode

LIVE, LIVE_TABLE, OTHER = range(3)  # the directory that is loaded, a table in it, a directory besides
SUBJECTS = range(3, 19)
SLOT = 300
NAMED, LINEAR = 310, 320
AT = SLOT << 22

FIRST = ("writable", "read-only", "named", "linear", "base", "pinned table")
THEN = ("pinned table", "pinned directory", "named", "named elsewhere", "base", "writable", "nobody's")


def begin(s: Script, rng: Random, page: int, use: str) -> None:
    i = page & 0xff
    match use:
        case "writable" | "read-only":
            s.call(write(LIVE_TABLE, i, entry(page, P | (RW if use == "writable" else 0))))
        case "named":
            s.call(write(LIVE, NAMED, entry(page, P | RW | US)))
        case "named elsewhere":
            s.call(write(OTHER, NAMED, entry(page, P | RW | US)))
        case "linear":
            s.call(command(PIN_DIRECTORY, page), write(LIVE, LINEAR, entry(page, P)))
        case "base":
            s.call(command(NEW_BASE, page))
        case "pinned table":
            s.call(command(PIN_TABLE, page))
        case "pinned directory":
            s.call(command(PIN_DIRECTORY, page))


def end(s: Script, page: int, use: str) -> None:
    """Takes a use away, and asks for no flush."""
    i = page & 0xff
    match use:
        case "writable" | "read-only":
            s.map(AT | i << 12, EMPTY, UVM_NONE)
        case "named":
            s.call(write(LIVE, NAMED, EMPTY))
        case "named elsewhere":
            s.call(write(OTHER, NAMED, EMPTY))
        case "linear":
            s.call(write(LIVE, LINEAR, EMPTY), command(UNPIN, page))
        case "base":
            s.call(command(NEW_BASE, LIVE))
        case _:
            s.call(command(UNPIN, page))


def pair(s: Script, rng: Random, first: str, then: str) -> None:
    page = rng.choice(SUBJECTS)
    i = page & 0xff
    if rng.random() < 0.5:
        s.call(command(FLUSH))
    s.protect(page, P | RW)
    s.clear(page)
    if "base" in (first, then):
        s.clone(page)
        s.store(page, SLOT, entry(LIVE_TABLE, P | RW | US))
    elif first in ("named", "pinned table") and rng.random() < 0.5:
        s.store(page, 7, entry(page, P))
    s.protect(page, P)
    begin(s, rng, page, first)
    s.counts()
    if rng.random() < 0.3:  # something else is flushed away, before
        s.call(command(FLUSH))
    end(s, page, first)
    s.counts()
    if then == "nobody's":
        return
    begin(s, rng, page, then)
    if first == "writable" and then != "writable":
        s.stale(AT | i << 12 | 28)
    s.counts()
    end(s, page, then)
    s.counts()


def last_use(s: Script, page: int, first: str) -> None:
    """A use, and then the frame is nobody's."""
    s.clear(page)
    s.protect(page, P)
    begin(s, None, page, first)
    end(s, page, first)
    s.protect(page, 0, UVM_NONE)
    s.give_up(page)
    s.counts()


def inputs(rng: Random) -> dict:
    s = Script(26, HOST_SLOT)
    for page in (LIVE, OTHER):
        s.clone(page)
    s.store(LIVE, SLOT, entry(LIVE_TABLE, P | RW | US))
    for page in (LIVE, LIVE_TABLE, OTHER):
        s.protect(page, P)
    s.call(command(PIN_DIRECTORY, LIVE), command(PIN_DIRECTORY, OTHER), command(PIN_TABLE, LIVE_TABLE), command(NEW_BASE, LIVE))
    pairs = [(first, then) for first in FIRST for then in THEN if then != "nobody's"] * 2
    rng.shuffle(pairs)
    for first, then in pairs:
        pair(s, rng, first, then)
    for page, first in zip(range(19, 24), ("writable", "read-only", "named", "linear", "pinned table"), strict=True):
        last_use(s, page, first)
    return {"script": s}

def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
