# SPDX-License-Identifier: MIT
"""Judges `shares-long`: do shares keep their bound for a million steps, with clocks that wrap all the time?"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab5_bound  # noqa: E402

EXERCISE = "5.1"

RUNNERS = 4
EVERY = 50
DELAY = 1_000_000  # ns, between the end of a slice and the switch
WRAP = 1099  # seconds that a domain of weight 1 needs for 2^64 units of 1/65536 ns of the default weight


def inputs(rng: Random) -> dict:
    """Rounds of (C, seconds that the first one runs alone, steps, weights)."""
    wraps = [(rng.choice((lab5_bound.ALLOWANCE_MIN, lab5_bound.ALLOWANCE)), WRAP - rng.randrange(3), 150_000,
              1, *(rng.choice((1, 2, 3, 100, 256, 257, 65535)) for _ in range(3))) for _ in range(2)]
    near = [(rng.randrange(1_000_000, 20_000_000), rng.randrange(2, 70), 150_000,
             *(rng.randrange(1, 2000) for _ in range(4))) for _ in range(2)]
    often = [(lab5_bound.ALLOWANCE_MAX, 0, 200_000, *(rng.randrange(1, 4) for _ in range(4))) for _ in range(2)]
    rounds = [*wraps, *near, *often]
    return {"rounds": len(rounds), "every": EVERY, "delay": DELAY, "seed": rng.getrandbits(32), "round": rounds}


def encode(given: dict) -> bytes:
    return observe.encode((given["rounds"], given["every"], given["delay"], given["seed"],
                           *(word for r in given["round"] for word in r)))


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, (c, seconds, steps, *weights) in enumerate(given["round"]):
        answers = [seen.one("set", key * RUNNERS + i).answer for i in range(RUNNERS)]
        if any(answers):
            yield Finding(EXERCISE, f"round {key}: answers to the weights {weights}", [0] * RUNNERS, answers)
            continue
        looks = list(struct.iter_unpack(f"<{RUNNERS}Q", seen.one("ran", key).sums))
        if len(looks) != steps // EVERY:
            yield Finding(EXERCISE, f"round {key}: looks before nobody was picked", steps // EVERY, len(looks))
            continue
        used, ahead, behind, lead = lab5_bound.worst_pair(looks, weights, c, DELAY + lab5_bound.SLICE_MIN)
        if used > 1:
            yield Finding(EXERCISE, f"round {key} (weights {weights}, C {c} ns, wrap after {WRAP - seconds} s or so): "
                          f"virtual ns that domain {ahead} got ahead of {behind}", f"up to {lead / used:.0f}", f"{lead:.0f}")
