# SPDX-License-Identifier: MIT
"""Judges `fast-switch`: does each domain's fast gate go and come with it, and nothing else with that?

A gate that is lost in passing may be the clock's: then the machine stands still, and the runner says so.
"""

from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

EXERCISE = "2.5"
DOMAINS = (Guest("fast-switch"), Guest("fast-switch"), Guest("fast-switch"))

NONE = 0xffffffff
FAST = (0x80, *range(0x20, 0x30))
ROUNDS, PARTS, CALLS = 24, 4, 10


def inputs(rng: Random) -> dict:
    """(two vectors, the fast one of them or none) for each part of each domain. Each domain has none once."""
    scripts = []
    for _ in DOMAINS:
        script = []
        for _ in range(PARTS - 1):
            vectors = rng.sample(FAST, 2)
            script.append((*vectors, rng.choice(vectors)))
        script.insert(rng.randrange(PARTS), (*rng.sample(FAST, 2), NONE))
        scripts.append(script)
    return {"rounds": ROUNDS, "parts": PARTS, "scripts": tuple(tuple(script) for script in scripts)}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for d, script in enumerate(given["scripts"]):
        for i, (first, second, fast) in enumerate(script):
            got = seen.one("part", i, domain=d)
            by_gate = 0 if fast == NONE else ROUNDS * CALLS
            want = (0, ROUNDS, by_gate, 2 * ROUNDS * CALLS - by_gate)
            if (seen_now := (got.answer, got.ended, got.first, got.second)) != want:
                yield Finding(EXERCISE, f"domain {d}, INT {first:#x} and {second:#x}, fast {fast:#x}: answer, rounds, calls by the "
                              "gate and by the table", want, seen_now)
        want = ROUNDS // 4 * PARTS
        if (come := seen.one("alarms", domain=d).come) != want:
            yield Finding(EXERCISE, f"alarms of domain {d}", want, come)
