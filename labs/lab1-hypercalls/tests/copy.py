# SPDX-License-Identifier: MIT
"""Judges `copy`: do blocks arrive whole, and is it said when they do not?"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "1.3"

PAGE = 4096
WRITABLE, READONLY, HOLE, USER = 0, 4 * PAGE, 8 * PAGE, 12 * PAGE  # from the start of the windows
WINDOW = 4 * PAGE
MARGIN = 16  # bytes before and behind the destination that must stay as they are
PAINT = b"\x5c"
PATTERN = bytes(range(256)) * (WINDOW // 256)  # what the read-only window holds

ROADS = [(WRITABLE, USER), (USER, WRITABLE), (READONLY, USER), (READONLY, WRITABLE),
         (HOLE, USER), (WRITABLE, READONLY)]  # the last two lead nowhere


@dataclass(frozen=True)
class Case:
    told: dict
    what: str
    answer: int
    shown: bytes


def case(rng: Random, source: int, destination: int) -> Case:
    length = rng.choice((rng.randrange(0, 9), rng.randrange(0, 300), rng.randrange(0, PAGE + 1), PAGE))
    start = source + rng.randrange(WINDOW - length)
    at = destination + rng.randrange(MARGIN, WINDOW - length - MARGIN)
    show = (at - MARGIN, length + 2 * MARGIN)

    data, answer = b"", 0
    if source == READONLY:
        block = PATTERN[start - READONLY:][:length]
    elif source == HOLE:
        block, answer = bytes(length), length
    else:
        block = data = rng.randbytes(length)
    if destination == READONLY:
        answer |= length << 16
        shown, paint = PATTERN[show[0] - READONLY:][:show[1]], (0, 0)
    else:
        shown, paint = PAINT * MARGIN + block + PAINT * MARGIN, show
    told = {"source": start, "destination": at, "length": length, "paint": paint, "show": show, "bytes": data}
    return Case(told, f"{length} bytes from {start:#x} to {at:#x}", answer, shown)


def inputs(rng: Random) -> dict:
    return {"cases": [case(rng, *rng.choice(ROADS)) for _ in range(60)]}


def encode(given: dict) -> bytes:
    return observe.encode([c.told for c in given["cases"]])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, c in enumerate(given["cases"]):
        if (got := seen.one("copy", i).answer) != c.answer:
            yield Finding(EXERCISE, f"{c.what}: bytes not copied in | out << 16", hex(c.answer), hex(got & 0xffffffff))
        if (got := seen.one("shown", i).bytes) != c.shown:
            yield Finding(EXERCISE, f"{c.what}: the bytes there and {MARGIN} around", c.shown, got)
