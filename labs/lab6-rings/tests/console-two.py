# SPDX-License-Identifier: MIT
"""Judges `console-two`: are two consoles two, and does a domain that writes wait until domain 0 has it?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab6_consoles as consoles  # noqa: E402
from lab6_consoles import READ, SLEEP, SLOTS, Script, Talker, encode  # noqa: E402,F401

EXERCISE = "6.4"
TALKERS = (1, 2)
DOMAINS = (Guest("director"), *(Guest("console-two") for _ in TALKERS))
PAUSE = 3000  # us: everybody has done what it can


def inputs(rng: Random) -> dict:
    """Domain 0 reads a piece of one, then waits: the writer sees as many answers as it has heard requests."""
    talkers = [Talker(rng.randrange(1 << 31), (0, *(rng.randrange(1, 61) for _ in range(150)), 0)) for _ in TALKERS]
    script = Script([consoles.text(rng, rng.randrange(300, 500)) for _ in TALKERS], talkers)
    script.add(SLEEP, 0, 2 * PAUSE)
    reads = []
    for _ in range(24):
        d = rng.choice(TALKERS)
        n = rng.randrange(1, 400)
        reads.append((d, n, script.add(READ, d, n)))
        script.add(SLEEP, 0, PAUSE)
    script.finish()
    return {"script": script, "reads": reads}


def heard_in(talker: Talker, read: int, answered: int, asked: int) -> tuple[int, int]:
    """Of a read of `asked` bytes, when `read` were read: how many it gives, and how many requests it completes.

    The first request only reads. As it is never answered here, there is room for the others in all slots but one.
    """
    there = talker.counts[1:1 + answered + SLOTS - 1]
    took = min(asked, sum(there) - read)
    complete = 0
    while complete < len(there) and sum(there[:complete + 1]) <= read + took:
        complete += 1
    return took, complete - answered


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    script = given["script"]
    read, answered = dict.fromkeys(TALKERS, 0), dict.fromkeys(TALKERS, 0)
    batches: dict[int, list[int]] = {d: [] for d in TALKERS}
    for d, n, step in given["reads"]:
        took, complete = heard_in(script.talkers[d - 1], read[d], answered[d], n)
        if (got := seen.one("read", step).answer) != took:
            yield Finding(EXERCISE, f"step {step}: bytes of domain {d} that a read of {n} gives", took, got)
            return
        read[d] += took
        answered[d] += complete
        if complete:
            batches[d].append(complete)
    for d in TALKERS:
        found = seen.one("looks", domain=d).found
        looks = [int.from_bytes(found[i:i + 2], "little") for i in range(0, len(found), 2)][:len(batches[d])]
        if looks != batches[d]:
            yield Finding(EXERCISE, f"domain {d}: answers after each time that domain 0 read of it", batches[d], looks)
    yield from consoles.judge(EXERCISE, script, seen)
