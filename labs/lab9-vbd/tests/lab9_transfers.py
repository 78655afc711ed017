# SPDX-License-Identifier: MIT
"""What the judges share whose guest is transfer.c: a disk, requests in batches, and what must be in memory and on the disk after each."""

import errno
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Disk, Finding, Outside
from atelier_grader.observe import Seen

SECTOR, PAGE_SECTORS, PAGES = 512, 8, 32
READ, WRITE = 1, 2
VBD_READ, VBD_WRITE = 0, 1
DEVICE = 5  # a VBD that domain 0 makes for itself


@dataclass(frozen=True)
class Extent:
    first: int
    count: int
    rights: int = READ | WRITE


@dataclass(frozen=True)
class Request:
    """Of device DEVICE. Pieces: page, first, count."""

    op: int
    sector: int
    pieces: tuple[tuple[int, int, int], ...]

    def count(self) -> int:
        return sum(p[2] for p in self.pieces)


def filled(word: int) -> bytes:
    """As disk_fill() does it. Judges draw words that are so small that none of them wraps."""
    return struct.pack("<128I", *range(word, word + 128))


def digest(data: bytes) -> int:
    """As disk_digest() does it."""
    h = 0x811c9dc5
    for word in struct.unpack("<128I", data):
        h = (h ^ word) * 0x01000193 & 0xffffffff
    return h


def content(sectors: int, word: int) -> bytes:
    return b"".join(filled(word + 0x1000 * i) for i in range(sectors))


def encode(given: dict) -> bytes:
    extents = [(0, DEVICE, 0, e.first, e.count, e.rights) for e in given["extents"]]
    batches = [(word, [(r.op, DEVICE, r.sector, list(r.pieces)) for r in batch]) for word, batch in given["batches"]]
    return observe.encode((extents, batches))


def devices(given: dict) -> tuple[Disk, ...]:
    return (Disk(content(given["sectors"], given["word"]), given.get("args", "")),)


def real(extents: list[Extent], sector: int) -> tuple[Extent, int] | None:
    for e in extents:
        if 0 <= sector < e.count:
            return e, e.first + sector
        sector -= e.count
    return None


def status(extents: list[Extent], r: Request) -> int:
    for sector in range(r.sector, r.sector + r.count()):
        found = real(extents, sector)
        if found is None:
            return -errno.ENXIO
        if not found[0].rights & (READ if r.op == VBD_READ else WRITE):
            return -errno.EACCES
    return 0


class Model:
    """Memory and disk, as they must be."""

    def __init__(self, given: dict):
        self.extents = given["extents"]
        self.disk = bytearray(content(given["sectors"], given["word"]))
        self.memory: list[bytes] = []

    def fill(self, word: int) -> None:
        self.memory = [filled(word + 0x10000 * i) for i in range(PAGES * PAGE_SECTORS)]

    def do(self, r: Request) -> None:
        sector = r.sector
        for page, first, count in r.pieces:
            for s in range(page * PAGE_SECTORS + first, page * PAGE_SECTORS + first + count):
                at = real(self.extents, sector)[1] * SECTOR
                if r.op == VBD_READ:
                    self.memory[s] = bytes(self.disk[at:at + SECTOR])
                else:
                    self.disk[at:at + SECTOR] = self.memory[s]
                sector += 1


def judge(exercise: str, given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    model = Model(given)
    if answer := seen.one("ring").answer:
        yield Finding(exercise, "registering a ring for disks", 0, answer)
        return
    for i, e in enumerate(given["extents"]):
        if answer := seen.one("extent", i).answer:
            yield Finding(exercise, f"{e} for domain 0", 0, answer)
            return
    for number, (word, batch) in enumerate(given["batches"]):
        model.fill(word)
        for i, r in enumerate(batch):
            got, want = seen.one("answer", number << 8 | i).status, status(model.extents, r)
            if got != want:
                yield Finding(exercise, f"batch {number}, {r}: the status", want, got)
                return
            if not want:
                model.do(r)
        for s, data in enumerate(model.memory):
            got = seen.one("sector", number << 16 | s).digest
            if got != digest(data):
                yield Finding(exercise, f"batch {number}: sector {s % 8} of page {s // 8}, its digest", f"{digest(data):#x}", f"{got:#x}")
                return
    disk = outside.disk()
    for s in range(given["sectors"]):
        if disk[s * SECTOR:(s + 1) * SECTOR] != model.disk[s * SECTOR:(s + 1) * SECTOR]:
            yield Finding(exercise, f"sector {s} of the disk begins with", model.disk[s * SECTOR:s * SECTOR + 8].hex(),
                          disk[s * SECTOR:s * SECTOR + 8].hex())
            return


def draw_batch(rng: Random, size: int, most: int) -> list[Request]:
    """Reads and writes whose sectors and pages are each of one request only, so that no order matters."""
    requests: list[Request] = []
    memory = rng.sample(range(PAGES * PAGE_SECTORS), PAGES * PAGE_SECTORS)
    taken: set[int] = set()
    used: set[int] = set()
    for _ in range(rng.randrange(most // 2, most + 1)):
        pieces = []
        for s in memory[:rng.randrange(1, 9)]:
            count = rng.randrange(1, PAGE_SECTORS - s % PAGE_SECTORS + 1)
            if not used & set(range(s, s + count)):
                pieces.append((s // PAGE_SECTORS, s % PAGE_SECTORS, count))
                used |= set(range(s, s + count))
        rng.shuffle(memory)
        total = sum(p[2] for p in pieces)
        if not pieces or total > size:
            continue
        sector = rng.randrange(size - total + 1)
        if not taken & set(range(sector, sector + total)):
            taken |= set(range(sector, sector + total))
            requests.append(Request(rng.choice((VBD_READ, VBD_WRITE)), sector, tuple(pieces)))
    return requests
