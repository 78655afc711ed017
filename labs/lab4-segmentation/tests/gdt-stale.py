# SPDX-License-Identifier: MIT
"""Judges `gdt-stale`: is a table safe from addresses that the processor remembers, and does it let go of what was there before?"""

from collections.abc import Iterator

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

EXERCISE = "4.2"
MEMORY = 32
DOMAINS = (Guest("neighbour", args="machine=8192"), Guest("gdt-stale", memory=2048), Guest("gdt-stale", memory=2048, args="victim=1"))

PAGE_FAULT, WRITE = 14, 3  # present, written
SELECTOR = 5 << 3 | 1


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i in range(4):
        name = f"a write to a loaded {('GDT', 'LDT')[i % 2]} through a remembered address"
        stale, stands = seen.one("stale", i, domain=1), seen.one("stands", i, domain=1)
        if stale.answer != 0:
            yield Finding(EXERCISE, f"{name}: what loading the table answered", 0, stale.answer)
        if (stale.vector, stale.error) != (PAGE_FAULT, WRITE):
            yield Finding(EXERCISE, f"{name}: trap and error", (PAGE_FAULT, WRITE), (stale.vector, stale.error))
        if stands.low != 0x400000ff or stands.high & ~0x100 != 0xbf40f2c0:
            yield Finding(EXERCISE, f"{name}: what stands there", "bf40f2c0:400000ff", f"{stands.high:08x}:{stands.low:08x}")

    changes = seen.one("changes", domain=1)
    if changes.loaded != changes.asked + 1:
        yield Finding(EXERCISE, "tables loaded, one after the other", changes.asked + 1, changes.loaded)
    if changes.returned != changes.asked:
        yield Finding(EXERCISE, "tables that could be written again after the next one was loaded", changes.asked, changes.returned)

    lost = seen.one("lost", domain=1)
    want = (0, 0, 1, SELECTOR)
    if (got := (lost.first, lost.second, lost.times, lost.extra & 0xffff)) != want:
        yield Finding(EXERCISE, "a loaded selector that the new table has not: answers, failsafe callbacks, GS in them", want, got)

    full = seen.one("full", domain=2)
    if (full.gdt, full.ldt) != (0, 0):
        yield Finding(EXERCISE, "what loading tables of sixteen frames answered", (0, 0), (full.gdt, full.ldt))
    home = sum(seen.one("has", domain=domain).frames for domain in (1, 2))
    free = seen.one("free")
    if free.after - free.before != home:
        yield Finding(EXERCISE, "frames that came home from two dead domains", home, free.after - free.before)
    neighbour = seen.one("neighbour")
    if neighbour.good != neighbour.asked:
        yield Finding(EXERCISE, "good calls of the other domain", neighbour.asked, neighbour.good)
