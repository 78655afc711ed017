# SPDX-License-Identifier: MIT
"""Judges `allowance`: are there as many switches as the allowance asks for, counted from outside?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lab5_bound import advance  # noqa: E402

EXERCISE = "5.2"
DOMAINS = (Guest("allowance"), Guest("shares"), Guest("shares"))
MARKS = True

LENGTH = 50  # ms of each phase
UNTIL = 175  # ms: beyond the last phase
GRAIN = 60_000  # ns that each slice is longer than it should be, at most
OWN = 4  # switches that domain 0 needs in a phase


def inputs(rng: Random) -> dict:
    weights = rng.randrange(200, 400), rng.randrange(200, 400)
    allowances = rng.randrange(100_000, 200_000), rng.randrange(400_000, 600_000), rng.randrange(1_500_000, 2_000_000)
    return {"domains": len(DOMAINS), "until": UNTIL, "phases": len(allowances), "length": LENGTH, "weights": weights,
            "wishes": [[(d + 1, w, 0, 0, 0, c) for d, w in enumerate(weights)] for c in allowances]}


def encode(given: dict) -> bytes:
    return observe.encode((given["domains"], given["until"], given["phases"], given["length"], *given["wishes"]))


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    if len(outside.marks) != given["phases"] + 1:
        yield Finding(EXERCISE, "changes of the allowance that the machine saw", given["phases"] + 1, len(outside.marks))
        return
    m = [advance(w) for w in given["weights"]]
    for i, wishes in enumerate(given["wishes"]):
        c = wishes[0][-1]
        time = (seen.one("phase", i).cycles - seen.one("set", i).cycles) & 0xffffffff
        got = outside.count("vcpu_switch_in", i + 1) - outside.count("vcpu_switch_in", i)
        # From C behind the other one to C beyond it: that is a turn of either.
        two_turns = c * (2 + m[0] / m[1] + m[1] / m[0])
        least, most = 2 * time / (two_turns + 2 * GRAIN) * 0.85 - 2, 2 * time / two_turns * 1.15 + 2 + OWN
        if not least <= got <= most:
            yield Finding(EXERCISE, f"weights {given['weights']}, C {c} ns: switches in {time} ns",
                          f"{least:.0f} to {most:.0f}", got)
