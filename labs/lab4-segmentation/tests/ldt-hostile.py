# SPDX-License-Identifier: MIT
"""Judges `ldt-hostile`: does the right to a table belong to frames, though it is asked for by address?"""

import errno
from collections.abc import Iterator
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

EXERCISE = "4.3"
DOMAINS = (Guest("neighbour"), Guest("ldt-hostile"))

PAGE, LINE, FENCE, WORDS = 4096, 0xfc000000, 0xfc400000, 1 << 32
OWN = 0xc0000000  # of the guest's own memory, writable: no LDT either
SELECTOR = 7 << 3 | 4
NOTHING, PROTECTION = 0xffffffff, 13
BUSY, FAULT, INVALID, ACCESS = -errno.EBUSY, -errno.EFAULT, -errno.EINVAL, -errno.EACCES

# What each step answers, and why.
STEPS = (
    ("first", (0,), "a good LDT"),
    ("writable-elsewhere", (BUSY,), "a page that is writable at another address"),
    ("not-any-more", (0,), "the same page when it is not any more"),
    ("alias-later", (BUSY,), "mapping it writable at another address afterwards"),
    ("own-later", (BUSY,), "making it writable at its own address"),
    ("before-again", (0,), "making the LDT before it writable again"),
    ("before-hole", (0,), "the page before the hole"),
    ("unmapped", (BUSY,), "making an LDT writable elsewhere, once it is unmapped where it was"),
    ("replaced", (BUSY,), "the same when another page is there"),
    ("none", (0,), "no LDT"),
    ("free-again", (0,), "making it writable when it is no LDT any more"),
    ("bad", (ACCESS,), "a ring-0 descriptor in the second page"),
    ("good-part", (0,), "the first page of these"),
)
# After which step the selector shows what: how much is added to the first value; None: nothing.
LOOKS = (0, 0, 1, 1, 2, 2, 2, None, 5)


def inputs(rng: Random) -> dict:
    ranges = [(LINE - PAGE, 513, FAULT), (LINE, 1, FAULT), (LINE, 512, FAULT), (FENCE, 1, FAULT), (WORDS - PAGE, 512, FAULT),
              (WORDS - PAGE, 513, FAULT), (0xff000000, 8192, FAULT), (LINE - 16 * PAGE, 8192, FAULT), (OWN, 8193, INVALID),
              (OWN, WORDS - 1, INVALID), (OWN, 1 << 31, INVALID), (OWN + rng.randrange(1, PAGE), 512, INVALID), (OWN + 8, 1, INVALID)]
    rng.shuffle(ranges)
    return {"value": rng.randrange(200), "ranges": ranges}


def encode(given: dict) -> bytes:
    return observe.encode((given["value"], [(va, entries) for va, entries, _ in given["ranges"]]))


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for name, answers, what in STEPS:
        if (got := seen.one(name, domain=1).answer) not in answers:
            yield Finding(EXERCISE, f"{what}: the answer", answers[0], got)
    for i, (va, entries, want) in enumerate(given["ranges"]):
        if (got := seen.one("range", i, domain=1).answer) != want:
            yield Finding(EXERCISE, f"set_ldt({va:#x}, {entries}): the answer", want, got)
    for i in range(3):
        if (got := seen.one("hole", i, domain=1).answer) != FAULT:
            yield Finding(EXERCISE, "an LDT with a page that is not mapped: the answer", FAULT, got)
    for i, more in enumerate(LOOKS):
        o = seen.one("look", i, domain=1)
        want = (PROTECTION, SELECTOR) if more is None else (NOTHING, given["value"] + more)
        if (got := (o.vector, o.error if more is None else o.value)) != want:
            yield Finding(EXERCISE, f"look {i}: trap, and error or first byte of the segment", want, got)
    neighbour = seen.one("neighbour")
    if neighbour.good != neighbour.asked:
        yield Finding(EXERCISE, "good calls of the other domain", neighbour.asked, neighbour.good)
