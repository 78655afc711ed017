# SPDX-License-Identifier: MIT
"""Judges `grow-huge`: does a domain that asks for everything get what is nobody's, and no frame that others were promised?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

from lab7_model import FREE_FRAMES, GIVE, GONE, HAS, LIMIT_OF, SLEEP  # noqa: E402

EXERCISE = "7.1"
DOMAINS = (Guest("director"), Guest("grow-huge"), Guest("grow-huge", args="promised=1"))
PROMISED = 30
GIVEN = 300
HUGE = 1_000_000  # frames: more than there are
OWN = -1  # the page behind which there is a hole


def inputs(rng: Random) -> dict:
    steps = [(GIVE, 0, GIVEN + rng.randrange(100)), (HAS, 2, -PROMISED), (FREE_FRAMES, 0, 0), (LIMIT_OF, 1, HUGE),
             (SLEEP, 0, 20_000), (FREE_FRAMES, 0, 0), (LIMIT_OF, 2, 1), (HAS, 2, 0), (LIMIT_OF, 1, 2 * HUGE),
             (SLEEP, 0, 5_000), (LIMIT_OF, 2, 2), (GONE, 2, 0), (GONE, 1, 0)]
    return {"steps": steps, "limit": HUGE, "fits": rng.randrange(1, 40), "next": 2 * HUGE}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    nothing = {0: "2^32 - 1 frames", 1: "2^30 frames, whose list has 0 bytes in 32 bits", 2: "2^30 + 1 frames",
               4: "a list at the line", 5: "a list at the end of memory", 6: "a list that is not aligned",
               8: "a list in a hole"}
    for key, what in nothing.items():
        got = seen.one("ask", key, domain=1)
        want = -errno.EINVAL if key in (5, 6) and got.answer == -errno.EINVAL else -errno.EFAULT
        want = -errno.EINVAL if key == 6 else want
        if (got.answer, got.more) != (want, 0):
            yield Finding(EXERCISE, f"{what}: (answer, frames that it got)", (want, 0), (got.answer, got.more))
    # What lies below the line is not this guest's: its first entry cannot be written.
    for key, what, count in ((3, "a list over the line", -errno.EFAULT), (7, "no frames", 0),
                             (9, f"a list that reaches into a hole after {given['fits']} entries", given["fits"])):
        got = seen.one("ask", key, domain=1)
        if (got.answer, got.more) != (count, max(count, 0)):
            yield Finding(EXERCISE, f"{what}: (answer, frames that it got)", (count, max(count, 0)), (got.answer, got.more))
    free = seen.one("free", 2).frames - OWN
    taken = seen.one("all", domain=1)
    want = free - PROMISED - given["fits"]
    if (taken.taken, taken.answer) != (want, -errno.ENOMEM):
        yield Finding(EXERCISE, f"all that it can get of {free} free frames, {PROMISED} of them promised: (frames, last answer)",
                      (want, -errno.ENOMEM), (taken.taken, taken.answer))
    again = seen.one("all", 1, domain=1)
    if (again.taken, again.answer) != (0, -errno.ENOMEM):
        yield Finding(EXERCISE, "when the others have what they were promised: (frames, last answer)", (0, -errno.ENOMEM),
                      (again.taken, again.answer))
    promise = seen.one("promise", domain=2)
    if (promise.given, promise.again, promise.error) != (PROMISED, PROMISED, 0):
        yield Finding(EXERCISE, "the one that was promised: (frames given back, got again, error)", (PROMISED, PROMISED, 0),
                      (promise.given, promise.again, promise.error))


def encode(given: dict) -> bytes:
    return observe.encode({name: given[name] for name in ("steps", "limit", "fits", "next")})
