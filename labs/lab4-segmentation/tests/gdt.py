# SPDX-License-Identifier: MIT
"""Judges `gdt`: is a table that is handed over the one that the processor uses, but for the slots that are not the guest's?"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_model as model  # noqa: E402
import lab4_random as seeded  # noqa: E402
from lab4_model import A_FRAME, DATA1, LOAD, Probe, RESERVED_FRAME, RESERVED_SLOTS, Round, make  # noqa: E402

EXERCISE = "4.2"

OWN_SLOTS = range(1, 7)  # of the template: the segments of the hypervisor and of its guests
FRAMES = (1, 16, 2, 3, 14, 15, 16, 1)


def reserved(frame: int) -> range:
    return range(frame * A_FRAME, frame * A_FRAME + RESERVED_SLOTS)


def table(rng: Random, frames: int) -> Round:
    r = seeded.table(rng, model.GDT, frames * A_FRAME - rng.choice((0, 1, 100, 511)), 40)
    for frame in range(RESERVED_FRAME, frames):  # what the guest leaves in slots that it does not have
        for i in reserved(frame):
            r.slots[i] = make(model.READONLY + 16 * i % 2048, 0xff, DATA1)
            r.shows.append(i)
    seeded.probe(rng, r, [i for i in r.slots if i // A_FRAME < RESERVED_FRAME or i % A_FRAME >= RESERVED_SLOTS])
    r.probes += [Probe(frames * A_FRAME << 3 | 1, 0, LOAD)] if frames < RESERVED_FRAME else []
    return r


def inputs(rng: Random) -> dict:
    return {"rounds": [table(rng, frames) for frames in FRAMES]}


def encode(given: dict) -> bytes:
    return model.encode(given["rounds"])


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    template = outside.variable("gdt_templates", 2 * model.PAGE)
    shown = 0
    for i, r in enumerate(given["rounds"]):
        for index in r.shows:
            o = seen.one("shown", shown)
            shown += 1
            frame, slot = divmod(index, A_FRAME)
            if frame < RESERVED_FRAME or slot >= RESERVED_SLOTS:
                continue
            if (o.low, o.high) == (r.slots[index].low, r.slots[index].high):
                yield Finding(EXERCISE, f"table {i}: reserved slot {index}", "the hypervisor's", "what the guest left there")
            want = struct.unpack_from("<II", template, (frame - RESERVED_FRAME) * model.PAGE + slot * 8)
            if frame == RESERVED_FRAME and slot in OWN_SLOTS and (o.low, o.high | 0x100) != (want[0], want[1] | 0x100):
                yield Finding(EXERCISE, f"table {i}: reserved slot {index}", want, (o.low, o.high))
            r.slots.pop(index)
    yield from model.judge_rounds(EXERCISE, given["rounds"], seen)
