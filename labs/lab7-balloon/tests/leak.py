# SPDX-License-Identifier: MIT
"""Judges `leak`: does a newcomer find nothing in its frames, and can nobody else reach them, be it by what the processor remembers?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

from lab7_model import GONE, HAS, LIMIT_OF  # noqa: E402

EXERCISE = "7.2"
DOMAINS = (Guest("director"), Guest("leak"), Guest("leak", args="newcomer=1"))
PAGES = 40


def inputs(rng: Random) -> dict:
    """The newcomer gives its frames back first; then come the secrets on top of them, and it takes as many again."""
    return {"steps": [(HAS, 2, -PAGES), (LIMIT_OF, 1, 1), (HAS, 1, -PAGES), (LIMIT_OF, 1, -PAGES), (LIMIT_OF, 2, 1),
                      (GONE, 2, 0), (GONE, 1, 0)]}


def encode(given: dict) -> bytes:
    return observe.encode(given["steps"])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    stale = seen.one("stale", domain=1)
    if stale.writes or stale.reads:
        yield Finding(EXERCISE, "(writes, reads) where a frame was that was given back", (0, 0), (stale.writes, stale.reads))
    new = seen.one("newcomers", domain=2)
    if new.got != PAGES:
        yield Finding(EXERCISE, "frames that the newcomer got", PAGES, new.got)
    if new.first:
        yield Finding(EXERCISE, "words of a newcomer's frames that are not 0", 0, new.first)
    if new.later:
        yield Finding(EXERCISE, "words of a newcomer's frames that somebody else has written", 0, new.later)
