# SPDX-License-Identifier: MIT
"""Judges `final-check`: wherever the other side's steps fall, do never both sleep with work left, and is each answer whole?"""

from collections.abc import Iterator
from itertools import combinations_with_replacement
from math import comb
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "6.3"
REQUEST, LOOK, THRESHOLD, SLEEP = range(4)
STEPS = ("writes a request", "looks whether to kick", "sets its threshold", "sleeps if there is no answer")
WRONG = ((1, "requests are left, and the device rests"), (2, "answers are left, and the guest sleeps"),
         (4, "a guest that saw the index found no answer"))


def inputs(rng: Random) -> dict:
    """(requests at first, the last place, the guest's steps): to take and answer one is 8 accesses, to look for one 3."""
    scripts = [(n, 6 + 8 * n, [REQUEST, LOOK]) for n in range(3)]
    scripts += [(n, 6 + 8 * n, [THRESHOLD, SLEEP]) for n in range(1, 4)]
    scripts += [(0, 10, [REQUEST, LOOK, THRESHOLD, SLEEP]), (1, 10, [THRESHOLD, REQUEST, LOOK, SLEEP])]
    return {"scripts": rng.sample(scripts, len(scripts))}


def places(last: int, steps: int, number: int) -> tuple[int, ...]:
    """Those of a run, in the order in which they come."""
    for i, found in enumerate(combinations_with_replacement(range(last + 1), steps)):
        if i == number:
            return found
    return ()


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, (requests, last, steps) in enumerate(given["scripts"]):
        runs = seen.one("left", key).runs
        what = f"{requests} requests at first, a guest that {', '.join(STEPS[s] for s in steps)}"
        if len(runs) != (count := comb(last + len(steps), len(steps))):
            yield Finding(EXERCISE, f"{what}: runs", count, len(runs))
        for number, left in enumerate(runs):
            for bit, text in WRONG:
                if not left & bit:
                    yield Finding(EXERCISE, f"{what}: after so many accesses each {places(last, len(steps), number)}",
                                  "all done, or somebody awake", text)
                    break
            else:
                continue
            break
