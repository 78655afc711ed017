# SPDX-License-Identifier: MIT
"""Judges `credit`: does in no time more leave than the credit and what was earned meanwhile, and does all leave that may?"""

from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "8.4"
SLOW = 3  # times what the cap would take: time enough for all to leave, by whatever way of counting


def inputs(rng: Random) -> dict:
    bytes_, us = rng.randrange(1514, 9000), rng.choice((500, 1000, 7777))
    bursts = []
    for _ in range(12):
        packets, length = rng.randrange(1, 40), rng.choice((60, 500, 1514))
        need = SLOW * us * (packets * length // bytes_ + 1)
        # Now and then a pause that is long enough to save up much more than the credit, if one could.
        bursts.append((packets, length, need + rng.choice((0, 0, 50 * us)), rng.choice((us // 10, us // 3, 2 * us))))
    return {"bytes": bytes_, "us": us, "bursts": bursts}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    credit, period = given["bytes"], given["us"]
    left = seen.all("left")
    want = sum(packets for packets, *_ in given["bursts"])
    if len(left) != want:
        yield Finding(EXERCISE, "packets that left in the end", want, len(left))
    total = 0
    sums = [total := total + o.length for o in left]
    for i, first in enumerate(left):
        before = sums[i] - first.length
        for j in range(i, len(left)):
            # Times are in whole microseconds, rounded down: one more may have gone by.
            earned = credit * (left[j].us - first.us + 1) // period + 1
            if sums[j] - before > credit + earned:
                yield Finding(EXERCISE, f"bytes that left from {first.us} to {left[j].us} us, with {credit} bytes per {period} us",
                              f"at most {credit + earned}", sums[j] - before)
                return
