# SPDX-License-Identifier: MIT
"""Judges `linux-four`: do four Linuxes at once have the processor by their weights, at every moment?

Each notes when it ran, by the time stamp counter: instructions of the machine, which no hypervisor can turn. What lies between two
notes of one domain, and in which nobody else ran, its kernel had: a tick.
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Created, Finding, Linux
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab5_bound  # noqa: E402
import lab5_trace  # noqa: E402
from lab5_trace import Stretch  # noqa: E402

EXERCISE = "whole"
MEMORY = 192
FOUR = range(1, 5)
DOMAINS = (Linux("linux-four", memory=49152, atl=True), *(Created() for _ in FOUR))

BEGIN, LENGTH = 10_000, 400  # ms of the machine's time: by then all have been up for long, and idle time costs nothing
LATE = 5_000_000  # ns after the others: who slept until the same moment
USED = 0.97  # of the time, by those that want all of it


def inputs(rng: Random) -> dict:
    return {"begin": BEGIN, "end": BEGIN + LENGTH, "allowance": rng.randrange(500, 2000),
            "weights": [rng.randrange(100, 1000) for _ in FOUR]}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for o in seen.all("atl"):
        if o.status:
            yield Finding(EXERCISE, f"atl, call {o.key} (4 times create, then sched): its status", 0, o.status)
    if (got := seen.one("all").domains) != len(DOMAINS):
        yield Finding(EXERCISE, "domains that there are, when all four have been created", len(DOMAINS), got)
    if (got := seen.one("set").ms) >= BEGIN:
        yield Finding(EXERCISE, "ms until four Linuxes were up and had their weights", f"less than {BEGIN}", got)
        return
    for d in FOUR:
        if lost := seen.one("lost", domain=d).count:
            yield Finding(EXERCISE, f"domain {d}: stretches for which it had no room", 0, lost)
    yield from judge_shares(given, lab5_trace.stretches(seen, FOUR))


def judge_shares(given: dict, found: list[Stretch]) -> Iterator[Finding]:
    if overlap := lab5_trace.overlaps(found):
        yield Finding(EXERCISE, "stretches in which two domains ran at once", 0, overlap)
    slow = given["allowance"] * 1000 * len(FOUR) + LATE
    begins = {d: min(s.begin for s in found if s.domain == d) for d in FOUR}
    for d, begin in begins.items():
        if begin > slow:
            yield Finding(EXERCISE, f"domain {d}: ns after the common moment at which it first ran", f"up to {slow}", begin)
            return
    runs = list(joined(found))
    begin, end = max(begins.values()), min(max(s.end for s in found if s.domain == d) for d in FOUR)
    looks = list(lab5_trace.looks(runs, begin, end, FOUR))
    weights, c = given["weights"], given["allowance"] * 1000
    used, ahead, behind, lead = lab5_bound.worst_pair(looks, weights, c, lab5_trace.SLACK)
    if used > 1:
        yield Finding(EXERCISE, f"weights {weights}, C {c} ns: virtual ns that domain {ahead + 1} got ahead of {behind + 1}",
                      f"up to {lead / used:.0f}", f"{lead:.0f}")
    if (had := sum(looks[-1])) < USED * (end - begin):
        yield Finding(EXERCISE, f"ns of {end - begin} that four domains had that want all of it", f"{USED:.0%} at least", had)


def joined(found: list[Stretch]) -> Iterator[Stretch]:
    """Neighbours of one domain are one stretch."""
    last = found[0]
    for s in found[1:]:
        if s.domain == last.domain:
            last = Stretch(last.domain, last.begin, s.end)
        else:
            yield last
            last = s
    yield last
