# SPDX-License-Identifier: MIT
"""Judges `virtual-alarm`: does the alarm come once, at its virtual time, whoever ran meanwhile?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab5_bound  # noqa: E402

EXERCISE = "5.5"
PLAIN, SLEEPS, REPLACED, OFF = range(4)
KINDS = ("", ", it sleeps in between", ", armed for another time first", ", disarmed")
DOMAINS = (Guest("director"), Guest("shares"), Guest("virtual-alarm"))
WORKERS = (1, 2)
UNTIL = 150  # ms
LATE = 100_000  # ns: the timer's grain, and the event


def inputs(rng: Random) -> dict:
    kinds = [PLAIN, SLEEPS, REPLACED] * 3 + [OFF]
    alarms = [(kind, rng.randrange(300_000, 3_000_000)) for kind in rng.sample(kinds, len(kinds))]
    return {"domains": len(DOMAINS), "until": UNTIL,
            "wishes": [(d, 256, 0, 0, 0, 2 * lab5_bound.ALLOWANCE_MIN) for d in WORKERS], "alarms": alarms}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, (kind, ns) in enumerate(given["alarms"]):
        got = seen.one("alarm", i, domain=2)
        what = f"alarm {i}, {ns} ns of virtual time from then on{KINDS[kind]}"
        if got.answer:
            yield Finding(EXERCISE, f"{what}: the answer", 0, got.answer)
        elif got.count != int(kind != OFF):
            yield Finding(EXERCISE, f"{what}: how often it came", int(kind != OFF), got.count)
        elif not 0 <= got.late <= LATE:
            yield Finding(EXERCISE, f"{what}: ns of virtual time that it came late", f"0 to {LATE}", got.late)
