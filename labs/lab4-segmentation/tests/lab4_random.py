# SPDX-License-Identifier: MIT
"""Seeded descriptors for the tests of lab 4 that use what was accepted: they lie where it is known what can be read."""

from random import Random

import lab4_model as model
from lab4_model import (A_FRAME, B32, BYTE, CODE, CONFORMING, DOWN, Descriptor, FENCE, G, HOLE, LOAD, PAGE, PRESENT, Probe, READ,
                        READONLY, Round, S, W, WORDS, WRITE, dpl, make)

HIGHEST = 0xfffff


def descriptor(rng: Random) -> Descriptor:
    """One that is accepted, of any kind, over or beside the read-only window."""
    common = S | dpl(rng.randrange(1, 4)) | PRESENT | rng.choice((0, B32)) | rng.choice((0, 0, W))
    base = READONLY + rng.randrange(0, HOLE - READONLY - 64)
    match rng.randrange(8):
        case 0 | 1:
            return make(base, rng.randrange(4, 0x1000), common)
        case 2:
            return make(base, rng.randrange(0, 6), common | G)
        case 3:
            return make(base, rng.randrange(4, 0x1000), common | CODE | rng.choice((0, CONFORMING)))
        case 4:  # the pages below its base
            return make(base, HIGHEST - rng.randrange(1, 4), common | DOWN | G | B32)
        case 5:  # the last of 64 KiB
            return make(HOLE - 0x10000 - rng.randrange(4096), 0x10000 - rng.randrange(32, 4096), (common | DOWN) & ~B32)
        case 6:  # flat, to be cut
            return make(rng.choice((0, rng.randrange(PAGE), READONLY)), rng.choice((HIGHEST, FENCE // PAGE)), common | B32 | G)
        case _:  # absent: whatever it says
            d = make(rng.getrandbits(32), rng.getrandbits(20), rng.getrandbits(16) & 0xf0ff & ~PRESENT)
            return make(d.base, d.limit, d.bits | rng.choice((0, S | W, S | CODE)))


def offsets(rng: Random, d: Descriptor) -> list[int]:
    """At both ends, on both sides of each, and between."""
    allowed = d.offsets()
    near = [o for end in (allowed[0], allowed[-1] - 3, allowed[-1], WORDS - 4) for o in range(end - 4, end + 5)]
    return rng.sample([o for o in near if 0 <= o <= WORDS - 4], 8) + [(READONLY + rng.randrange(8000) - d.base) % WORDS]


def known(r: Round, p: Probe) -> bool:
    try:
        model.expected(r, p)
    except KeyError:
        return False
    return True


def probe(rng: Random, r: Round, indexes: list[int]) -> None:
    """Loads and uses what is at some indexes."""
    for i in indexes:
        d = model.settled(r.slots[i])
        tries = [Probe(r.selector(i, rng.randrange(4)), 0, LOAD)]
        if d.bits & (S | PRESENT) == S | PRESENT and d.offsets():
            tries += [Probe(r.selector(i), o, rng.choice((READ, READ, BYTE, WRITE))) for o in offsets(rng, d)]
        r.probes += [p for p in tries if known(r, p)]


def table(rng: Random, kind: int, entries: int, count: int) -> Round:
    """A good table with some descriptors in it, borders among them."""
    frames = -(-entries // A_FRAME)
    top = entries if kind == model.LDT else frames * A_FRAME
    first = 0 if kind == model.LDT else 1
    places = {first, top - 1, *(f * A_FRAME for f in range(1, frames))}
    places |= {rng.randrange(first, top) for _ in range(count)}
    if kind == model.GDT:
        places = {i for i in places if i // A_FRAME < model.RESERVED_FRAME or i % A_FRAME >= model.RESERVED_SLOTS}
    r = Round(entries, {i: descriptor(rng) for i in sorted(p for p in places if first <= p < top)}, kind)
    r.shows = list(r.slots)
    return r
