# SPDX-License-Identifier: MIT
"""Judges `vtime`: does a domain's virtual time pass while it has the processor, and at no other time?"""

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
WORKERS = range(1, 5)
DOMAINS = (Guest("director"), Guest("vtime"), Guest("vtime"), Guest("vtime", args="naps=1"), Guest("vtime", args="naps=1"))

UNTIL = 120  # ms
PER_STRETCH = 10_000  # ns that the hypervisor takes at its beginning or end, and counts or does not


def inputs(rng: Random) -> dict:
    c = rng.randrange(2 * lab5_bound.ALLOWANCE_MIN, 10 * lab5_bound.ALLOWANCE_MIN)
    return {"domains": len(DOMAINS), "until": UNTIL,
            "wishes": [(d, rng.randrange(100, 1000), 0, 0, 0, c) for d in WORKERS]}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    found = lab5_trace.stretches(seen, WORKERS)
    for what, want, got in lab5_trace.differs(seen, outside, found, WORKERS):
        yield Finding(EXERCISE, what, want, got)
    together = 0
    for d in WORKERS:
        own = [s for s in found if s.domain == d]
        notes = seen.all("at", domain=d)
        times = [o.virtual_high << 32 | o.virtual for o in notes]
        for i, (before, after) in enumerate(zip(notes, notes[1:])):
            if after.real >= UNTIL * 1000:  # others are at their end: whoever runs pays for burying them
                break
            pieces = [min(s.end, after.cycles) - max(s.begin, before.cycles) for s in own]
            pieces = [ns for ns in pieces if ns > 0]
            ran, passed = sum(pieces), times[i + 1] - times[i]
            if abs(passed - ran) > PER_STRETCH * (len(pieces) + 1):
                yield Finding(EXERCISE, f"domain {d}, piece {i}: ns of virtual time that passed",
                              f"about {ran}, in {len(pieces)} stretches", passed)
                break
        if times[-1] > notes[-1].real * 1000 + 1000:
            yield Finding(EXERCISE, f"domain {d}: its virtual time at the end, in ns", f"up to {notes[-1].real * 1000}", times[-1])
        together += times[-1]
    elapsed = max(seen.all("at", domain=d)[-1].real for d in WORKERS) * 1000
    if together > elapsed:
        yield Finding(EXERCISE, "the virtual times of all domains together, in ns", f"up to {elapsed}", together)
