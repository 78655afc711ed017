# SPDX-License-Identifier: MIT
"""Judges `ldt`: is a table at an address the one that the processor uses, up to its last entry, until there is none?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_model as model  # noqa: E402
import lab4_random as seeded  # noqa: E402
from lab4_model import A_FRAME, LDT, LOAD, Probe, Round  # noqa: E402

EXERCISE = "4.3"


def inputs(rng: Random) -> dict:
    rounds = []
    for entries in (1, 511, 512, 513, 16 * A_FRAME, rng.randrange(2, 16 * A_FRAME), 0, rng.randrange(2, 3 * A_FRAME), 0):
        r = seeded.table(rng, LDT, entries, 30) if entries else Round(0, {}, LDT)
        seeded.probe(rng, r, list(r.slots))
        r.probes += [Probe(r.selector(i), 0, LOAD) for i in (0, 1, 5, 511, entries, 16 * A_FRAME - 1)
                     if i >= entries and i < 16 * A_FRAME]
        rounds.append(r)
    return {"rounds": rounds}


def encode(given: dict) -> bytes:
    return model.encode(given["rounds"])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge_rounds(EXERCISE, given["rounds"], seen)
