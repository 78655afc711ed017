# SPDX-License-Identifier: MIT
"""Judges `io-ports`: is every access to every port of the machine the guest's own fault, and nothing else?"""

from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "2.4"

PORTS = 0x10000
NARROW, WIDE = 0, 1
ACCESSES = {NARROW: 2, WIDE: 4}  # of each port


def inputs(rng: Random) -> dict:
    """(ring, width, first port, distance, EAX): all ports by bytes, each 64th in words, and the last ones."""
    sweeps = [(ring, width, first, step, rng.getrandbits(32)) for ring in (1, 3)
              for width, first, step in ((NARROW, 0, 1), (WIDE, rng.randrange(64), 64), (WIDE, PORTS - 8, 1))]
    rng.shuffle(sweeps)
    return {"sweeps": sweeps}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, (ring, width, first, step, eax) in enumerate(given["sweeps"]):
        got = seen.one("ports", i)
        want = (ACCESSES[width] * len(range(first, PORTS, step)), 0, eax)
        if (got.faults, got.strange, got.eax) != want:
            yield Finding(EXERCISE, f"IN and OUT in ring {ring} on ports from {first:#x}, {step} apart: faults, those of another kind, EAX",
                          want, (got.faults, got.strange, got.eax))
