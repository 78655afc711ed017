# SPDX-License-Identifier: MIT
"""Judges `range-all`: are the borders where they should be, on both sides?"""

from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "1.2"

LINE, FENCE = 0xfc000000, 0xfc400000
WORDS = 1 << 32
SIZES = (0, 1, 4, 8, 32, 4096)  # 0: a range of bytes
NEAR = range(-2, 3)


def around(values: set[int]) -> list[int]:
    return sorted({value + near for value in values for near in NEAR if 0 <= value + near < WORDS})


def all_ranges() -> Iterator[tuple[int, int, int]]:
    for addr in around({0, 4096, 1 << 31, LINE - 4096, LINE, FENCE, WORDS - 4096, WORDS}):
        for size in SIZES:
            unit = size or 1
            ends = {LINE - addr, FENCE - addr, WORDS - addr, WORDS + LINE - addr, 1 << 31, WORDS, 2 * WORDS}
            for count in around({0, 1, 2, WORDS, *(max(end, 0) // unit for end in ends)}):
                yield addr, count, size


def inputs(rng: Random) -> dict:
    ranges = list(all_ranges())
    rng.shuffle(ranges)
    return {"ranges": ranges}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, (addr, count, size) in enumerate(given["ranges"]):
        got = bool(seen.one("answers", i // 32).bits >> i % 32 & 1)
        want = addr + count * (size or 1) <= LINE
        if got != want:
            name = f"guest_array_ok({addr:#x}, {count:#x}, {size})" if size else f"guest_range_ok({addr:#x}, {count:#x})"
            yield Finding(EXERCISE, name, want, got)
