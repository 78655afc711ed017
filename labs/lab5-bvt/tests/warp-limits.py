# SPDX-License-Identifier: MIT
"""Judges `warp-limits`: is a domain warped for at most L and then not for U, whatever it and domain 0 do meanwhile?

That it is warped shows when it runs though it is further ahead of others than the allowance lets it be.
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lab5_bound import ALLOWANCE_MIN, SLICE_MIN  # noqa: E402

EXERCISE = "5.4"

LENGTH = 1_500_000_000  # ns of each case
NAPPED = 0x100
KINDS = ("steady", "it naps", "wishes", "it naps, and wishes")
MILLISECOND = 1_000_000


def inputs(rng: Random) -> dict:
    """(kind, ns, W, L, U, C), all in ns."""
    cases = []
    for kind in range(4):
        for _ in range(2):
            limit = rng.randrange(5, 20) * MILLISECOND
            cases.append((kind, LENGTH, rng.randrange(1000, 4000) * MILLISECOND, limit,
                          rng.randrange(limit, 3 * limit), rng.randrange(6 * ALLOWANCE_MIN, MILLISECOND)))
        cases.append((kind, LENGTH, rng.randrange(5, 50) * MILLISECOND, 4000 * MILLISECOND, 10 * MILLISECOND,
                      rng.randrange(6 * ALLOWANCE_MIN, MILLISECOND)))
    return {"seed": rng.getrandbits(32), "cases": cases}


def warped(stretches: list[tuple[int, int]], c: int) -> tuple[list[tuple[int, int, int]], float]:
    """(from, to, until then all together) of each stretch while it was warped, and how far it was ahead at most."""
    avt = [0, 0, 0]
    found, now, total, furthest = [], 0, 0, 0
    for who, time in stretches:
        if who & NAPPED:
            avt[0] = max(avt[0], min(avt[1:]))
        who &= NAPPED - 1
        now += time
        avt[who] += time
        lead = avt[0] - min(avt[1:])
        part = min(lead - c - SLICE_MIN, time)
        if who == 0 and part > 0:
            total += part
            found.append((now - part, now, total))
        if who == 0:
            furthest = max(furthest, lead)
    return found, furthest


def worst_window(found: list[tuple[int, int, int]], length: int) -> int:
    """The most that was warped in any window that begins where a stretch does."""
    most, last = 0, 0
    for i, (begin, end, total) in enumerate(found):
        while last + 1 < len(found) and found[last + 1][1] <= begin + length:
            last += 1
        most = max(most, found[max(last, i)][2] - total + min(end - begin, length))
    return most


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, (kind, length, warp, limit, rest, c) in enumerate(given["cases"]):
        what = f"W {warp}, L {limit}, U {rest}, C {c} ns ({KINDS[kind]})"
        answer = seen.one("answer", key)
        if answer.it or not answer.over:
            yield Finding(EXERCISE, f"{what}: the answer, and whether somebody could always run", (0, 1),
                          (answer.it, answer.over))
            continue
        found, furthest = warped(list(struct.iter_unpack("<2I", seen.one("ran", key).stretches)), c)
        if furthest > (want := (warp + c + SLICE_MIN) * 1.01):
            yield Finding(EXERCISE, f"{what}: ns that it was ahead of others", f"up to {want:.0f}", furthest)
        for periods in (1, 2, 5, 20):
            want = periods * (limit + SLICE_MIN) * 1.01
            if (got := worst_window(found, periods * (limit + rest))) > want:
                yield Finding(EXERCISE, f"{what}: ns warped in some window of {periods} (L + U)", f"up to {want:.0f}", got)
        want = 0.7 * limit * min(length // (limit + rest), warp // limit)
        if kind == 0 and (got := found[-1][2] if found else 0) < want:
            yield Finding(EXERCISE, f"{what}: ns warped in all, of {length}", f"{want:.0f} or more", got)
