# SPDX-License-Identifier: MIT
"""Judges `yield-storm`: does a yield let another one go first, and is nothing left of domains that die in any state?"""

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

EXERCISE = "5.3"
SPINNER, YIELDER, YIELDS_LATER, BLOCKERS, SLEEPER = 1, 2, 3, (4, 5), 6
DOMAINS = (Guest("yield-storm"), Guest("shares"), Guest("yield-storm", args="act=0"), Guest("yield-storm", args="act=3"),
           *(Guest("yield-storm", args="act=1") for _ in BLOCKERS), Guest("yield-storm", args="act=2"))
DIES = {YIELDER, YIELDS_LATER, *BLOCKERS, SLEEPER}
DESTROY, PAUSE = 2, 3  # of control_op
UNTIL, STOP = 65, 40  # ms: all, the storm that is looked at
LEAST = 0.8  # of its share has the one that spins


def inputs(rng: Random) -> dict:
    c = rng.randrange(lab5_bound.ALLOWANCE_MIN, 3 * lab5_bound.ALLOWANCE_MIN)
    deaths = [[(PAUSE, YIELDER), (DESTROY, YIELDER)], [(DESTROY, YIELDS_LATER)], [(DESTROY, BLOCKERS[0])],
              [(PAUSE, BLOCKERS[1]), (DESTROY, BLOCKERS[1])], [(DESTROY, SLEEPER)]]
    rng.shuffle(deaths)
    ms, steps = STOP + 5, []
    for death in deaths:
        ms += rng.randrange(1, 4)
        steps += [(ms, *step) for step in death]
    return {"domains": len(DOMAINS), "until": UNTIL, "stop": STOP,
            "wishes": [(d, 256, 0, 0, 0, c) for d in range(1, len(DOMAINS))], "steps": steps}


def encode(given: dict) -> bytes:
    """As shares.c reads it, too."""
    return observe.encode({name: given[name] for name in ("domains", "until", "stop", "wishes", "steps")})


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for i, step in enumerate(given["steps"]):
        if answer := seen.one("control", i).answer:
            yield Finding(EXERCISE, f"the answer to control {step[1]} of domain {step[2]}", 0, answer)
    times = {d: seen.one("storm", domain=d).count for d in (YIELDER, *BLOCKERS)}
    if min(times.values()) < 100:
        yield Finding(EXERCISE, f"yields or blocks of each in {STOP} ms", "100 or more", list(times.values()))
    yields = times[YIELDER]
    if (switches := outside.count("vcpu_switch_in")) < yields * 0.9:
        yield Finding(EXERCISE, f"switches, with {yields} yields while others could run", "one for each, and more", switches)
    found = lab5_trace.stretches(seen, range(SPINNER, SPINNER + 1))
    begin, end = seen.one("set").cycles, seen.one("then", 1).cycles
    ran = sum(max(min(s.end, end) - max(s.begin, begin), 0) for s in found)
    if ran < (want := LEAST * (end - begin) / (3 + len(BLOCKERS))):
        yield Finding(EXERCISE, f"ns of {end - begin} that the one had that spins beside them", f"{want:.0f} or more", ran)
