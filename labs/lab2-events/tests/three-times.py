# SPDX-License-Identifier: MIT
"""Judges `three-times`: do the clocks go forwards, at the right speed, together, and can a torn reading be told?"""

from collections.abc import Iterator

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

EXERCISE = "2.6"
DOMAINS = (Guest("three-times"), Guest("three-times"))

# The machine's clock goes in ns, and so does its time stamp counter: QEMU counts 1 ns an instruction.
DRIFT = 10_000  # ns, over the whole run, either way
START = 1_066_521_600 * 10**9  # the moment that QEMU is told to begin at: 2003-10-19 00:00 UTC
WALL = 2 * 10**9  # a real-time clock counts in seconds, and reading it takes time


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    offsets = []
    for d in range(len(DOMAINS)):
        read, torn = seen.one("read", domain=d), seen.one("torn", domain=d)
        if read.back:
            yield Finding(EXERCISE, f"domain {d}: readings, of {read.readings}, that were before the last one", 0, read.back)
        if read.changes < 100:
            yield Finding(EXERCISE, f"domain {d}: turns after which the version was another", "100 or more", read.changes)
        if torn.changed < torn.rounds // 2:
            yield Finding(EXERCISE, f"domain {d}: times that a turn changed the clock's page, of {torn.rounds}",
                          f"{torn.rounds // 2} or more", torn.changed)
        if torn.believed or torn.odd:
            yield Finding(EXERCISE, f"domain {d}: torn readings that look good, odd versions at rest", (0, 0),
                          (torn.believed, torn.odd))
        for n in seen.all("note", domain=d):
            real, tsc = n.high << 32 | n.real, n.tschigh << 32 | n.tsc
            wall, virtual = n.wallhigh << 32 | n.wall, n.virtualhigh << 32 | n.virtual
            offsets.append((d, n.key, real - tsc, wall - real))
            if virtual > real:
                yield Finding(EXERCISE, f"domain {d}, note {n.key}: virtual time, which stands still at times", f"up to {real}",
                              virtual)
    _, _, offset, wall = offsets[0]
    for d, key, other, other_wall in offsets:
        if abs(other - offset) > DRIFT:
            yield Finding(EXERCISE, f"domain {d}, note {key}: ns between its clock and the machine's, against the first note",
                          f"{-DRIFT} to {DRIFT}", other - offset)
        if other_wall != wall:
            yield Finding(EXERCISE, f"domain {d}, note {key}: wall-clock time less real time", wall, other_wall)
    if abs(wall - START) > WALL:
        yield Finding(EXERCISE, "the wall clock when real time was 0", f"{START}, or {WALL} ns from it", wall)
