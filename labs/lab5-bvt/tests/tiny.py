# SPDX-License-Identifier: MIT
"""Judges `tiny`: are slices right at the ends of what can be asked, and is there never a slice of nothing?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lab5_bound import ALLOWANCE, ALLOWANCE_MAX, ALLOWANCE_MIN, SLICE_MAX, SLICE_MIN, advance  # noqa: E402

EXERCISE = "5.2"

SECOND = 1_000_000_000
MOST = SECOND // SLICE_MIN + 10  # looks in a second


def inputs(rng: Random) -> dict:
    """(C, or 0: as it is, two weights, ns that the second one had) and (C, two weights, most looks)."""
    allowances = [0, ALLOWANCE_MIN, ALLOWANCE, ALLOWANCE_MAX, rng.randrange(ALLOWANCE_MIN, ALLOWANCE)]
    weights = [(256, 256), (1, 65535), (65535, 1), (65535, 65535), (rng.randrange(1, 999), rng.randrange(1, 999))]
    gaps = [0, 1, rng.randrange(1000, 1_000_000), 1 << 31]
    slices = [(c, *w, gap) for c in allowances for w in weights for gap in gaps]
    rng.shuffle(slices)
    turns = [(c, *w, MOST) for c in allowances for w in weights]
    return {"seed": rng.getrandbits(32), "slices": slices, "turns": turns, "alone": rng.randrange(1, SECOND)}


def judge_slice(case: tuple[int, int, int, int], got: observe.Observation) -> Iterator[tuple[str, object, object]]:
    c, first, second, gap = case
    c = c or ALLOWANCE
    behind = gap * advance(second) / advance(first)
    slice_ = got.high << 32 | got.low
    if gap and got.who != 0:
        yield "who is picked", 0, got.who
    elif got.who > 1:
        yield "who is picked", "0 or 1", got.who
    else:
        want = min(max(behind + c, SLICE_MIN), SLICE_MAX)
        if abs(slice_ - want) > want / 100 + 10:
            yield "ns of the slice", f"{want:.0f}", slice_


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, case in enumerate(given["slices"]):
        got = seen.one("slice", key)
        what = f"C {case[0]} ns, weights {case[1:3]}, and the second one is {case[3]} ns ahead"
        if not got.good:
            yield Finding(EXERCISE, f"{what}: setting that", "0", "refused")
            continue
        for part, want, found in judge_slice(case, got):
            yield Finding(EXERCISE, f"{what}: {part}", want, found)
    for key, (c, *weights, most) in enumerate(given["turns"]):
        got = seen.one("turns", key)
        what = f"C {c} ns, weights {weights}, for a second"
        if not got.good or not got.over:
            yield Finding(EXERCISE, f"{what}: looks until it is over", f"up to {most}", f"{got.count}, and it is not over")
            continue
        if got.shortest < SLICE_MIN:
            yield Finding(EXERCISE, f"{what}: ns of the shortest slice", f"{SLICE_MIN} or more", got.shortest)
        if got.switches > (want := SECOND // (c or ALLOWANCE) + 3):
            yield Finding(EXERCISE, f"{what}: switches", f"up to {want}", got.switches)
    alone = seen.one("alone")
    if (alone.who, alone.slice, alone.nobody) != (0, SLICE_MAX, 2):
        yield Finding(EXERCISE, "one that is alone: who is picked, its slice; who is when it sleeps (2: nobody)",
                      (0, SLICE_MAX, 2), (alone.who, alone.slice, alone.nobody))
