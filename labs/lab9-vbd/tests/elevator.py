# SPDX-License-Identifier: MIT
"""Judges `elevator`: does the head sweep, and is nobody forgotten who is far away?

A sweep goes over all that waits once, and the head back to where it was. How long that is does not depend on the direction,
so the bound holds for an elevator that turns and for one that begins again at the bottom.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab9_disks as model  # noqa: E402
from lab9_disks import END, FEED, KICK, NONE, POST, VBD_READ, Extent, Piece, Request, Script  # noqa: E402

EXERCISE = "9.3"
encode = model.encode
SECTORS = 4000
BATCHES, BATCH = 8, 36
BOUND = 1.5  # sweeps
PATIENCE = 300  # others, before one that is far away


def request(domain: int, number: int, sector: int) -> Request:
    return Request(domain, number, VBD_READ, (Piece(number // 8 % model.BUFFERS, number % 8, 1),), sector)


def inputs(rng: Random) -> dict:
    s = Script([(SECTORS, 1)])
    for domain in (1, 2, 3):
        s.vbd(domain, 0, Extent(0, 1000 * domain, 1000))
    batches = []
    for _ in range(BATCHES):
        begin = len(s.steps)
        for i, sector in enumerate(rng.sample(range(1000), BATCH)):  # no sector twice: that would be two sweeps
            s.do(POST, request(1 + i % 3, i, sector))
            s.do(KICK, 1 + i % 3)
        for _ in range(BATCH):
            s.do(END, 0, NONE)
        batches.append((begin, len(s.steps)))
    far, near = rng.randrange(3), rng.randrange(100, 900)
    s.do(POST, Request(3, 1, VBD_READ, (Piece(0, 1, 1),), near))
    s.do(KICK, 3)
    s.do(POST, Request(1, 1, VBD_READ, (Piece(0, 1, 1),), far))
    s.do(KICK, 1)
    s.do(FEED, 3, near, 1000 + far, 2 * PATIENCE, rng.randrange(1 << 31))
    return {"script": s, "batches": batches, "far": far}


def travel(sectors: list[int]) -> int:
    return sum(abs(b - a - 1) for a, b in zip(sectors, sectors[1:]))


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    s = given["script"]
    if found := list(model.follow(EXERCISE, Script(s.disks, s.steps[:-1]), seen)):
        yield from found
        return
    begun = {e.key: e.first for e in seen.all("begin")}
    for i, (start, stop) in enumerate(given["batches"]):
        first = getattr(seen.one("step", start), "from")
        sectors = [begun[k] for k in sorted(begun) if first <= k < seen.one("step", stop - 1).until]
        sweep = 2 * (max(sectors) - min(sectors))
        if travel(sectors) > BOUND * sweep:
            yield Finding(EXERCISE, f"batch {i}, {BATCH} requests at once: how far the head went", f"up to {BOUND * sweep:.0f} sectors",
                          travel(sectors))
    waited = seen.one("step", len(s.steps) - 1).answer
    if waited > PATIENCE:
        yield Finding(EXERCISE, f"how many went before sector {given['far']}, while others asked for what was nearer", f"up to {PATIENCE}",
                      waited)
