# SPDX-License-Identifier: MIT
"""Judges `sleepers`: beside some that sleep and work, do the others keep their shares, and does sleep earn nothing?"""

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
DOMAINS = (Guest("director"), Guest("shares"), Guest("shares"), Guest("sleepers"), Guest("sleepers"))
WORKERS, SLEEPERS = range(1, 5), (3, 4)

UNTIL = 160  # ms


def inputs(rng: Random) -> dict:
    c = rng.randrange(lab5_bound.ALLOWANCE_MIN, 4 * lab5_bound.ALLOWANCE_MIN)
    return {"domains": len(DOMAINS), "until": UNTIL, "wishes": [(d, rng.randrange(128, 512), 0, 0, 0, c) for d in WORKERS]}


def encode(given: dict) -> bytes:
    return observe.encode({name: given[name] for name in ("domains", "until", "wishes")})


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    answers = [seen.one("answer", i).it for i in range(len(given["wishes"]))]
    if any(answers):
        yield Finding(EXERCISE, "the answers to their weights", [0] * len(answers), answers)
    found = lab5_trace.stretches(seen, WORKERS)
    naps = sum(seen.one("naps", domain=d).count for d in SLEEPERS)
    if naps < 20:
        yield Finding(EXERCISE, "naps of the sleepers together", "20 or more", naps)
    for what, want, got in lab5_trace.differs(seen, outside, found, WORKERS, naps):
        yield Finding(EXERCISE, what, want, got)
    begin, end = seen.one("set").cycles, seen.one("then", 1).cycles
    weights, c = [wish[1] for wish in given["wishes"]], given["wishes"][0][-1]
    used, ahead, behind, lead = lab5_bound.worst_pair(
        lab5_trace.looks(found, begin, end, WORKERS), weights, c, lab5_trace.SLACK, frozenset(d - 1 for d in SLEEPERS))
    if used > 1:
        yield Finding(EXERCISE, f"weights {weights}, C {c} ns: virtual ns that domain {ahead + 1} got ahead of {behind + 1} "
                      f"(1 and 2 never sleep)", f"up to {lead / used:.0f}", f"{lead:.0f}")
