# SPDX-License-Identifier: MIT
"""Judges `io-ports`: is every access to every port of the machine the guest's own fault, and nothing else?"""

from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "2.4"

PORTS = 0x10000
IN, OUT, WIDE = 0, 1, 2
ACCESSES = {IN: 1, OUT: 1, WIDE: 4}  # of each port
NAMES = {IN: "IN", OUT: "OUT", WIDE: "IN and OUT"}
RINGS = 1, 3


def inputs(rng: Random) -> dict:
    """(ring, access, first port, distance, EAX): by bytes each port once, one way and from one ring; each 64th in words, and the last."""
    narrow = [(ring, access) for ring in RINGS for access in (IN, OUT)]
    sweeps = [(*how, first, len(narrow)) for how, first in zip(narrow, rng.sample(range(4), 4), strict=True)]
    sweeps += [(ring, WIDE, *where) for ring in RINGS for where in ((rng.randrange(64), 64), (PORTS - 8, 1))]
    sweeps = [(*sweep, rng.getrandbits(32)) for sweep in sweeps]
    rng.shuffle(sweeps)
    return {"sweeps": sweeps}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, (ring, access, first, step, eax) in enumerate(given["sweeps"]):
        got = seen.one("ports", i)
        want = (ACCESSES[access] * len(range(first, PORTS, step)), 0, eax)
        if (got.faults, got.strange, got.eax) != want:
            what = f"{NAMES[access]} in ring {ring} on ports from {first:#x}, {step} apart"
            yield Finding(EXERCISE, f"{what}: faults, those of another kind, EAX", want, (got.faults, got.strange, got.eax))
