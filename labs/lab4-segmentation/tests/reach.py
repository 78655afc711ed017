# SPDX-License-Identifier: MIT
"""Judges `reach`: does any descriptor that was accepted let the guest touch a byte at or above the fence?

Every one is loaded and used: what counts is what the processor lets through, which only an emulator that checks
limits can tell. One a table, so that a refused one spoils no other.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_model as model  # noqa: E402
from lab4_model import (B32, BYTE, CODE1, DATA1, DOWN, Descriptor, FENCE, G, GP, PAGE, Probe, READONLY, Round, WORDS,  # noqa: E402
                        make)

EXERCISE = "4.1"

CANARY = 0x0ddba11
HIGHEST = 0xfffff


def descriptors(rng: Random) -> Iterator[Descriptor]:
    up, down = (DATA1, CODE1), (DATA1 | DOWN | B32, (DATA1 | DOWN) & ~B32)
    for near in (-2, -1, 0, 1, 2):
        for length in (1, 16, PAGE, rng.randrange(2, 1 << 20)):  # the byte `near` the fence is the last one
            yield make(FENCE + near - length, length - 1, rng.choice(up))
        yield make(0, FENCE // PAGE - 1 + near, rng.choice(up) | G)
        yield make(FENCE - 8 * PAGE + near, 7, rng.choice(up) | G)
        yield make(FENCE - PAGE + near, rng.choice((0, 1, HIGHEST)), rng.choice(up) | G)
        yield make(FENCE + near, HIGHEST - 1, down[0] | G)
        yield make(FENCE - 0x10000 + near, rng.choice((0, 0x8000, 0xfffe)), down[1])
    for base in (0, 1, PAGE - 1, PAGE, READONLY, rng.getrandbits(31), WORDS - PAGE, WORDS - 1):
        yield make(base, HIGHEST, rng.choice(up) | G)
        yield make(base, HIGHEST, rng.choice(up))
        for limit in (0, 1, FENCE // PAGE - 1, FENCE // PAGE, HIGHEST - 1, HIGHEST, (WORDS - base) // PAGE - 1):
            yield make(base, max(limit, 0), down[0] | G)
            yield make(base, max(limit, 0), rng.choice(down))


def places(d: Descriptor) -> list[int]:
    ends = [end for run in d.runs() for end in run]
    return sorted({p % WORDS for e in ends for p in (e - 1, e, e + 1)}
                  | {FENCE - PAGE - 1, FENCE - 1, FENCE, FENCE + 1, WORDS - 1, 0})


def inputs(rng: Random) -> dict:
    rounds = []
    for d in descriptors(rng):
        r = Round(2, {1: d}, answer=0 if model.must_accept(d) else model.REFUSED)
        r.shows = [1]
        r.probes = [Probe(r.selector(1), (p - d.base) % WORDS, BYTE) for p in places(d)]
        rounds.append(r)
    rng.shuffle(rounds)
    return {"rounds": rounds}


def encode(given: dict) -> bytes:
    return model.encode(given["rounds"])


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    probed = 0
    for i, r in enumerate(given["rounds"]):
        d = r.slots[1]
        accepted = seen.one("table", i).answer == 0
        if not accepted and seen.one("table", i).answer != model.REFUSED:
            yield Finding(EXERCISE, f"{d}: the answer", r.answer, seen.one("table", i).answer)
        stands = seen.one("shown", i)
        if fault := model.wrong(d, accepted, Descriptor(stands.low, stands.high & ~0x100 | d.high & 0x100)):
            yield Finding(EXERCISE, f"descriptor {d}", *fault)
        for p in r.probes:
            o = seen.one("probe", probed)
            probed += 1
            if not accepted:
                continue
            linear = (d.base + p.offset) % WORDS
            want, got = wanted(d, linear), "reached" if o.vector != GP else "out of reach"
            if want and got != want:
                yield Finding(EXERCISE, f"{d}, accepted: byte {linear:#x}", want, got)
    yield from untouched(outside)


def wanted(d: Descriptor, linear: int) -> str | None:
    """What may be said of a byte. One that was cut ends somewhere in the last page."""
    if linear >= FENCE:
        return "out of reach"
    if model.fits(d):
        return "reached" if d.reaches(linear) else "out of reach"
    if linear >= FENCE - PAGE:
        return None
    return "reached" if linear >= d.base else "out of reach"


def untouched(outside: Outside) -> Iterator[Finding]:
    text = next(s for s in outside.image.segments
                if s.virtual <= outside.image.symbols["hypercall_dispatch"].address < s.virtual + s.size)
    if outside.read(text.physical, len(text.content)) != text.content:
        yield Finding(EXERCISE, "the hypervisor's own code", "as it was loaded", "changed")
    if (canary := int.from_bytes(outside.variable("stack_canary"), "little")) != CANARY:
        yield Finding(EXERCISE, "the word half-way down the hypervisor's stack", CANARY, canary)
