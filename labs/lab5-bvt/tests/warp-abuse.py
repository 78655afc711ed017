# SPDX-License-Identifier: MIT
"""Judges `warp-abuse`: does one that naps, or is wished the same again and again, borrow no more than its warp lets it?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab5_bound  # noqa: E402
import lab5_trace  # noqa: E402

EXERCISE = "5.4"
SPINNERS, WARPED = (1, 2), 3
WORKERS = range(1, 4)
DOMAINS = (Guest("warp-abuse"), Guest("shares"), Guest("shares"), Guest("warp-abuse"))
UNTIL = 150  # ms
MILLISECOND = 1_000_000


def inputs(rng: Random) -> dict:
    """Its rest is long enough for the others to catch up: so all that it can be ahead is one warp, and the usual bound."""
    c = rng.randrange(lab5_bound.ALLOWANCE_MIN, 3 * lab5_bound.ALLOWANCE_MIN)
    limit = rng.randrange(2, 4) * MILLISECOND
    good = (WARPED, 256, 1000 * MILLISECOND, limit, 8 * limit, c)
    bad = [(WARPED, weight, 0, 0, 0, 0) for weight in (0, 65536, 1 << 31, 0xffffffff)]
    bad += [(WARPED, 256, 1000, 0, 1000, 0)]
    bad += [(WARPED, 256, 0, 0, 0, c) for c in (lab5_bound.ALLOWANCE_MIN - 1, lab5_bound.ALLOWANCE_MAX + 1, 0xffffffff)]
    rng.shuffle(bad)
    return {"domains": len(DOMAINS), "until": UNTIL,
            "wishes": [*((d, rng.randrange(200, 300), 0, 0, 0, c) for d in SPINNERS), good], "bad": bad, "good": good}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    answers = [seen.one("answer", i).it for i in range(len(given["wishes"]))]
    if any(answers):
        yield Finding(EXERCISE, f"answers to {given['wishes']}", [0] * len(answers), answers)
    for i, wish in enumerate(given["bad"]):
        if (answer := seen.one("refused", i).it) != -errno.EINVAL:
            yield Finding(EXERCISE, f"the answer to weight {wish[1]}, W {wish[2]}, L {wish[3]}, C {wish[5]}", -errno.EINVAL, answer)
    _, weight, warp, limit, unwarp, c = given["good"]
    got = seen.one("get")
    if (is_now := (got.answer, got.weight, got.warp, got.limit, got.unwarp)) != (0, weight, warp, limit, unwarp):
        yield Finding(EXERCISE, "(answer, weight, W, L, U) after what was refused", (0, weight, warp, limit, unwarp), is_now)
    if answer := seen.one("renewals").answer:
        yield Finding(EXERCISE, "the answers to its wish, again and again", 0, answer)
    found = lab5_trace.stretches(seen, WORKERS)
    wakes_of_domain_0 = 2 * seen.one("renewals").count + 50
    for what, want, it in lab5_trace.differs(seen, outside, found, WORKERS, wakes_of_domain_0):
        yield Finding(EXERCISE, what, want, it)
    begin, end = seen.one("set").cycles, seen.one("then", 1).cycles
    weights = [wish[1] for wish in given["wishes"]]
    used, ahead, behind, lead = lab5_bound.worst_pair(
        lab5_trace.looks(found, begin, end, WORKERS), weights, c, lab5_trace.SLACK + limit // 2, frozenset({WARPED - 1}))
    if used > 1:
        yield Finding(EXERCISE, f"weights {weights}, C {c}, L {limit} ns: virtual ns that domain {ahead + 1} got ahead of {behind + 1}",
                      f"up to {lead / used:.0f}", f"{lead:.0f}")
