# SPDX-License-Identifier: MIT
"""Judges `copy-torn`: of a copy that cannot be finished, is exactly the first part there, and nothing else?"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "1.3"

PAGE = 4096
WRITABLE, READONLY, HOLE, USER, END = 0, 4 * PAGE, 8 * PAGE, 12 * PAGE, 16 * PAGE  # from the start of the windows
BORDER = {WRITABLE: READONLY, READONLY: HOLE, USER: END}  # where a copy within a window breaks off
MARGIN = 16
PAINT = b"\x5c"
PATTERN = bytes(range(256)) * (4 * PAGE // 256)  # what the read-only window holds


@dataclass(frozen=True)
class Case:
    told: dict
    what: str
    answer: int
    shown: bytes


def case(rng: Random) -> Case:
    """Source, destination or both lie across a border."""
    source, destination = rng.choice(((READONLY, USER), (READONLY, WRITABLE), (USER, WRITABLE), (WRITABLE, USER)))
    length = rng.choice((rng.randrange(1, 40), rng.randrange(1, PAGE + 1)))
    torn_in = source != WRITABLE and rng.random() < 0.6  # behind the writable window one can go on reading
    torn_out = not torn_in or rng.random() < 0.6
    good_in = rng.randrange(length) if torn_in else length
    good_out = rng.randrange(length) if torn_out else length
    start = BORDER[source] - good_in if torn_in else source + rng.randrange(3 * PAGE)
    at = BORDER[destination] - good_out if torn_out else destination + rng.randrange(MARGIN, 2 * PAGE)

    data = b"" if source == READONLY else rng.randbytes(good_in)
    block = data or PATTERN[start - READONLY:][:good_in]
    block += bytes(length - good_in)  # what was not copied in is zero
    shown = PAINT * MARGIN + block[:good_out]
    painted = len(shown)
    if not torn_out:
        shown += PAINT * MARGIN
        painted += MARGIN
    elif destination == WRITABLE:  # behind it is what can be looked at, at least
        shown += PATTERN[:MARGIN]
    told = {"source": start, "destination": at, "length": length,
            "paint": (at - MARGIN, painted), "show": (at - MARGIN, len(shown)), "bytes": data}
    return Case(told, f"{length} bytes from {start:#x} to {at:#x}",
                (length - good_in) | (length - good_out) << 16, shown)


def inputs(rng: Random) -> dict:
    return {"cases": [case(rng) for _ in range(80)]}


def encode(given: dict) -> bytes:
    return observe.encode([c.told for c in given["cases"]])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, c in enumerate(given["cases"]):
        if (got := seen.one("copy", i).answer) != c.answer:
            yield Finding(EXERCISE, f"{c.what}: bytes not copied in | out << 16", hex(c.answer), hex(got & 0xffffffff))
        if (got := seen.one("shown", i).bytes) != c.shown:
            yield Finding(EXERCISE, f"{c.what}: the bytes there and around", c.shown, got)
