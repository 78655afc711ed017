# SPDX-License-Identifier: MIT
"""Judges `dma-hostile`: does a disk move bytes of its owner's memory alone, as long as that is what it was?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Disk, Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

from lab9_transfers import SECTOR, content, digest  # noqa: E402

EXERCISE = "9.5"
DOMAINS = (Guest("dma-director"), Guest("dma-hostile"), Guest("dma-dies"))
DIES = {2}
MEMORY = 24  # MiB
SECTORS = 64
FULL = 8  # the first sector that is not empty
READ, WRITE, SHARED = 1, 2, 4


def inputs(rng: Random) -> dict:
    return {"extents": [(1, 0, 0, 0, SECTORS, READ | WRITE)], "late": [(2, 0, 0, 0, SECTORS, READ | SHARED)],
            "frames": MEMORY << 8, "word": rng.getrandbits(31) | 1,
            "args": f"depth=8 delay={rng.randrange(3000, 5000)} seed={rng.randrange(1, 1 << 31)}"}


def encode(given: dict) -> bytes:
    return observe.encode({name: given[name] for name in ("extents", "frames", "late")})


def image(given: dict) -> bytes:
    return bytes(FULL * SECTOR) + content(SECTORS - FULL, given["word"])


def devices(given: dict) -> tuple[Disk, ...]:
    return (Disk(image(given), given["args"]),)


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    honest, own, ldt, frames = (seen.one(tag, 0, 1) for tag in ("honest", "own", "ldt", "frames"))
    wanted = [("a read into its own page", 0, honest.status),
              ("what came into it", digest(image(given)[FULL * SECTOR:][:SECTOR]), honest.digest),
              ("a read into its page directory", -errno.EINVAL, own.directory), ("a read into its page table", -errno.EINVAL, own.table),
              ("the size of a disk, into its page table", -errno.EINVAL, own.write), ("an LDT", 0, ldt.set),
              ("a read into that", -errno.EINVAL, ldt.read), ("no LDT any more", 0, ldt.after),
              ("the page that it was, writable", 0, ldt.free), ("a read into that page", 0, ldt.then),
              ("frames that are not its own, and were read into", 0, frames.read),
              ("frames that are not its own, and were written to the disk", 0, frames.written)]
    for key, what in ((0, "a read"), (1, "a write")):
        m = seen.one("meanwhile", key, 1)
        if key == 0:
            wanted.append((f"pinning a page as a table during {what}", -errno.EBUSY, m.pinned))
        wanted += [(f"giving a page back during {what}", -errno.EBUSY, m.given), (f"{what} of a page that is mapped nowhere", 0, m.status),
                   (f"pinning it after {what}", 0, m.then), (f"giving it back after {what}", 1, m.last)]
    end = seen.one("end")
    wanted += [("domain 2, when all that it asked for is long done", 0, end.state),
               ("frames of zeros that domain 0 took when it was dead, and that are none", 0, end.dirty)]
    for what, want, got in wanted:
        if got != want:
            yield Finding(EXERCISE, what, want, got)
    if end.count < 500:
        yield Finding(EXERCISE, "frames that became free when domain 2 was dead", "500 or more", end.count)
