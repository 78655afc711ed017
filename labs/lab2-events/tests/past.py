# SPDX-License-Identifier: MIT
"""Judges `past`: does a deadline at either end of time do what it says, and does setting them without end cost others nothing?"""

import errno
from collections.abc import Iterator
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

EXERCISE = "2.6"
DOMAINS = (Guest("past-neighbour"), Guest("past"))

FROM_NOW, FROM_ZERO = 0, 1
OFF = 0
STORM = 5000
SHARE = 0.4  # of two runnable domains each has half


def inputs(rng: Random) -> dict:
    """(from when, whether another alarm is set before, low and high word); whether it is to come: at once, later, never."""
    past = [OFF + 1, 2, rng.randrange(3, 1000), rng.randrange(1000, 1_000_000)]
    far = [(1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 2, rng.randrange(1 << 45, 1 << 64)]
    alarms = [(FROM_ZERO, OFF, "never"), *((FROM_ZERO, at, "once") for at in past), *((FROM_ZERO, at, "never") for at in far),
              (FROM_NOW, (1 << 64) - 1, "once"), (FROM_NOW, (1 << 64) - rng.randrange(2, 1000), "once"),
              (FROM_NOW, 0, "once"), (FROM_NOW, 1, "later"), (FROM_NOW, 2, "later"), (FROM_NOW, rng.randrange(3, 2000), "later")]
    alarms = [(origin, armed, at, when) for origin, at, when in alarms for armed in (0, 1)]
    rng.shuffle(alarms)
    refused = [(2, 0), (1 << 31, 0), (0, 1), (0, 1 << 31), ((1 << 32) - 2, 0)]
    return {"alarms": [(origin, armed, at & 0xffffffff, at >> 32) for origin, armed, at, _ in alarms], "refused": refused,
            "storm": STORM, "when": [when for *_, when in alarms]}


def encode(given: dict) -> bytes:
    return observe.encode({name: given[name] for name in ("alarms", "refused", "storm")})


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, ((origin, armed, low, high), when) in enumerate(zip(given["alarms"], given["when"], strict=True)):
        got, then = seen.one("alarm", i, domain=1), seen.one("then", i, domain=1)
        at = f"{'now + ' if origin == FROM_NOW else ''}{high << 32 | low:#x}{', another one being set' if armed else ''}"
        want = 0 if when == "never" else 1
        if (got.answer, got.count) != (0, want):
            yield Finding(EXERCISE, f"an alarm at {at}: the answer, events", (0, want), (got.answer, got.count))
        if when == "once" and not got.once:
            yield Finding(EXERCISE, f"an alarm at {at}, which is past: events when the call is over", 1, got.once)
        if then.count != 1:
            yield Finding(EXERCISE, f"an alarm in 1 us, after one at {at}: events", 1, then.count)
    for i, (flags, reserved) in enumerate(given["refused"]):
        got = seen.one("refused", i, domain=1)
        if (got.answer, got.count) != (-errno.EINVAL, 0):
            yield Finding(EXERCISE, f"set_timer() with flags {flags:#x}, reserved {reserved:#x}: the answer, events",
                          (-errno.EINVAL, 0), (got.answer, got.count))
    storm, own, work = seen.one("storm", domain=1), seen.one("own"), seen.one("work")
    if storm.come != storm.alarms:
        yield Finding(EXERCISE, "alarms set in the handler, each past", storm.alarms, storm.come)
    if own.come != own.set:
        yield Finding(EXERCISE, "the neighbour's alarms", own.set, own.come)
    if work.cycles * SHARE > work.instructions:
        yield Finding(EXERCISE, "cycles that the neighbour's work took", f"up to {work.instructions / SHARE:.0f}", work.cycles)
