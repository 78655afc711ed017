# SPDX-License-Identifier: MIT
"""Judges `credit-hostile`: do the borders of credit and clock, and packets that are refused, make nobody richer or poorer?"""

import errno
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "8.4"
MOST = 2**32 - 1


@dataclass(frozen=True)
class Case:
    bytes: int
    us: int
    from_wrap: int  # microseconds before the clock wraps, 0: it does not
    refused: int  # packets before the others that no rule lets pass
    packets: int
    length: int
    pause: int
    at_once: int  # of the packets
    later: int
    why: str
    status: int = 0


def cases(rng: Random) -> list[Case]:
    n, length = rng.randrange(5, 30), rng.randrange(60, 1515)
    b = rng.randrange(200, 1000)
    return [
        Case(0, 0, 0, 0, n, length, 100, n, n, "no cap"),
        Case(0, 1000, 0, 0, n, length, 100, n, n, "0 bytes: no cap"),
        Case(1000, 0, 0, 0, n, length, 100, n, n, "0 us: no cap"),
        Case(MOST, 1, 0, 0, n, length, 100, n, n, "the largest credit in the shortest time"),
        Case(MOST, MOST, 0, 0, n, length, 5000, n, n, "the largest credit in the longest time"),
        Case(3 * length, MOST, 0, 0, 5, length, 100_000, 3, 3, "a credit that never comes back"),
        Case(b, 1000, 0, 0, 3, b + 1, 100_000, 0, 0, "one byte more than the credit", -errno.ENOSPC),
        Case(b, 1000, 0, 0, 3, 1514, 100_000, 0, 0, "much more than the credit", -errno.ENOSPC),
        Case(b, 100_000, 0, 20, 2, b, 1000, 1, 1, "refused packets cost nothing"),
        Case(2 * b, 1000, 1, 0, 6, b, 40_000, 2, 6, "the clock wraps at once"),
        Case(2 * b, 10_000, 700, 0, 6, b, 60_000, 2, 6, "the clock wraps while it waits"),
    ]


def inputs(rng: Random) -> dict:
    drawn = cases(rng)
    return {"cases": rng.sample(drawn, len(drawn))}


def encode(given: dict) -> bytes:
    return observe.encode([astuple(case)[:7] for case in given["cases"]])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, case in enumerate(given["cases"]):
        what = f"{case.bytes} bytes per {case.us} us ({case.why}), {case.packets} packets of {case.length} bytes"
        if (got := seen.one("at_once", key).left) != case.at_once:
            yield Finding(EXERCISE, f"{what}: left at once", case.at_once, got)
        if (got := seen.one("later", key).left) != case.later:
            yield Finding(EXERCISE, f"{what}: left after {case.pause} us", case.later, got)
        answers = {o.id: o.status for o in seen.all("answer") if o.key == key}
        want = {i: case.status for i in range(case.later if case.status == 0 else case.packets)}
        want |= {100 + i: -errno.EACCES for i in range(case.refused)}
        if answers != want:
            yield Finding(EXERCISE, f"{what}: answers by request", want, answers)
