# SPDX-License-Identifier: MIT
"""Judges `register`: does a page become a ring, and only one that may, and is it the guest's again afterwards?"""

import errno
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lab6_consoles import GONE, SLOTS, Script  # noqa: E402

EXERCISE = "6.1"
DOMAINS = (Guest("director"), Guest("register"))
PAGES, PORTS = 4, 2
CLOSED_PORT = PORTS
CONSOLE, CLASSES, DEVICES = 0, 4, 4
PAGE, TABLE, DIRECTORY, SHARED, HOLE = range(5)
REGISTER, RELEASE, KICK, USE, RETYPE = range(5)


@dataclass
class Steps:
    """What the domain does, and what must come of it: (record, field, value) of step k."""

    words: list[tuple] = field(default_factory=list)
    want: list[dict[str, dict[str, int]]] = field(default_factory=list)
    page: int | None = None  # that is the ring
    port: int = 0

    def add(self, words: tuple, **records: dict[str, int]) -> None:
        self.words.append(words)
        self.want.append(records)

    def register(self, error: int, frame: tuple[int, int], port: int, number: int = CONSOLE, device: int = 0,
                 reserved: int = 0) -> None:
        if error:
            self.add((REGISTER, *frame, port, number, device, reserved), register={"answer": -error})
            return
        self.page, self.port = frame[1], port
        self.add((REGISTER, *frame, port, number, device, reserved), register={"answer": 0},
                 begins={"req_event": 1, "rsp_prod": 0, "flags": 0})

    def release(self, number: int = CONSOLE, device: int = 0) -> None:
        there = self.page is not None and (number, device) == (CONSOLE, 0)
        self.add((RELEASE, number, device, 0), release={"answer": 0 if there else -errno.ENODEV})
        self.page = None if there else self.page

    def kick(self, number: int = CONSOLE, device: int = 0) -> None:
        there = self.page is not None and (number, device) == (CONSOLE, 0)
        self.add((KICK, number, device, 0), kick={"answer": 0 if there else -errno.ENODEV})

    def use(self, count: int) -> None:
        self.add((USE, count), use={"good": count, "port_0": int(self.port == 0), "port_1": int(self.port == 1)})

    def retype(self, page: int) -> None:
        self.add((RETYPE, page), retype={"answer": -errno.EBUSY if page == self.page else 0, "writable": 0})


def refused(rng: Random, s: Steps) -> None:
    """One registration with one thing wrong."""
    page, port = (PAGE, rng.randrange(PAGES)), rng.randrange(PORTS)
    wrong = [
        (errno.ENODEV, page, port, CONSOLE, rng.choice((1, DEVICES, 0xffffffff)), 0),
        (errno.ENODEV, page, port, rng.choice((CLASSES, 0x80000000, 0xffffffff)), 0, 0),
        (errno.EINVAL, page, port, CONSOLE, 0, rng.choice((1, 0x80000000))),
    ]
    if s.page is None:
        wrong += [(errno.EINVAL, page, rng.choice((CLOSED_PORT, 1024, 0xffffffff)), CONSOLE, 0, 0),
                  (errno.EBUSY, (rng.choice((TABLE, DIRECTORY, SHARED)), 0), port, CONSOLE, 0, 0),
                  (errno.EINVAL, (HOLE, rng.choice((0xfffff, 0x7fffffff, 0xffffffff))), port, CONSOLE, 0, 0)]
    else:
        wrong += [(errno.EEXIST, page, port, CONSOLE, 0, 0)] * 2
    s.register(*rng.choice(wrong))


def inputs(rng: Random) -> dict:
    s = Steps()
    for _ in range(12):
        for _ in range(3):
            refused(rng, s)
            rng.choice((s.release, s.kick))(*rng.choice(((CONSOLE, 0), (CONSOLE, 1), (CLASSES, 0), (1, 0xffffffff))))
        s.retype(rng.randrange(PAGES))
        s.register(0, (PAGE, rng.randrange(PAGES)), rng.randrange(PORTS))
        for _ in range(rng.randrange(1, 5)):
            s.use(rng.randrange(1, SLOTS + 1))
            rng.choice((s.kick, lambda: s.retype(s.page), lambda: refused(rng, s)))()
        s.release()
    script = Script([b""], [])
    script.add(GONE, 1)
    return {"script": script, "steps": s}


def encode(given: dict) -> bytes:
    script, steps = given["script"], given["steps"]
    return observe.encode((len(script.typed), *script.typed, script.steps, steps.words))


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    steps = given["steps"]
    for key, records in enumerate(steps.want):
        for record, fields in records.items():
            got = seen.one(record, key, domain=1)
            for name, want in fields.items():
                if getattr(got, name) != want:
                    yield Finding(EXERCISE, f"step {key} {steps.words[key]}: {record} {name}", want, getattr(got, name))
                    return
