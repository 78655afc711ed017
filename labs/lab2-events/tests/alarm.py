# SPDX-License-Identifier: MIT
"""Judges `alarm`: does each deadline bring one event, never early and soon, and one that was taken back none?"""

from collections.abc import Iterator
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "2.6"

ONE, REPLACED, OFF, AT = 1, 2, 3, 4
KINDS = {ONE: "alone", REPLACED: "after another one that it replaces", OFF: "called off", AT: "far away"}
LATE = 50_000  # ns


def alarm(rng: Random, kind: int) -> tuple[int, int, int, int]:
    """(kind, delay, the second one's delay, whether to sleep)"""
    def delay() -> int:
        return rng.choice((rng.randrange(1, 2000), rng.randrange(2000, 300_000), rng.randrange(300_000)))
    first, second = delay(), delay() if kind == REPLACED else 0
    if kind in (REPLACED, OFF):
        first += 100_000  # or it has come before it is taken back
    return kind, first, second, 0 if kind == OFF else rng.randrange(2)


def inputs(rng: Random) -> dict:
    alarms = [alarm(rng, kind) for kind in (ONE, ONE, REPLACED, OFF) for _ in range(40)]
    rng.shuffle(alarms)
    # Behind these moments, the upper half of a time in 64 bits is another one. Sleeping costs nothing.
    for high in (1, 2):
        alarms += [(AT, (1 << 32) - rng.randrange(200_000, 400_000), high - 1, 1), (AT, rng.randrange(500_000), high, 1)]
    return {"alarms": alarms}


def encode(given: dict) -> bytes:
    return observe.encode((*given["alarms"], 0))


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, (kind, first, second, sleep) in enumerate(given["alarms"]):
        got = seen.one("alarm", key)
        what = f"alarm {key} ({KINDS[kind]}, {first} and {second} ns, {'asleep' if sleep else 'awake'})"
        want = 0 if kind == OFF else 1
        if got.count != want:
            yield Finding(EXERCISE, f"{what}: events", want, got.count)
        elif want:
            late = got.high << 32 | got.late & 0xffffffff
            if not 0 <= late < LATE:
                yield Finding(EXERCISE, f"{what}: ns late", f"0 to {LATE - 1}", late)
