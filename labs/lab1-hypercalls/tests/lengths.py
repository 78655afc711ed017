# SPDX-License-Identifier: MIT
"""Judges `lengths`: is the answer the number of bytes that were printed, whatever they are and however many?"""

from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen

EXERCISE = "1.4"

PAGE = 4096
MOST = 4096  # CONSOLE_WRITE_MAX
LENGTHS = (0, 1, 2, 126, 127, 128, 129, 255, 256, 257, 4095, 4096, 4097, 5000, 8192)


def text(rng: Random, length: int) -> bytes:
    """Any bytes, among them more NULs and escapes than chance would have."""
    data = bytearray(rng.randbytes(length))
    for _ in range(length // 50):
        data[rng.randrange(length)] = rng.choice(b"\0\x1b\r\n\xff")
    return bytes(data)


def inputs(rng: Random) -> dict:
    lengths = [*LENGTHS, *(rng.randrange(1, 600) for _ in range(20))]
    rng.shuffle(lengths)
    return {"texts": [(rng.randrange(PAGE), text(rng, length)) for length in lengths]}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for i, (offset, data) in enumerate(given["texts"]):
        if (got := seen.one("said", i).answer) != min(len(data), MOST):
            yield Finding(EXERCISE, f"console_write() of {len(data)} bytes", min(len(data), MOST), got)
    nothing = seen.one("nothing")
    if (nothing.in_hole, nothing.above) != (0, 0):
        yield Finding(EXERCISE, "no bytes at all, from the hole and from above the line", (0, 0),
                      (nothing.in_hole, nothing.above))
    whole = b"".join(data[:MOST] for _, data in given["texts"])  # one behind the other on the line
    if whole not in outside.serial:
        start = max(outside.serial.find(whole[:64]), 0)
        got = outside.serial[start:start + len(whole)]
        same = next((i for i, (a, b) in enumerate(zip(whole, got)) if a != b), len(got))
        yield Finding(EXERCISE, f"on the line after {same} bytes", whole[same:same + 40], got[same:same + 40])
