# SPDX-License-Identifier: MIT
"""Judges `shares`: do domains that always want the processor get it by their weights, at every moment?"""

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

EXERCISE = "5.1"
SPINNERS = range(1, 6)
DOMAINS = (Guest("director"), *(Guest("shares") for _ in SPINNERS))

UNTIL = 160  # ms


def inputs(rng: Random) -> dict:
    c = rng.randrange(2 * lab5_bound.ALLOWANCE_MIN, 5 * lab5_bound.ALLOWANCE_MIN)
    return {"domains": len(DOMAINS), "until": UNTIL,
            "wishes": [(d, rng.randrange(100, 1000), 0, 0, 0, c) for d in SPINNERS]}


def encode(given: dict) -> bytes:
    return observe.encode({name: given[name] for name in ("domains", "until", "wishes")})


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for i, wish in enumerate(given["wishes"]):
        if answer := seen.one("answer", i).it:
            yield Finding(EXERCISE, f"the answer to weight {wish[1]}, C {wish[-1]} ns", 0, answer)
    found = lab5_trace.stretches(seen, SPINNERS)
    for what, want, got in lab5_trace.differs(seen, outside, found, SPINNERS):
        yield Finding(EXERCISE, what, want, got)
    begin, end = seen.one("set").cycles, seen.one("then", 1).cycles
    weights, c = [wish[1] for wish in given["wishes"]], given["wishes"][0][-1]
    used, ahead, behind, lead = lab5_bound.worst_pair(
        lab5_trace.looks(found, begin, end, SPINNERS), weights, c, lab5_trace.SLACK)
    if used > 1:
        yield Finding(EXERCISE, f"weights {weights}, C {c} ns: virtual ns that domain {ahead + 1} got ahead of {behind + 1}",
                      f"up to {lead / used:.0f}", f"{lead:.0f}")
