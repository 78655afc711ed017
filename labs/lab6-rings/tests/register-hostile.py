# SPDX-License-Identifier: MIT
"""Judges `register-hostile`: does what can be no ring leave everything as it was, and does a death wait for whoever is at work?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab6_model as model  # noqa: E402
from lab6_model import (  # noqa: E402
    DEVICES, DIRECTORY, FOREIGN, FREE, PAGE, PAGES, PORTS, RAW, SHARED, SLOT, SLOTS, TABLE, Script)

encode = model.encode

EXERCISE = "6.1"
CLOSED_PORTS = (0, 5, 1023, 1024, 0x80000000, 0xfffffffd)


def inputs(rng: Random) -> dict:
    s = Script()
    bad = [lambda r, f=f, e=e: s.register_refused(r, e, f) for e, f in (
        (errno.EBUSY, (TABLE, 0)), (errno.EBUSY, (DIRECTORY, 0)), (errno.EBUSY, (SHARED, 0)), (errno.EPERM, (FOREIGN, 1)),
        (errno.EPERM, (FREE, 0)), (errno.EPERM, (SLOT, 0)), (errno.EINVAL, (RAW, 128)), (errno.EINVAL, (RAW, 0xfffff)),
        (errno.EINVAL, (RAW, 0xffffffff)))]
    bad += [lambda r, p=p: s.register_refused(r, errno.EINVAL, (PAGE, r), PORTS + p) for p in CLOSED_PORTS]
    bad += [lambda r, d=d: s.register_refused(r, errno.ENODEV, (PAGE, r), device=d) for d in (DEVICES, 4, 0x80000000)]
    bad += [lambda r: s.register_refused(r, errno.EINVAL, (PAGE, r), reserved=1 << rng.randrange(32))]
    for step in rng.sample(bad, len(bad)):
        step(rng.randrange(3))
    for page in range(PAGES):
        s.unmap(0, page)
        s.retype(0, page, rng.random() < 0.5)
    s.register(0, rng.randrange(PAGES), 0)
    s.produce(0, SLOTS)
    for _ in range(rng.randrange(2, SLOTS)):
        s.take(0)
    s.respond(0, [1])
    s.register(2, rng.randrange(PAGES), 1)
    s.die(0)
    s.produce(2, 5)
    for _ in range(5):
        s.take(2)
    s.respond(2, [3])
    s.claim(2, rng.choice((SLOTS + 1, 0, 0x80000000)))
    s.take(2)
    return {"script": s}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
