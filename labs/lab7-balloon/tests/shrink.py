# SPDX-License-Identifier: MIT
"""Judges `shrink`: does what is given back leave both maps, and is it free afterwards?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab7_model as model  # noqa: E402
from lab7_model import DECREASE, EXCHANGE, FREE_FRAMES, GONE, HAS, INCREASE, LIMIT_OF, RAW, GuestScript  # noqa: E402

EXERCISE = "7.2"
DOMAINS = (Guest("director"), Guest("shrink"))
encode = model.encode


def inputs(rng: Random) -> dict:
    s = GuestScript(data=40)
    first = s.direct(FREE_FRAMES)
    s.direct(LIMIT_OF, 1, 1)
    s.set_limit(1)
    for _ in range(5):
        s.ask(DECREASE, *rng.sample(sorted(s.full), rng.randrange(1, 8)))
        s.look()
    gone = sorted(set(range(40)) - s.full)
    s.ask(DECREASE, rng.choice(sorted(s.full)), RAW | rng.choice((0xfffff, 0xfffffff)))
    # What was taken again and exchanged goes like any other.
    s.ask(INCREASE, *gone[:4])
    s.ask(EXCHANGE, *gone[:2])
    s.ask(DECREASE, *gone[:3])
    s.look()
    s.ask(DECREASE, *rng.sample(sorted(s.full), 6))  # so few it had never: domain 0 waits for that
    s.direct(HAS, 1, s.owned)
    last = s.direct(FREE_FRAMES)
    s.direct(LIMIT_OF, 1, 2)
    s.direct(GONE, 1)
    s.set_limit(2)
    return {"script": s, "free": (first, last)}



def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge_guest(EXERCISE, given["script"], seen)
    script = given["script"]
    first, last = (seen.one("free", key).frames for key in given["free"])
    if (got := last - first) not in (want := range(-1 - script.owned, 1 - script.owned)):
        yield Finding(EXERCISE, "frames that became free", f"{want[0]} or {want[1]}", got)
