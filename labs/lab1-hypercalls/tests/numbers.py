# SPDX-License-Identifier: MIT
"""Judges `numbers`: do all 32 bits of a call's number count?"""

import errno
from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "1.1"

INTERFACE = 1
GIVEN = (0, 4, 6, 7, 8, 9, 12)  # version, stack_switch, ..., yield: there in every stage


def inputs(rng: Random) -> dict:
    """Numbers whose low bits, or whose place from the table's other side, are those of a call that exists."""
    numbers = [(n + step) % (1 << 32) for n in GIVEN
               for step in (1 << 8, 1 << 16, 1 << 24, 1 << 30, 1 << 31, 3 << 30, 256 * rng.randrange(1, 1 << 24))]
    numbers += [(1 << 32) - n for n in range(1, 40)]
    rng.shuffle(numbers)
    return {"numbers": numbers}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, number in enumerate(given["numbers"]):
        got = seen.one("number", i)
        if got.answer != -errno.ENOSYS:
            yield Finding(EXERCISE, f"call {number:#x}", -errno.ENOSYS, got.answer)
        if got.good != INTERFACE:
            yield Finding(EXERCISE, f"version() after call {number:#x}", INTERFACE, got.good)
