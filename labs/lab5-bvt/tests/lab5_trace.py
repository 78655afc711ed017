# SPDX-License-Identifier: MIT
"""What the judges of lab 5 that look at a machine share: when which domain had the processor.

Each domain notes when it ran, by the time stamp counter. QEMU makes that of the number of executed instructions, which no
hypervisor can turn. What they noted is held against the machine from outside: stretches of two domains must not overlap,
together they are no longer than the instructions that guests have executed, and there is a switch for each of them.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from atelier_grader.judge import Outside
from atelier_grader.observe import Seen

SWITCH = 20_000  # ns that the hypervisor takes between two stretches, at most
SLACK = 300_000  # ns from the end of a slice to the next domain: the timer's grain, the switch, somebody's call in between


@dataclass(frozen=True)
class Stretch:
    domain: int
    begin: int  # cycles, which are nanoseconds
    end: int


def stretches(seen: Seen, domains: range) -> list[Stretch]:
    """When they ran, in order, but for what was too short for others to notice it in their own notes.

    The counter begins long before the guests and does not wrap while they run.
    """
    found = []
    for d in domains:
        for begin, end in struct.iter_unpack("<2I", seen.one("ran", domain=d).stretches):
            if end - begin > SWITCH:
                found.append(Stretch(d, begin, end))
    return sorted(found, key=lambda s: s.begin)


def overlaps(found: list[Stretch]) -> int:
    """Pairs of neighbours that ran at the same time."""
    return sum(b.begin < a.end for a, b in zip(found, found[1:]))


def differs(seen: Seen, outside: Outside, found: list[Stretch], domains: range, others: int = 0) -> Iterator[tuple]:
    """(what, wanted, got) where what the guests noted does not fit what the machine did. `others`: switches not noted."""
    for d in domains:
        if seen.one("lost", domain=d).count:
            yield f"domain {d}: stretches for which it had no room", 0, seen.one("lost", domain=d).count
    if overlap := overlaps(found):
        yield "stretches in which two domains ran at once", 0, overlap
    noted, executed = sum(s.end - s.begin for s in found), outside.counters.guest + outside.counters.user
    if noted > executed * 1.1:
        yield "ns that domains noted together", f"up to {executed} executed instructions", noted
    switches = outside.count("vcpu_switch_in")
    if not len(found) * 0.9 - 10 <= switches <= len(found) * 1.1 + others + 50:
        yield "switches, counted from outside", f"about one for each of {len(found)} stretches", switches


def looks(found: list[Stretch], begin: int, end: int, domains: range) -> Iterator[list[int]]:
    """What each had received of begin..end, at each switch in it."""
    had = {d: 0 for d in domains}
    yield list(had.values())
    for s in found:
        time = min(s.end, end) - max(s.begin, begin)
        if time > 0:
            had[s.domain] += time
            yield list(had.values())


def gaps(found: list[Stretch], begin: int, end: int, domain: int) -> list[Stretch]:
    """What is left of begin..end for a domain that noted nothing: all that is longer than a switch, less a switch at each end."""
    between = [(a.end, b.begin) for a, b in zip(found, found[1:]) if begin < a.end and b.begin < end]
    switch = int(median(b - a for a, b in between if b - a < SWITCH))
    return [Stretch(domain, a + switch, b - switch) for a, b in between if b - a > SWITCH]
