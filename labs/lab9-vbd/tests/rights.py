# SPDX-License-Identifier: MIT
"""Judges `rights`: does each of two domains do on shared sectors what it was given, and nothing else?

A virtual disk of each on the same sectors, with every mix of rights; a domain has only one sector of them for itself, so that no
order matters.
"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Disk, Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

from lab9_transfers import SECTOR, content, digest, filled  # noqa: E402

EXERCISE = "9.2"
DOMAINS = (Guest("disk-director"), Guest("rights"), Guest("rights"))
READ, WRITE, SHARED = 1, 2, 4
RIGHTS = (READ, WRITE, READ | WRITE, READ | SHARED, READ | WRITE | SHARED)
MIXES, SIZE = 7, 8
SECTORS = 128
GO = 7


def inputs(rng: Random) -> dict:
    always = [(READ, READ), (READ | WRITE, READ), (READ | WRITE | SHARED, READ | WRITE | SHARED), (READ | SHARED, READ | WRITE)]
    mixes = always + [(rng.choice(RIGHTS), rng.choice(RIGHTS)) for _ in range(MIXES - len(always))]
    rng.shuffle(mixes)
    places = rng.sample(range(1, SECTORS // SIZE), MIXES)
    extents = [(d + 1, k, 0, SIZE * p, SIZE, rights[d]) for k, (p, rights) in enumerate(zip(places, mixes, strict=True)) for d in (0, 1)]
    extents += [(d, GO, 0, 0, 1, READ) for d in (1, 2)]
    return {"extents": extents, "word": rng.getrandbits(20)}


def encode(given: dict) -> bytes:
    return observe.encode((len(DOMAINS), given["extents"], given["word"]))


def devices(given: dict) -> tuple[Disk, ...]:
    return (Disk(content(SECTORS, given["word"])),)


def allowed(given: dict) -> dict[tuple[int, int], tuple[int, int, int]]:
    """By domain and device: where it begins, its rights, and the number of its extent; and what stands against another is left out."""
    have: dict[tuple[int, int], tuple[int, int, int]] = {}
    for i, (d, k, _, first, _, rights) in enumerate(given["extents"]):
        if not any(o != d and f == first and ((r & WRITE and not rights & SHARED) or (rights & WRITE and not r & SHARED))
                   for (o, _), (f, r, _) in have.items()):
            have[d, k] = (first, rights, i)
    return have


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    have = allowed(given)
    model = bytearray(content(SECTORS, given["word"]))
    for i, (d, k, _, first, _, rights) in enumerate(given["extents"]):
        want = 0 if (d, k) in have and have[d, k][2] == i else -errno.EEXIST
        got = seen.one("extent", i).answer
        if got != want:
            yield Finding(EXERCISE, f"extent {i}: domain {d}, device {k}, sectors from {first}, rights {rights}", want, got)
            return
    for d in (1, 2):
        for k in range(GO):
            yield from _device(given, seen, have.get((d, k)), d, k, model)
    disk = outside.disk()
    for s in range(SECTORS):
        if disk[s * SECTOR:(s + 1) * SECTOR] != model[s * SECTOR:(s + 1) * SECTOR]:
            yield Finding(EXERCISE, f"sector {s} of the disk begins with", model[s * SECTOR:s * SECTOR + 8].hex(),
                          disk[s * SECTOR:s * SECTOR + 8].hex())
            return


def _device(given: dict, seen: Seen, mine: tuple[int, int, int] | None, d: int, k: int, model: bytearray) -> Iterator[Finding]:
    """One domain on one of its disks: the statuses, what it read, and what it changed in the model."""
    got = seen.one("device", k, d)
    for what, right, answer in (("write", WRITE, got.written), ("read", READ, got.read)):
        want = -errno.ENXIO if mine is None else 0 if mine[1] & right else -errno.EACCES
        if answer != want:
            yield Finding(EXERCISE, f"domain {d}: {what} on device {k}", want, answer)
            return
    if mine is None:
        return
    at = (mine[0] + d) * SECTOR
    if mine[1] & WRITE:
        model[at:at + SECTOR] = filled(given["word"] + (d << 24) + 0x1000 * k)
    if mine[1] & READ and got.digest != digest(bytes(model[at:at + SECTOR])):
        yield Finding(EXERCISE, f"domain {d}: the digest of what it read on device {k}", f"{digest(bytes(model[at:at + SECTOR])):#x}",
                      f"{got.digest:#x}")
