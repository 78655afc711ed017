# SPDX-License-Identifier: MIT
"""Judges `share`: do domains that always ask get the same of the disk, whoever comes first?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Disk, Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

from lab9_transfers import content  # noqa: E402

EXERCISE = "9.4"
WORKERS = 5
DOMAINS = (Guest("disk-director"), *(Guest("share") for _ in range(WORKERS)))
TOTAL, SIZE = 128, 64
LEAD = 80  # requests: what is under way for one when another has none, and two turns
READ = 1
GO = 7


def inputs(rng: Random) -> dict:
    places = rng.sample(range(WORKERS), WORKERS)
    extents = [(d, 0, 0, SIZE * places[d - 1], SIZE, READ) for d in range(1, WORKERS + 1)]
    extents += [(d, GO, 0, SIZE * WORKERS, 1, READ) for d in range(1, WORKERS + 1)]
    return {"domains": len(DOMAINS), "extents": extents, "total": TOTAL, "size": SIZE, "places": places,
            "args": f"delay=200 seed={rng.randrange(1, 1 << 31)}"}


def encode(given: dict) -> bytes:
    return observe.encode({name: given[name] for name in ("domains", "extents", "total", "size")})


def devices(given: dict) -> tuple[Disk, ...]:
    return (Disk(content(SIZE * (WORKERS + 1), 0), given["args"], log=8),)


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for d in range(1, WORKERS + 1):
        if (good := seen.one("done", 0, d).good) != TOTAL:
            yield Finding(EXERCISE, f"domain {d}: requests that were answered well", TOTAL, good)
            return
    had = [0] * WORKERS
    worst, when = 0, had
    for r in outside.disk_log():
        if r.event == "done" and r.first < SIZE * WORKERS:
            had[given["places"].index(r.first // SIZE)] += 1
        if max(had) == TOTAL:
            break
        if max(had) - min(had) > worst:
            worst, when = max(had) - min(had), list(had)
    if worst > LEAD:
        yield Finding(EXERCISE, f"what domains 1 to {WORKERS} had of the disk, at a moment when all wanted it",
                      f"no two more than {LEAD} apart", when)
