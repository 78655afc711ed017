# SPDX-License-Identifier: MIT
"""Judges `copy-hostile`: is every byte of a copy held against the line, and is a fault nothing special?"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

EXERCISE = "1.3"
DOMAINS = (Guest("honest", args="rounds=400"), Guest("copy-hostile"))

PAGE = 4096
LINE = 0xfc000000
WINDOWS = 0xfb800000  # of a guest that lies at 0xfbc00000
HOLE, USER = 8 * PAGE, 12 * PAGE
BELOW = LINE - PAGE  # the guest's last page, which it does not use
MARGIN = 16
PAINT = b"\x5c"
PATTERN = bytes(range(256)) * (4 * PAGE // 256)
CANARY = 0x0ddba11

# In the hypervisor's part: the M2P, its image, its tables, nothing at all, and ends that wrap to 0 and beyond.
ABOVE = (LINE, LINE + 4, 0xfc3fff00, 0xfc400000, 0xfc500000, 0xfc800000, 0xfd000000, 0xfe000000, 0xfe800000,
         0xff000000, 0xfffff000, 0xffffffc0, 0xfffffffe, 0xffffffff)


@dataclass(frozen=True)
class Case:
    told: dict
    what: str
    answer: int
    shown: bytes


def case(source: int, destination: int, length: int, data: bytes, answer: int, paint: tuple[int, int],
         shown: bytes) -> Case:
    told = {"source": source - WINDOWS, "destination": destination - WINDOWS, "length": length,
            "paint": (paint[0] - WINDOWS, paint[1]), "show": (paint[0] - WINDOWS, len(shown)), "bytes": data}
    return Case({k: tuple(x % (1 << 32) for x in v) if isinstance(v, tuple) else v if k == "bytes" else v % (1 << 32)
                 for k, v in told.items()}, f"{length} bytes from {source:#x} to {destination:#x}", answer, shown)


def into(length: int, source: int, data: bytes, block: bytes, missed: int) -> Case:
    """A copy to the user window; `block` is what arrives there."""
    at = WINDOWS + USER + 256
    return case(source, at, length, data, missed, (at - MARGIN, length + 2 * MARGIN),
                PAINT * MARGIN + block + PAINT * MARGIN)


def out_of(rng: Random, length: int, destination: int) -> Case:
    """A copy to a place that is not all the guest's: nothing is stored, of its last page neither."""
    return case(WINDOWS + USER, destination, length, rng.randbytes(length), length << 16, (BELOW, PAGE), PAINT * PAGE)


def cases(rng: Random) -> Iterator[Case]:
    for length in (1, 4, 64, rng.randrange(65, PAGE)):
        data = rng.randbytes(length)
        yield into(length, LINE - length, data, data, 0)  # the last bytes below the line are the guest's
        for over in {1, length // 2 or 1, length}:
            yield into(length, LINE - length + over, data[:length - over], bytes(length), length)
            yield out_of(rng, length, LINE - length + over)
    for start in ABOVE:
        length = rng.randrange(4, 200)
        yield into(length, start, b"", bytes(length), length)
        yield out_of(rng, length, start)
    yield into(0, LINE, b"", b"", 0)
    for good in range(65):  # the hole at each offset
        yield into(64, WINDOWS + HOLE - good, b"", PATTERN[len(PATTERN) - good:] + bytes(64 - good), 64 - good)


def inputs(rng: Random) -> dict:
    return {"cases": rng.sample(all_cases := list(cases(rng)), len(all_cases))}


def encode(given: dict) -> bytes:
    return observe.encode([c.told for c in given["cases"]])


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for i, c in enumerate(given["cases"]):
        if (got := seen.one("copy", i, domain=1).answer) != c.answer:
            yield Finding(EXERCISE, f"{c.what}: bytes not copied in | out << 16", hex(c.answer), hex(got & 0xffffffff))
        if (got := seen.one("shown", i, domain=1).bytes) != c.shown:
            yield Finding(EXERCISE, f"{c.what}: the bytes there and around", c.shown, got)
    faults = seen.one("faults", domain=1)
    if faults.refused != faults.asked:
        yield Finding(EXERCISE, "copies from and to the hole that were refused", faults.asked, faults.refused)
    for got in seen.all("registers", domain=1):
        if got.changed:
            yield Finding(EXERCISE, f"registers but EAX after faulting copy {got.key}", "as before", "changed")

    honest = seen.one("honest")
    if honest.good != honest.calls - 1:
        yield Finding(EXERCISE, "good calls of the other domain", honest.calls - 1, honest.good)
    if (canary := int.from_bytes(outside.variable("stack_canary"), "little")) != CANARY:
        yield Finding(EXERCISE, "the word half-way down the hypervisor's stack", CANARY, canary)
