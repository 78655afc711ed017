# SPDX-License-Identifier: MIT
"""Judges `never-yields`: does whoever never gives the processor away, or does so just before each tick, have its share and no more?"""

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
DOMAINS = (Guest("director"), Guest("shares"), Guest("shares"), Guest("never-yields", args="act=0"),
           Guest("never-yields", args="act=2"), Guest("never-yields", args="act=1"))
WORKERS, NOTED = range(1, 6), range(1, 5)  # one in ring 3 notes nothing: what others had not it had
YIELDER, IN_RING_3 = 4, 5
NAMES = ("domain 0", "a spinner", "a spinner", "the one that masks all", "the one that yields before a tick",
         "the one in ring 3")

UNTIL = 140  # ms


def inputs(rng: Random) -> dict:
    c = lab5_bound.ALLOWANCE_MIN
    return {"domains": len(DOMAINS), "until": UNTIL,
            "wishes": [(d, 256 if d == YIELDER else rng.randrange(128, 512), 0, 0, 0, c) for d in WORKERS]}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    answers = [seen.one("answer", i).it for i in range(len(given["wishes"]))]
    if any(answers):
        yield Finding(EXERCISE, "the answers to their weights", [0] * len(answers), answers)
    found = lab5_trace.stretches(seen, NOTED)
    begin, end = seen.one("set").cycles, seen.one("then", 1).cycles
    rest = lab5_trace.gaps(found, begin, end, IN_RING_3)
    for what, want, got in lab5_trace.differs(seen, outside, found, NOTED, len(rest)):
        yield Finding(EXERCISE, what, want, got)
    if not seen.one("yields", domain=YIELDER).count:
        yield Finding(EXERCISE, "yields before a tick", "some", 0)
    weights, c = [wish[1] for wish in given["wishes"]], given["wishes"][0][-1]
    looks = lab5_trace.looks(sorted(found + rest, key=lambda s: s.begin), begin, end, WORKERS)
    used, ahead, behind, lead = lab5_bound.worst_pair(looks, weights, c, lab5_trace.SLACK, frozenset({YIELDER - 1}))
    if used > 1:
        yield Finding(EXERCISE, f"weights {weights}, C {c} ns: virtual ns that {NAMES[ahead + 1]} got ahead of "
                      f"{NAMES[behind + 1]}", f"up to {lead / used:.0f}", f"{lead:.0f}")
