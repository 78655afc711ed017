# SPDX-License-Identifier: MIT
"""Judges `partial`: is a list that is good up to its k-th entry done up to there, told so, and the rest of it left alone?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

from lab7_model import DECREASE, EXCHANGE, GIVE, GONE, INCREASE, LIMIT_OF, OPERATIONS  # noqa: E402

EXERCISE = "7.4"
DOMAINS = (Guest("director"), Guest("partial"))
NO_FRAME, READONLY, HOLE, LINE = range(4)
ENDS = ("is no frame", "lies where it can only be read", "lies in a hole", "lies beyond the line")
HELD, MOST = 24, 40  # frames that the domain has for this: at first, and at most
ROOM = 400


def inputs(rng: Random) -> dict:
    """Each operation with each end, at some k and at 0; the domain has `held` frames to name, and never too few."""
    cases = [(op, kind, none) for op in (INCREASE, DECREASE, EXCHANGE) for kind in range(4) for none in (False, True, False)
             if (op, kind) != (INCREASE, NO_FRAME)]
    rng.shuffle(cases)
    lists, held = [], HELD
    for op, kind, none in cases:
        if op == INCREASE and held > MOST - 8:
            op = DECREASE
        elif op == DECREASE and held < 16:
            op, kind = INCREASE, kind or HOLE
        good = 0 if none else rng.randrange(1, 6)
        count = good + rng.randrange(1, 4)
        lists.append((op, kind, good, count))
        done, _ = done_of(op, kind, good, count)
        held += {INCREASE: done, DECREASE: -done, EXCHANGE: 0}[op] if kind != LINE else 0
    return {"steps": [(GIVE, 0, 60), (LIMIT_OF, 1, ROOM), (GONE, 1, 0)], "limit": ROOM, "lists": lists}


def done_of(op: int, kind: int, good: int, count: int) -> tuple[int, int]:
    """How many entries are done, and why not more."""
    if kind == READONLY and op == DECREASE:
        return count, 0
    return good, -errno.EINVAL if kind == NO_FRAME else -errno.EFAULT


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, (op, kind, good, count) in enumerate(given["lists"]):
        what = f"list {key}, {OPERATIONS[op]} of {count}, whose entry {good} {ENDS[kind]}"
        got, after = seen.one("ask", key, domain=1), seen.one("list", key, domain=1)
        done, error = done_of(op, kind, good, count)
        if kind == LINE and got.done == 0:
            done = 0  # it is a matter of taste whether such a list is begun
        if (got.done, got.error) != (done, error):
            yield Finding(EXERCISE, f"{what}: (done, why not more)", (done, error), (got.done, got.error))
            return
        more = {INCREASE: done, DECREASE: -done, EXCHANGE: 0}[op]
        if got.more != more:
            yield Finding(EXERCISE, f"{what}: frames that it has more than before", more, got.more)
            return
        if not got.m2p:
            yield Finding(EXERCISE, f"{what}: the word behind the line", "as it was", "another one")
            return
        there = good if kind == LINE else count
        replaced = kind == NO_FRAME and op != INCREASE and done <= good < there
        want = (there - done - replaced, 0 if op == INCREASE else there - done - (done <= good < there),
                0 if op == DECREASE else min(done, there))
        if (after.same, after.kept, after.ours) != want:
            yield Finding(EXERCISE, f"{what}: (entries as they were, frames of them kept, entries done that are its own)", want,
                          (after.same, after.kept, after.ours))
            return


def encode(given: dict) -> bytes:
    return observe.encode({name: given[name] for name in ("steps", "limit", "lists")})
