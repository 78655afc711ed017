# SPDX-License-Identifier: MIT
"""Judges `update-where`: does a descriptor get where descriptors or plain memory are, and nowhere else?"""

import errno
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_model as model  # noqa: E402
from lab4_model import CODE1, DATA1, DATA3, DOWN, Descriptor, G, PAGE, PRESENT, make  # noqa: E402

EXERCISE = "4.4"

# Pseudo-physical frames, as in update-where.c.
DIRECTORY, TABLE, SHARED, WRITABLE, GDT, LDT, PINNED, LOOSE, READ = 0, 1, 2, 3, 20, 36, 40, 41, 42
FOREIGN, VOID, LAST = 1000, 1001, 1002
GOOD = (make(0x1000, 0xff, DATA1), make(0, 0xfffff, DATA3 | G), make(0, 0xfffff, CODE1 | G), make(0, 0, 0),
        make(0xffffffff, 0xfffff, 0x7f), make(0x10000000, 0xeffff, DATA3 | DOWN | G))
BAD = (make(0, 0, 0xc | 0x60 | PRESENT), make(0, 0, DATA1 | DOWN | G), make(0, 0, DATA1 & ~0x60), make(0xffff0000, 0xffff, DATA1))
BUSY, PERM, INVALID = -errno.EBUSY, -errno.EPERM, -errno.EINVAL


@dataclass(frozen=True)
class Case:
    what: str
    frame: int
    offset: int
    descriptor: Descriptor
    answers: tuple[int, ...]


def reserved(frame: int, offset: int) -> bool:
    return GDT + 14 <= frame <= GDT + 15 and offset < 16 * 8


def cases(rng: Random) -> Iterator[Case]:
    tables = [GDT, GDT + 1, GDT + 13, GDT + 14, GDT + 15, LDT, LDT + 1]
    for frame in tables + [WRITABLE, SHARED, LOOSE, READ]:
        for offset in (0, 8, 15 * 8, 16 * 8, PAGE - 8, rng.randrange(512) * 8):
            good, bad = rng.choice(GOOD), rng.choice(BAD)
            plain = (0,) if frame not in tables else ()
            if reserved(frame, offset):
                yield Case("a good one", frame, offset, good, (PERM,))
                yield Case("a bad one", frame, offset, bad, (PERM, model.REFUSED))
            else:
                yield Case("a good one", frame, offset, good, (0,))
                yield Case("a bad one", frame, offset, bad, (model.REFUSED, *plain))
    for frame, answers in ((DIRECTORY, (BUSY,)), (TABLE, (BUSY,)), (PINNED, (BUSY,)), (FOREIGN, (PERM,)), (VOID, (INVALID, PERM)),
                           (LAST, (INVALID, PERM))):
        for offset in (0, 0x100, PAGE - 8, rng.randrange(512) * 8):
            for d in GOOD:  # an absent one is an absent entry, too
                yield Case("a good one", frame, offset, d, answers)
    for frame in (GDT, LDT, WRITABLE, TABLE, FOREIGN, LAST):
        for offset in range(1, 8):
            yield Case("unaligned", frame, offset + rng.choice((0, 0x200, PAGE - 8)), rng.choice(GOOD),
                       (INVALID,) if frame in (GDT, LDT, WRITABLE) else (INVALID, PERM, BUSY))


def inputs(rng: Random) -> dict:
    drawn = list(cases(rng))
    return {"cases": rng.sample(drawn, len(drawn))}


def encode(given: dict) -> bytes:
    return observe.encode([(c.frame, c.offset, c.descriptor.low, c.descriptor.high) for c in given["cases"]])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, c in enumerate(given["cases"]):
        o = seen.one("update", i)
        name = f"{c.what}, {c.descriptor}, to offset {c.offset:#x} of frame {c.frame}"
        if o.answer not in c.answers:
            yield Finding(EXERCISE, f"{name}: the answer", c.answers[0], o.answer)
        if changed := seen.one("refused", i).changed:
            yield Finding(EXERCISE, f"{name}: what a refused call changed", "nothing", changed.decode())
        if o.answer == 0 and model.must_accept(c.descriptor):
            if fault := model.wrong(c.descriptor, True, Descriptor(o.low, o.high)):
                yield Finding(EXERCISE, f"{name}: what stands there", *fault)
        if text := seen.one("audit", i).text:
            yield Finding(EXERCISE, f"{name}: afterwards", "nothing out of step", text.decode())
