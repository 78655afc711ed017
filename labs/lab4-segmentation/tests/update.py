# SPDX-License-Identifier: MIT
"""Judges `update`: is one descriptor made safe, stored and used at once, wherever descriptors may be?

QEMU checks no limits: nothing is accessed here but what may be.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_model as model  # noqa: E402
import lab4_random as seeded  # noqa: E402
from lab4_model import A_FRAME, DATA1, Descriptor, DOWN, G, GDT, LDT, PRESENT, Round, make  # noqa: E402

EXERCISE = "4.4"

PLAIN = 2
UPDATES = 150
BAD = (make(0, 0, 0xc | 0x60 | PRESENT), make(0, 0, DATA1 | DOWN | G), make(0, 0, DATA1 & ~0x60), make(0xfff00000, 0xfffff, DATA1))


@dataclass(frozen=True)
class Update:
    where: int
    index: int
    descriptor: Descriptor
    bad: bool
    after: Round  # the one slot, to be probed


def update(rng: Random, tables: list[Round]) -> Update:
    where = rng.choice((GDT, GDT, LDT, LDT, PLAIN))
    bad = where != PLAIN and rng.random() < 0.2
    d = rng.choice(BAD) if bad else seeded.descriptor(rng)
    index = rng.choice((1, A_FRAME - 1, rng.randrange(1, A_FRAME)))
    after = Round(tables[where].entries if where != PLAIN else A_FRAME, {index: d}, where)
    if not bad and where != PLAIN:
        seeded.probe(rng, after, [index])
        after.probes = [p for p in after.probes if model.expected(after, p)[0] != model.Trap(model.GP)]
    return Update(where, index, d, bad, after)


def inputs(rng: Random) -> dict:
    tables = [seeded.table(rng, GDT, 2 * A_FRAME, 5), seeded.table(rng, LDT, A_FRAME, 5)]
    return {"tables": tables, "updates": [update(rng, tables) for _ in range(UPDATES)]}


def encode(given: dict) -> bytes:
    return model.encode(given["tables"]) + observe.encode(
        [(u.where, u.index, u.descriptor.low, u.descriptor.high, [(p.selector, p.offset, p.kind) for p in u.after.probes])
         for u in given["updates"]])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge_rounds(EXERCISE, given["tables"], seen)
    probed = sum(len(t.probes) for t in given["tables"])
    for i, u in enumerate(given["updates"]):
        o = seen.one("update", i)
        name = f"update of slot {u.index} of {('the GDT', 'the LDT', 'plain memory')[u.where]} with {u.descriptor}"
        if o.answer != (want := model.REFUSED if u.bad else 0):
            yield Finding(EXERCISE, f"{name}: the answer", want, o.answer)
        got = Descriptor(o.low, o.high)
        if u.bad and got == u.descriptor:
            yield Finding(EXERCISE, f"{name}: what stands there", "what stood there before", str(got))
        if not u.bad and (fault := model.wrong(u.descriptor, True, got)):
            yield Finding(EXERCISE, f"{name}: what stands there", *fault)
        for p in u.after.probes:
            yield from model.judge_probe(EXERCISE, name, u.after, p, seen.one("probe", probed))
            probed += 1
