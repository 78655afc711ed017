# SPDX-License-Identifier: MIT
"""Judges `range`: is a range the guest's exactly if all its bytes lie below the line?"""

from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "1.2"

LINE = 0xfc000000
WORDS = 1 << 32
SIZES = (1, 2, 4, 8, 12, 24, 32, 240, 4096)


def some_range(rng: Random) -> tuple[int, int, int]:
    """An address, a count, and a size: 0 for a range of bytes. Half of them are good, most of the others nearly."""
    size = rng.choice((0, *SIZES))
    addr = rng.choice((rng.randrange(LINE), rng.randrange(WORDS), LINE - rng.randrange(1 << 16)))
    room = max(LINE - addr, 0) // (size or 1)
    count = rng.choice((
        rng.randrange(room + 1), rng.randrange(room + 1), room, min(room + 1 + rng.randrange(100), WORDS - 1),
        rng.randrange(WORDS), (WORDS // (size or 1) + rng.randrange(4)) % WORDS))
    return addr, count, size


def inputs(rng: Random) -> dict:
    return {"ranges": [some_range(rng) for _ in range(4000)]}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, (addr, count, size) in enumerate(given["ranges"]):
        got = bool(seen.one("answers", i // 32).bits >> i % 32 & 1)
        want = addr + count * (size or 1) <= LINE
        if got != want:
            name = f"guest_array_ok({addr:#x}, {count:#x}, {size})" if size else f"guest_range_ok({addr:#x}, {count:#x})"
            yield Finding(EXERCISE, name, want, got)
