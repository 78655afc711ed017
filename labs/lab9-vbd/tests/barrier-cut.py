# SPDX-License-Identifier: MIT
"""Judges `barrier-cut`: when the power fails in the middle, is what is on the disk a state that the barriers allow?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Disk, Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

from lab9_transfers import SECTOR, content, filled  # noqa: E402

EXERCISE = "9.3"
SECTORS = 512
WRITE, BARRIER = 1, 5


def inputs(rng: Random) -> dict:
    count = rng.randrange(180, 250)
    sectors = rng.sample(range(SECTORS), count)
    writes = [(BARRIER if rng.random() < 0.2 else WRITE, s, rng.getrandbits(31)) for s in sectors]
    cut = rng.randrange(count // 2, count - 10)
    return {"writes": writes, "cut": cut, "word": 1 << 31 | rng.getrandbits(20),
            "args": f"depth=6 delay=150 seed={rng.randrange(1, 1 << 31)} cut={cut}"}


def encode(given: dict) -> bytes:
    return observe.encode({"writes": given["writes"]})


def devices(given: dict) -> tuple[Disk, ...]:
    return (Disk(content(SECTORS, given["word"]), given["args"]),)


def groups(writes: list[tuple[int, int, int]]) -> list[int]:
    """Of each write: all of a group must be on the disk before anything of the next."""
    out, group = [], 0
    for op, _, _ in writes:
        group += op == BARRIER
        out.append(group)
        group += op == BARRIER
    return out


def first_out_of_order(order: list[int], group: list[int]) -> tuple[int, int] | None:
    """The first write that was done before one of an earlier group, and that one."""
    left = set(range(len(group)))
    for w in order:
        left.discard(w)
        before = [v for v in left if group[v] < group[w]]
        if before:
            return w, before[0]
    return None


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    writes, group = given["writes"], groups(given["writes"])
    number = {sector: i for i, (_, sector, _) in enumerate(writes)}
    disk = outside.disk()
    on_disk = {i for i, (_, s, word) in enumerate(writes) if disk[s * SECTOR:(s + 1) * SECTOR] == filled(word)}
    order = [number[r.first] for r in outside.disk_log() if r.event == "done" and r.kind == "write" and r.first in number]
    if len(on_disk) != given["cut"]:
        yield Finding(EXERCISE, "writes that are on the disk, when the power fails after so many", given["cut"], len(on_disk))
        return
    wrong = first_out_of_order(order, group)
    if wrong:
        yield Finding(EXERCISE, f"write {wrong[0]} of {len(writes)}, with a barrier between it and write {wrong[1]}", "done after that one",
                      "done before it")
        return
    for i in range(len(writes)):
        want, got = 0 if i in on_disk else -errno.EIO, seen.one("answer", i).status
        if got != want:
            yield Finding(EXERCISE, f"the status of write {i}", want, got)
            return
