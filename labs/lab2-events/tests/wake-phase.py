# SPDX-License-Identifier: MIT
"""Judges `wake-phase`: does a sleeper wake, at whatever instruction the event comes?

A lost event leaves the machine asleep for ever; then the runner says so, and nothing comes here.
"""

from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

EXERCISE = "2.1"
DOMAINS = (Guest("wake-phase"), Guest("wake-phase", args="peer=1"))


def inputs(rng: Random) -> dict:
    """Ten thousand sleeps: for each answer both domains sleep, the second one until it is asked."""
    return {"alarms": 2000, "answers": 4000, "naps": 5}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for what, want, got in (
            ("alarms that woke", given["alarms"], seen.one("alarms").woken),
            ("answers of the other domain that woke", given["answers"] + 1, seen.one("answers").woken),
            ("questions that woke the other domain", given["answers"], seen.one("answered", domain=1).rounds)):
        if got != want:
            yield Finding(EXERCISE, what, want, got)
    naps = seen.one("naps")
    if not naps.taken <= naps.blocks <= 3 * naps.taken:
        yield Finding(EXERCISE, f"calls of block() for {naps.taken} naps of 3 ms", f"up to {3 * naps.taken}", naps.blocks)
