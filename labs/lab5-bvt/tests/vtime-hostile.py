# SPDX-License-Identifier: MIT
"""Judges `vtime-hostile`: do alarms in the past, beyond the end of time, without end, or of the dead leave others in peace?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab5_bound  # noqa: E402
import lab5_trace  # noqa: E402

EXERCISE = "5.5"
PAST, NEVER, AGAIN, SPINS, DIES_ARMED = range(1, 6)
DOMAINS = (Guest("director"), Guest("vtime-hostile", args="act=0"), Guest("vtime-hostile", args="act=1"),
           Guest("vtime-hostile", args="act=2"), Guest("shares"), Guest("vtime-hostile", args="act=3"))
DIES = {DIES_ARMED}
TRACED = range(1, 5)
UNTIL = 100  # ms
LEAST = 0.8  # of its share has the one that spins


def inputs(rng: Random) -> dict:
    c = rng.randrange(2 * lab5_bound.ALLOWANCE_MIN, 5 * lab5_bound.ALLOWANCE_MIN)
    return {"domains": len(DOMAINS), "until": UNTIL, "wishes": [(d, 256, 0, 0, 0, c) for d in range(1, len(DOMAINS))]}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for d, least, most in ((PAST, 10, None), (NEVER, 0, 0), (AGAIN, 10, None)):
        got = seen.one("alarms", domain=d)
        if got.answer:
            yield Finding(EXERCISE, f"domain {d}: an answer to set_timer", 0, got.answer)
        if got.rung < least or (most is not None and got.rung > most):
            yield Finding(EXERCISE, f"domain {d}: alarms that came", f"{least} or more" if most is None else most, got.rung)
    found = lab5_trace.stretches(seen, TRACED)
    if overlap := lab5_trace.overlaps(found):
        yield Finding(EXERCISE, "stretches in which two domains ran at once", 0, overlap)
    most = UNTIL * 1_000_000 // lab5_bound.SLICE_MIN
    if (ticks := outside.count("timer_tick")) > most:
        yield Finding(EXERCISE, f"timer interrupts in {UNTIL} ms, most of them without any alarm", f"up to {most}", ticks)
    begin, end = seen.one("set").cycles, seen.one("then", 1).cycles
    ran = sum(max(min(s.end, end) - max(s.begin, begin), 0) for s in found if s.domain == SPINS)
    if ran < (want := LEAST * (end - begin) / len(TRACED)):
        yield Finding(EXERCISE, f"ns of {end - begin} that the one had that spins beside them", f"{want:.0f} or more", ran)
