# SPDX-License-Identifier: MIT
"""Judges `rewrite`: is each word of the page read once, and a ring stopped whose guest claims what cannot be?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab6_model as model  # noqa: E402
from lab6_model import SLOTS, Script, encode  # noqa: E402,F401

EXERCISE = "6.2"
CONSOLE_BYTES = 60  # of a slot
CLAIMS = (SLOTS + 1, 2 * SLOTS, 0x7fffffff, 0x80000000, 0xffffffff, 0xffff0000 + SLOTS)


def inputs(rng: Random) -> dict:
    s = Script()
    s.register(2, 0, 1)

    def neighbour() -> None:
        s.produce(2, 1)
        s.take(2)
        s.respond(2, [rng.randrange(100)])

    for claim in rng.sample(CLAIMS, len(CLAIMS)):
        s.register(0, rng.randrange(5), rng.randrange(2))
        for _ in range(rng.randrange(1, 12)):
            s.produce(0, 1)
            s.scribble(0, rng.getrandbits(32))
            s.take(0)
            s.scribble(0, rng.getrandbits(32))
            s.respond(0, [rng.randrange(100)])
        # While it is read, it changes; what counts is what was read.
        s.take(0, lie=rng.choice((*CLAIMS, 1)))
        s.claim(0, 0)
        s.produce(0, 1)
        s.take(0, lie=rng.choice(CLAIMS))
        s.respond(0, [1])
        s.claim(0, 0)
        s.take(0)
        neighbour()
        s.claim(0, claim)
        s.take(0)
        s.claim(0, 1)
        s.take(0)
        neighbour()
        s.release(0)
    return {"script": s, "console": s.console(2)}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
    heard = [o.heard for o in seen.all("console") if o.key >> 8 == given["console"]]
    if not heard or max(heard) > CONSOLE_BYTES:
        yield Finding(EXERCISE, "a console's request, whose count changes while it is looked at: bytes that domain 0 hears",
                      f"up to {CONSOLE_BYTES}", max(heard, default=None))
