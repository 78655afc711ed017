# SPDX-License-Identifier: MIT
"""Judges `flush`: does an access see the new mapping after each kind of flush?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    DIRECTORY0, EMPTY, FLUSH, NEW_BASE, P, PIN_DIRECTORY, RW, Script, US, UVM_FLUSH, UVM_INVLPG, UVM_NONE,
    command, entry, invlpg, raw, write,
)

EXERCISE = "3.6"
encode = model.encode

TABLE, DIRECTORY, OLD, NEW = range(4)
SLOT = 256
ARENA = SLOT << 22

FLUSHES = ("none", "one", "all", "invlpg", "flush", "flush refused", "base")


def change(s: Script, rng: Random, at: int, value: int, kind: str) -> None:
    """Changes what is mapped at an address, flushing as `kind` says."""
    if kind in ("one", "all", "none"):
        s.map(at, value, {"none": UVM_NONE, "one": UVM_INVLPG, "all": UVM_FLUSH}[kind])
        if kind == "none":  # nothing was promised; now it is
            s.call(command(FLUSH))
        return
    i = at >> 12 & 1023
    last = {"invlpg": invlpg(at), "flush": command(FLUSH), "flush refused": command(FLUSH),
            "base": command(NEW_BASE, DIRECTORY if s.model.base == DIRECTORY0 else DIRECTORY0)}[kind]
    if rng.random() < 0.5 and kind != "invlpg":
        s.map(at, value, UVM_NONE)
        requests = [last]
    else:
        requests = [write(TABLE, i, value), last] if kind != "flush" or rng.random() < 0.5 else [last, write(TABLE, i, value)]
    if kind == "flush refused":
        requests.append(write(TABLE, 9, entry(TABLE, P | RW)))
    s.call(*requests)


def look(s: Script, rng: Random, at: int) -> None:
    s.read(at)
    s.write(at + 4 * rng.randrange(1, 1024), raw(rng.randrange(1 << 32)))


def inputs(rng: Random) -> dict:
    s = Script(4)
    for page in (OLD, NEW):
        s.store(page, 0, raw(rng.randrange(1 << 32)))
    s.protect(TABLE, P)
    s.call(write(DIRECTORY0, SLOT, entry(TABLE, P | RW | US)))
    s.clone(DIRECTORY)
    s.protect(DIRECTORY, P)
    s.call(command(PIN_DIRECTORY, DIRECTORY))
    rows = [(kind, old, new) for kind in FLUSHES for old, new in (
        (entry(OLD, P | RW), entry(NEW, P | RW)), (entry(OLD, P | RW), entry(OLD, P)), (entry(OLD, P), entry(OLD, P | RW)),
        (entry(OLD, P | RW), EMPTY), (EMPTY, entry(NEW, P | RW)), (entry(OLD, P), entry(NEW, P)))]
    rng.shuffle(rows)
    for kind, old, new in rows:
        at, also = (ARENA + (i << 12) for i in rng.sample(range(1024), 2))
        s.map(at, old)
        s.map(also, old)
        look(s, rng, at)
        look(s, rng, also)
        if kind not in ("one", "invlpg"):  # a flush of everything serves them all
            s.map(also, new, UVM_NONE)
        change(s, rng, at, new, kind)
        look(s, rng, at)
        look(s, rng, also)
        s.map(at, EMPTY)
        s.map(also, EMPTY)
    for at, flags in ((0xfc000000, UVM_NONE), (0xfffff000, UVM_FLUSH), (ARENA, 4), (ARENA, 0x80000000), (ARENA - 4096, UVM_NONE)):
        s.map(at, entry(NEW, P), flags)
    return {"script": s}

def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
