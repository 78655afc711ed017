# SPDX-License-Identifier: MIT
"""Judges `gdt-frames`: is a table taken whole or not at all, whichever of its frames is wrong, and given back whole?

What happened to frames is recounted from raw memory (tests/host/audit.c), not from the hypervisor's own records.
"""

import errno
import struct
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
from lab4_model import A_FRAME, DATA1, DOWN, Descriptor, G, PRESENT, make  # noqa: E402

EXERCISE = "4.2"

NEW, OLD = 20, 38  # pseudo-physical frames, as in gdt-frames.c
TABLE, WRITABLE, SHARED, FOREIGN, VOID, LAST = 1, 3, 2, 1000, 1001, 1002
NONE = 0xffffffff
NO_FRAME = (-errno.EINVAL, -errno.EPERM)
MOST = 16 * A_FRAME
GOOD = make(0, 0xfc3ff, DATA1 | G)
BAD = (make(0, 0, 0xc | 0x60 | PRESENT), make(0, 0, DATA1 | DOWN | G), make(0, 0, DATA1 & ~0x60))


@dataclass(frozen=True)
class Case:
    what: str
    entries: int
    names: tuple[int, ...]
    answers: tuple[int, ...]
    old: int = 0  # entries of the table before
    fills: tuple[tuple[int, int, Descriptor], ...] = ()  # frame, slot
    moment: int = NONE  # the last of these is stored through a remembered address, after so many seam calls
    dies: bool = False

    def told(self) -> tuple:
        return (self.old, self.entries, list(self.names), [(f, s, d.low, d.high) for f, s, d in self.fills], self.moment, self.dies)


def frames(n: int) -> tuple[int, ...]:
    return tuple(NEW + i for i in range(n))


def slot(rng: Random, frame: int) -> int:
    """Any that is not reserved, borders often."""
    return rng.choice((511, rng.randrange(16, 512), 16 if frame >= model.RESERVED_FRAME else 0))


def borders() -> Iterator[Case]:
    for entries in (0, 1, 511, 512, 513, 1024, 1025, 13 * A_FRAME + 1, 14 * A_FRAME, 14 * A_FRAME + 1, 15 * A_FRAME,
                    15 * A_FRAME + 1, MOST - 1, MOST, MOST + 1, 0x80000001, NONE):
        good = 1 <= entries <= MOST
        n = -(-entries // A_FRAME) if good else 17
        yield Case(f"{entries:#x} entries", entries, frames(n), (0,) if good else (-errno.EINVAL,), 600, dies=good)


def one_wrong(rng: Random, n: int, k: int) -> Iterator[Case]:
    def named(name: int) -> tuple[int, ...]:
        return frames(k) + (name,) + frames(n)[k + 1:]

    entries, old, of = n * A_FRAME, rng.choice((1, 600, MOST)), f"frame {k} of {n}"
    yield Case(f"{of} has a bad descriptor", entries, frames(n), (model.REFUSED,), old,
               ((NEW + k, slot(rng, k), rng.choice(BAD)),), dies=k % 4 == 0)
    yield Case(f"{of} has good ones", entries, frames(n), (0,), old, ((NEW + k, slot(rng, k), GOOD),), dies=k % 4 == 1)
    for name, what, answers in ((WRITABLE, "writable", (-errno.EBUSY,)), (TABLE, "a page table", (-errno.EBUSY,)),
                                (SHARED, "the shared page", (-errno.EBUSY,)), (FOREIGN, "another domain's", (-errno.EPERM,)),
                                (VOID, "no frame", NO_FRAME), (LAST, "no frame at all", NO_FRAME)):
        if rng.random() < 0.4 or n == 16:
            yield Case(f"{of} is {what}", entries, named(name), answers, old)
    if k > 0:
        yield Case(f"{of} is the same as another", entries, named(NEW + rng.randrange(k)), (-errno.EINVAL, -errno.EBUSY), old)


def stale(rng: Random) -> Iterator[Case]:
    for n in (1, 2, 5):
        for moment in range(4 * n + 10):
            k = rng.randrange(n)
            yield Case(f"frame {k} of {n} is written by a remembered address, at moment {moment}", n * A_FRAME, frames(n),
                       (0, model.REFUSED), 600, ((NEW + k, slot(rng, k), rng.choice(BAD)),), moment)


def inputs(rng: Random) -> dict:
    cases = list(borders()) + list(stale(rng))
    for n in (1, 2, 3, 14, 16):
        for k in range(n):
            cases += one_wrong(rng, n, k)
    cases.append(Case("frames of the old table again", MOST, tuple(OLD + (i + 2) % 16 for i in range(16)), (0,), MOST, dies=True))
    cases.append(Case("the old table shrinks", 1, (OLD + 14,), (0,), MOST, dies=True))
    return {"cases": cases}


def encode(given: dict) -> bytes:
    return observe.encode([c.told() for c in given["cases"]])


def window(c: Case, answer: int) -> list[int]:
    """The frames that the processor has to see, in order."""
    if answer == 0:
        names = list(c.names)
    else:
        names = [OLD + i for i in range(-(-c.old // A_FRAME))]
    return names + [NONE] * (16 - len(names))


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, c in enumerate(given["cases"]):
        answer = seen.one("set", i).answer
        if answer not in c.answers:
            yield Finding(EXERCISE, f"{c.what}: the answer", c.answers[0], answer)
        if c.moment == NONE and (changed := seen.one("refused", i).changed):
            yield Finding(EXERCISE, f"{c.what}: what a refused call changed", "nothing", changed.decode())
        got = list(struct.unpack("<16I", seen.one("window", i).names))
        if len(c.names) <= 16 and got != (want := window(c, answer)):
            yield Finding(EXERCISE, f"{c.what}: the frames that the processor sees", want, got)
        if text := seen.one("audit", i).text:
            yield Finding(EXERCISE, f"{c.what}: afterwards", "nothing out of step", text.decode())
        if c.dies:
            if not seen.one("gone", i).yes:
                yield Finding(EXERCISE, f"{c.what}, and death: the domain", "gone", "some of its frames never came home")
            if text := seen.one("audit-dead", i).text:
                yield Finding(EXERCISE, f"{c.what}, and death", "nothing out of step", text.decode())
