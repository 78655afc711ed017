# SPDX-License-Identifier: MIT
"""Judges `descriptors-all`: a million descriptors, each judged by the bytes that it reaches, not by a formula of its fields."""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_model as model  # noqa: E402
from lab4_model import B32, CODE, DOWN, Descriptor, FENCE, G, PAGE, PRESENT, S, WORDS, dpl, make  # noqa: E402

EXERCISE = "4.1"

COUNT = 1_000_000
MOST_CHANGED = 80_000
REFUSED, SAME, CHANGED = range(3)
BASES = [0, 1, PAGE - 1, PAGE, FENCE - 0x10001, FENCE - 0x10000, FENCE - 0xffff, FENCE - PAGE - 1, FENCE - PAGE, FENCE - PAGE + 1,
         FENCE - 1, FENCE, FENCE + 1, WORDS - 0x10001, WORDS - 0x10000, WORDS - PAGE, WORDS - 1, 1 << 31]
LIMITS = [0, 1, PAGE - 1, PAGE, 0xfffe, 0xffff, 0x10000, FENCE // PAGE - 2, FENCE // PAGE - 1, FENCE // PAGE, 0xffffe, 0xfffff]


def inputs(rng: Random) -> dict:
    pages = [rng.getrandbits(20) for _ in range(8)]
    return {"state": rng.randrange(1, WORDS),
            "bases": BASES + [p << 12 for p in pages] + [rng.getrandbits(32) for _ in range(8)],
            # Limits with which one of these bases ends around the fence, or wraps.
            "limits": LIMITS + [(end // PAGE - p + near) % (1 << 20) for p in pages for end in (FENCE, WORDS) for near in (-2, -1, 0)]}


def words(state: int) -> Iterator[int]:
    while True:
        state ^= state << 13 & 0xffffffff
        state ^= state >> 17
        state ^= state << 5 & 0xffffffff
        yield state


def drawn(given: dict) -> Iterator[tuple[int, int, int]]:
    """Base, limit and bits of each, as descriptors-all.c draws them."""
    bases, limits, draw = given["bases"], given["limits"], words(given["state"])
    for a, b, c in zip(draw, draw, draw):
        yield (bases[a % len(bases)] if c & 0x10000 else a, limits[b % len(limits)] if c & 0x60000 else b & 0xfffff, c & 0xf0ff)


def stands(base: int, limit: int, bits: int) -> bool:
    """model.fits() for one that has to be: what it reaches ends below the fence."""
    last = limit * PAGE + PAGE - 1 if bits & G else limit
    first = 0
    if bits & (CODE | DOWN) == DOWN:
        first, last = last + 1, WORDS - 1 if bits & B32 else 0xffff
        if first > last:
            return True
    if base + first < WORDS:
        return base + last < FENCE
    return base + last < WORDS + FENCE


def kind(bits: int) -> str:
    """What its type says: "any", "none", or "" if it depends."""
    if not bits & PRESENT:
        return "any"
    return "" if bits & S and bits & dpl(3) else "none"


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    answers = seen.one("answers").bits
    changed = struct.iter_unpack("<II", seen.one("changed").words)
    if (changes := seen.one("changes").count) > MOST_CHANGED:
        yield Finding(EXERCISE, "descriptors that were changed", f"less than {MOST_CHANGED}", changes)
        return
    kinds = [kind(bits) for bits in range(1 << 16)]
    for i, (base, limit, bits) in zip(range(COUNT), drawn(given)):
        answer = answers[i >> 2] >> (i & 3) * 2 & 3
        what = kinds[bits]
        if what == "none" or (what == "" and not stands(base, limit, bits)):
            if answer == REFUSED and (what or not bits & G or bits & (CODE | DOWN) == DOWN or base > FENCE - PAGE):
                continue
        elif answer == SAME:
            continue
        d = make(base, limit, bits)
        got = Descriptor(*next(changed)) if answer == CHANGED else d
        if fault := model.wrong(d, answer != REFUSED, got):
            yield Finding(EXERCISE, f"descriptor {d} (base {base:#x}, limit {limit:#x}, bits {bits:#x})", *fault)


def encode(given: dict) -> bytes:
    return observe.encode(given)
