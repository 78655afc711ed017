# SPDX-License-Identifier: MIT
"""Judges `upcall`: is the event's frame right, word by word, where it belongs, and built only while events are unmasked?"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab2_cases as cases  # noqa: E402
from lab2_cases import Case  # noqa: E402

EXERCISE = "2.3"


def by_call(rng: Random, mask: int) -> Case:
    """Ring 1 sends itself an event: it comes on the way out of the call, or not."""
    c = cases.case(rng, f"an event sent by ring 1, mask {mask}", 1, cases.INT_82 + cases.JUMP_DONE, mask=mask)
    c.regs.update(eax=cases.EVENT_OP, ebx=cases.SEND)
    return c


def pending(rng: Random, mask: int) -> Case:
    """An event is there before a call that has nothing to do with it."""
    c = cases.case(rng, f"an event pending at a call, mask {mask}", 1, cases.INT_82 + cases.JUMP_DONE, mask=mask, raised=True)
    c.regs.update(eax=cases.VERSION)
    return c


def by_timer(rng: Random, ring: int) -> Case:
    c = cases.case(rng, f"an event while ring {ring} loops", ring, cases.SPIN, delay=rng.randrange(60000, 90000))
    return replace(c, eflags=c.eflags | rng.choice((0, cases.NT)))


def inputs(rng: Random) -> dict:
    runs = [make(rng, mask) for make in (by_call, pending) for mask in (0, 1) for _ in range(15)]
    runs += [by_timer(rng, ring) for ring in (1, 3) for _ in range(30)]
    rng.shuffle(runs)
    return {"steps": [cases.callbacks(), *runs]}


def encode(given: dict) -> bytes:
    return observe.encode(cases.encode_steps(given["steps"]))


def expected(c: Case) -> tuple[dict[str, int], list[int]]:
    if c.mask:
        return {"stub": cases.STUB_DONE, "mask": 1, "esp": c.esp, **c.regs, "eax": 1 if c.raised else 0}, []
    want = cases.arrival(c, cases.EVENT, 0, 1)
    if not c.delay:
        want["eax"] = 1 if c.raised else 0  # version()'s answer, or the sending's
    return want, cases.frame(c, c.eip if c.delay else c.eip + 2, c.eflags)


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    if (answer := seen.one("callbacks", 0).answer) != 0:
        yield Finding(EXERCISE, "set_callbacks()", 0, answer)
    for key, c in enumerate(given["steps"]):
        if not isinstance(c, Case):
            continue
        run = seen.one("run", key)
        want, frame = expected(c)
        for difference in cases.frame_differs(c, want, frame, run, seen.one("stack", key)):
            yield Finding(EXERCISE, *difference)
        if not c.mask and (bad := run.eflags & (cases.TF | cases.NT | cases.VM | 3 * cases.IOPL)):
            yield Finding(EXERCISE, f"{c.what}: TF, NT, VM, IOPL in the callback", 0, bad)
