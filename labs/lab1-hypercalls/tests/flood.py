# SPDX-License-Identifier: MIT
"""Judges `flood`: can a guest that talks without end print more than it has, or take more than its share?"""

import errno
from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

EXERCISE = "1.4"
DOMAINS = (Guest("flood-neighbour"), Guest("flood"))

PAGE = 4096
LINE = 0xfc000000
WINDOWS = 0xfb800000  # of a guest that lies at 0xfbc00000
READONLY, HOLE, USER, END = (WINDOWS + n * PAGE for n in (4, 8, 12, 16))
MOST = 4096  # CONSOLE_WRITE_MAX
CANARY = 0x0ddba11
HUGE = (1 << 31, (1 << 32) - 1, (1 << 32) - PAGE, 1 << 30)

# Two runnable domains: each has half, in slices of 10 ms; a call may end a little after the slice does.
SHARE = 0.4


def inputs(rng: Random) -> dict:
    """Places and counts. Each byte of the first kind of place is 1, of the user pages 2, of the last page 3."""
    calls = [(WINDOWS + rng.randrange(PAGE), count) for count in HUGE]
    for count in (*HUGE, 4097, PAGE, rng.randrange(1, 500)):
        calls += [(border - rng.randrange(1, 500), count) for border in (END, LINE)]
    calls += [(END - 1, count) for count in HUGE] + [(LINE - 1, count) for count in HUGE]
    calls += [(at, count) for count in (1, *HUGE) for at in (HOLE, USER - 1, LINE, LINE + 1, 0xfc400000, 0xfffffff0)]
    rng.shuffle(calls)
    return {"calls": calls}


def printed(at: int, count: int) -> int:
    """The answer: how many bytes of the call can be read and may be printed."""
    if HOLE <= at < USER or at >= LINE:
        return -errno.EFAULT
    return min(count, MOST, next(border for border in (HOLE, END, LINE) if at < border) - at)


def place(at: int) -> int:
    return 1 if at < READONLY else 2 if at < END else 3


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    said = {1: 0, 2: 0, 3: 0}
    for i, (at, count) in enumerate(given["calls"]):
        want = printed(at, count)
        if (got := seen.one("said", i, domain=1).answer) != want:
            yield Finding(EXERCISE, f"console_write() of {count:#x} bytes at {at:#x}", want, got)
        said[place(at)] += max(want, 0)

    calls = seen.one("calls", domain=1)
    want = ((calls.asked + 63) // 64, calls.asked - (calls.asked + 63) // 64)
    if (calls.printed, calls.refused) != want:
        yield Finding(EXERCISE, "of many calls: printed, refused", want, (calls.printed, calls.refused))
    said[1] += want[0]
    for byte, want in said.items():
        if (got := outside.serial.count(byte)) != want:
            yield Finding(EXERCISE, f"bytes {byte} on the line", want, got)

    work = seen.one("work")
    if work.cycles * SHARE > work.instructions:
        yield Finding(EXERCISE, "cycles that the neighbour's work took", f"up to {work.instructions / SHARE:.0f}",
                      work.cycles)
    if (canary := int.from_bytes(outside.variable("stack_canary"), "little")) != CANARY:
        yield Finding(EXERCISE, "the word half-way down the hypervisor's stack", CANARY, canary)
