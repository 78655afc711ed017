# SPDX-License-Identifier: MIT
"""Judges `types`: may a page be what it is asked to be, now and after it was something else?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    DIRECTORY0, EMPTY, NEW_BASE, P, PIN_DIRECTORY, PIN_TABLE, RW, Script, UNPIN, US, command, entry, raw,
    write,
)

EXERCISE = "3.2"
encode = model.encode

# Pages of the script: a directory that nobody loads, and the table of the arena. The others change what they are.
UNUSED, TABLE, SUBJECTS = 0, 1, range(2, 10)
SLOT = 256
ARENA = SLOT << 22

USES = ("own", "read-only", "writable", "table", "directory", "named", "base")


def enter(s: Script, use: str, page: int) -> bool:
    """Begins to use a page so, if that is allowed."""
    at = ARENA + page * 0x2000
    match use:
        case "own":
            return s.protect(page, P | RW)
        case "read-only":
            return s.map(at, entry(page, P))
        case "writable":
            return s.map(at + 0x1000, entry(page, P | RW))
        case "table":
            return s.call(command(PIN_TABLE, page))
        case "directory":
            return s.call(command(PIN_DIRECTORY, page))
        case "named":
            return s.call(write(UNUSED, 3 + page, entry(page, P | RW)))
        case _:
            return s.call(command(NEW_BASE, page))


def leave(s: Script, use: str, page: int) -> None:
    at = ARENA + page * 0x2000
    match use:
        case "own":
            s.protect(page, P)
        case "read-only":
            s.map(at, EMPTY)
        case "writable":
            s.map(at + 0x1000, EMPTY)
        case "table" | "directory":
            s.call(command(UNPIN, page))
        case "named":
            s.call(write(UNUSED, 3 + page, EMPTY))
        case _:
            s.call(command(NEW_BASE, DIRECTORY0))


def pair(s: Script, rng: Random, first: str, second: str) -> None:
    """One use, then another one with it, then the other one alone."""
    page = rng.choice(SUBJECTS)
    s.protect(page, P | RW)
    s.clear(page)
    if "base" in (first, second):
        s.clone(page)
    s.protect(page, P)
    if enter(s, first, page):
        if enter(s, second, page) and first != second:
            leave(s, second, page)
        leave(s, first, page)
    if enter(s, second, page):
        if second == "writable":
            s.write(ARENA + page * 0x2000 + 0x1ffc, raw(rng.randrange(1 << 32)))
        leave(s, second, page)


def inputs(rng: Random) -> dict:
    s = Script(10)
    for page in (UNUSED, TABLE):
        s.protect(page, P)
    s.call(command(PIN_DIRECTORY, UNUSED), write(DIRECTORY0, SLOT, entry(TABLE, P | RW | US)))
    pairs = [(first, second) for first in USES for second in USES]
    rng.shuffle(pairs)
    for first, second in pairs:
        pair(s, rng, first, second)
    return {"script": s}

def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
