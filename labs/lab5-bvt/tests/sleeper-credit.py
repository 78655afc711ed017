# SPDX-License-Identifier: MIT
"""Judges `sleeper-credit`: does one that slept for 60 virtual seconds get no more than its share from then on?

A domain of weight 1 is charged 60 s in the 235 ms that it really has.
"""

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

EXERCISE = "5.3"
DOMAINS = (Guest("sleeper-credit"), Guest("shares"), Guest("sleeper-credit"))
WORKERS, SLEEPER = range(1, 3), 2

SLEEP = 245  # ms: 235 of them after domain 0 has set the weights
WORK = 60


def inputs(rng: Random) -> dict:
    c = rng.randrange(lab5_bound.ALLOWANCE_MIN, 4 * lab5_bound.ALLOWANCE_MIN)
    weights = rng.randrange(200, 400), rng.randrange(200, 400)
    return {"domains": len(DOMAINS), "until": SLEEP + WORK, "wakes": SLEEP, "weights": weights, "c": c,
            "first": [(1, 1, 0, 0, 0, c), (2, weights[1], 0, 0, 0, c)], "second": [(1, weights[0], 0, 0, 0, c)]}


def encode(given: dict) -> bytes:
    return observe.encode({name: given[name] for name in ("domains", "until", "wakes", "first", "second")})


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    answers = [seen.one("answer", key).it for key in (0, 1, 1 << 8)]
    if any(answers):
        yield Finding(EXERCISE, "the answers to their weights", [0] * len(answers), answers)
    found = lab5_trace.stretches(seen, WORKERS)
    for what, want, got in lab5_trace.differs(seen, outside, found, WORKERS):
        yield Finding(EXERCISE, what, want, got)
    wakes, end = (s.begin for s in found if s.domain == SLEEPER), seen.one("then", 1).cycles
    looks = lab5_trace.looks(found, next(wakes), end, WORKERS)
    used, ahead, behind, lead = lab5_bound.worst_pair(looks, given["weights"], given["c"], lab5_trace.SLACK)
    if used > 1:
        yield Finding(EXERCISE, f"weights {given['weights']}, C {given['c']} ns, after domain 2 slept: virtual ns that domain "
                      f"{ahead + 1} got ahead of {behind + 1}", f"up to {lead / used:.0f}", f"{lead:.0f}")
