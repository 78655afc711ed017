# SPDX-License-Identifier: MIT
"""Judges `hello`: does what a guest prints come out of the machine, and nothing else?"""

from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen

EXERCISE = "1.4"

WORDS = "Hello, is anybody there? Größe, naïveté, Ελλάδα, 你好 ~{}|\\^`'\"%s%n $0 ; # <end>".split(" ")


def text(rng: Random) -> bytes:
    return (" ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 9))) + rng.choice(("\r\n", "\n", " "))).encode()


def inputs(rng: Random) -> dict:
    return {"texts": [text(rng) for _ in range(40)]}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for i, said in enumerate(given["texts"]):
        if (got := seen.one("said", i).answer) != len(said):
            yield Finding(EXERCISE, f"console_write() of {said!r}", len(said), got)
    whole = b"".join(given["texts"])
    if whole not in outside.serial:
        start = max(outside.serial.find(whole[:8]), 0)
        got = outside.serial[start:start + len(whole)]
        same = next((i for i, (a, b) in enumerate(zip(whole, got)) if a != b), len(got))
        yield Finding(EXERCISE, f"on the line after {same} bytes", whole[same:same + 40], got[same:same + 40])
