# SPDX-License-Identifier: MIT
"""Judges `int-n`: does INT n go where the guest's own table says, for whom it says, and nowhere else?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab2_cases as cases  # noqa: E402
from lab2_cases import Case  # noqa: E402

EXERCISE = "2.4"

MASK_EVENTS = 4
PROTECTION = 13
CALL = 0x82
ALWAYS = {3: 3, 4: 3, PROTECTION: 0}  # INT3 and INTO are everybody's; without a handler of #GP one would die


def good_table(rng: Random) -> dict[int, int]:
    """Vectors that have a handler, and their flags."""
    flags = {v: rng.randrange(4) | rng.choice((0, MASK_EVENTS)) for v in rng.sample(range(256), rng.randrange(120, 200))}
    return {**flags, **{v: dpl | flags.get(v, 0) & MASK_EVENTS for v, dpl in ALWAYS.items()}}


def step(table: dict[int, int], *more: tuple) -> tuple:
    return cases.table(*(cases.entry(v, flags) for v, flags in table.items()), *more)


def int_n(rng: Random, ring: int, n: int) -> Case:
    """Behind it, ring 1 reports that it goes on, and ring 3 is stopped by HLT."""
    code = bytes((0xcd, n)) + (cases.JUMP_DONE if ring == 1 else b"\xf4")
    c = cases.case(rng, f"INT {n:#x} in ring {ring}", ring, code, mask=rng.randrange(2))
    if n == CALL:
        c.regs["eax"] = cases.VERSION
    return c


def inputs(rng: Random) -> dict:
    steps, answers = [], []
    for _ in range(2):
        table = good_table(rng)
        turned = {v: (flags ^ 7) & 7 for v, flags in table.items()}
        bad = rng.choice((cases.entry(255, cs=0xe008), cases.entry(254, cs=cases.RING3_CODE)))
        turned.pop(bad[0], None)
        runs = [(int_n(rng, ring, n), table) for ring in (1, 3) for n in range(256)]
        rng.shuffle(runs)
        part = [(step(table), 0), (step(turned, bad), -errno.EPERM), *runs]
        steps += [s for s, _ in part]
        answers += [a for _, a in part]
    return {"steps": steps, "answers": answers}


def encode(given: dict) -> bytes:
    return observe.encode(cases.encode_steps(given["steps"]))


def expected(c: Case, n: int, table: dict[int, int]) -> tuple[dict[str, int], list[int]]:
    if n == CALL and c.ring == 1:
        return {"stub": cases.STUB_DONE, "esp": c.esp, **c.regs, "eax": 1}, []
    if n in table and table[n] & 3 >= c.ring:
        return (cases.arrival(c, n, 0, c.mask | bool(table[n] & MASK_EVENTS)), cases.frame(c, c.eip + 2, c.eflags))
    want = cases.arrival(c, PROTECTION, 1, c.mask | bool(table[PROTECTION] & MASK_EVENTS))
    return want, cases.frame(c, c.eip, c.eflags, n << 3 | 2)


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, (c, answer) in enumerate(zip(given["steps"], given["answers"], strict=True)):
        if not isinstance(c, Case):
            if (got := seen.one("table", key).answer) != answer:
                yield Finding(EXERCISE, f"set_trap_table(), step {key}", answer, got)
            continue
        want, frame = expected(c, c.code[1], answer)
        run, stack = seen.one("run", key), cases.words(seen.one("stack", key))
        if c.ring == 1 and frame or c.ring == 3:
            at = len(frame) - (1 if c.ring == 1 else 3)
            frame[at] &= ~cases.RF
            stack[at] &= ~cases.RF  # the processor's business
        for name, value in want.items():
            if (got := getattr(run, name)) != value:
                yield Finding(EXERCISE, f"{c.what}: {name.upper()}", value, got)
        for i, (value, got) in enumerate(zip(frame, stack)):
            if got != value:
                yield Finding(EXERCISE, f"{c.what}: word {i} of the frame", value, got)
