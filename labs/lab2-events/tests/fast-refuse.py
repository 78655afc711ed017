# SPDX-License-Identifier: MIT
"""Judges `fast-refuse`: is every gate refused that is not ring 3's way to ring 1, and does the old one stand then?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab2_cases as cases  # noqa: E402
from lab2_cases import Case  # noqa: E402

EXERCISE = "2.5"
DOMAINS = (Guest("clock", args="rounds=120 tick=500"), Guest("fast-refuse"))

FAST = (0x80, *range(0x20, 0x30))
NONE = 0xffffffff
DPL3, MASK_EVENTS = 3, 4
ELSEWHERE = cases.CODE1 + 0xf00  # what the table leads to now; the gate leads to a stub
RESERVED = [frame << 12 | slot << 3 for frame in (14, 15) for slot in range(16)]


def reserved(selector: int) -> bool:
    return selector & ~7 in RESERVED and not selector & 4


def selectors(rng: Random) -> list[int]:
    """256, each with every RPL: all reserved ones, those around them, and others, in either table."""
    near = {s + 8 * n for s in RESERVED for n in (-1, 0, 1) if 0 <= s + 8 * n < 0x10000} | {0, 4, 8, 0xfff8}
    while len(near) < 256:
        near.add(rng.randrange(0, 0x10000) & ~3)
    return [s | rpl for s in sorted(near) for rpl in range(4)]


def whole_table(rng: Random, **changes: tuple) -> tuple:
    """Every vector, with 0x80 leading elsewhere; `changes` are entries that replace others (None: absent)."""
    entries = {v: cases.entry(v, DPL3) for v in range(256)}
    entries[0x80] = cases.entry(0x80, DPL3, address=ELSEWHERE)
    for name, entry in changes.items():
        entries[int(name[1:])] = entry
    return cases.table(*(e for e in entries.values() if e))


def call(rng: Random) -> Case:
    return cases.case(rng, "INT 0x80 in ring 3", 3, b"\xcd\x80\xf4")


def refusals(rng: Random) -> list[tuple]:
    """(steps, their answers): before each of them, the gate of 0x80 is there, and after it too."""
    plain = whole_table(rng)
    tried = [([(cases.FAST, v)], [-errno.EINVAL]) for v in (*range(256), 256, 0x180, 0x100 + 0x20, 1 << 31, NONE - 1)
             if v not in FAST]
    for v in rng.sample(FAST, 4):
        for entry in (None, cases.entry(v, DPL3 | MASK_EVENTS, address=ELSEWHERE)):
            tried.append(([whole_table(rng, **{f"v{v}": entry}), (cases.FAST, v), plain], [0, -errno.EPERM, 0]))
    return tried


def some_selectors(rng: Random) -> list[tuple]:
    """A table may name selectors of ring 1 that are not reserved, whatever lies there; no other gets into it."""
    return [([cases.table(cases.entry(0x80, DPL3, cs=s, address=ELSEWHERE))],
             [0 if s == cases.RING1_CODE or s & 3 == 1 and not reserved(s) else -errno.EPERM]) for s in selectors(rng)]


def inputs(rng: Random) -> dict:
    # The gate of 0x80 leads to a stub; the table then does not.
    good = cases.table(*(cases.entry(v, DPL3) for v in range(256)))
    steps = [(good, 0), ((cases.FAST, 0x80), 0), (whole_table(rng), 0), (call(rng), True)]
    tried = refusals(rng)
    rng.shuffle(tried)
    for more, answers in tried:
        steps += [*zip(more, answers), *([(call(rng), True)] if rng.random() < 0.3 or len(more) > 1 else [])]
    tried = some_selectors(rng)
    rng.shuffle(tried)
    for more, answers in tried:
        steps += zip(more, answers)
        if rng.random() < 0.05:
            steps += [(whole_table(rng), 0), (call(rng), True)]
    steps += [(whole_table(rng), 0), (call(rng), True), ((cases.FAST, NONE), 0), (call(rng), False)]
    for v in FAST:  # these may be had
        steps.append(((cases.FAST, v), 0))
    return {"steps": [s for s, _ in steps], "answers": [a for _, a in steps]}


def encode(given: dict) -> bytes:
    elsewhere = cases.JUMP_DONE
    return observe.encode((elsewhere, cases.encode_steps(given["steps"])))


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for key, (step, want) in enumerate(zip(given["steps"], given["answers"], strict=True)):
        if isinstance(step, Case):
            run = seen.one("run", key, domain=1)
            frame = cases.frame(step, step.eip + 2, step.eflags | cases.IF)
            stub = 0x80 if want else cases.STUB_DONE
            if not want:
                frame[2] = None  # EFLAGS: a table's call is a fault first, and some processors set RF then
            for difference in cases.frame_differs(step, cases.arrival(step, stub, 0, 0), frame, run,
                                                  seen.one("stack", key, domain=1)):
                yield Finding(EXERCISE, *difference)
            continue
        fast = step[0] == cases.FAST
        if (got := seen.one("fast" if fast else "table", key, domain=1).answer) != want:
            what = f"set_fast_trap({step[1]:#x})" if fast else f"set_trap_table() with CS {step[1][0][2]:#x} for {step[1][0][0]:#x}"
            yield Finding(EXERCISE, f"{what}, step {key}", want, got)
    for difference in (*cases.clock_differs(seen, 4), *cases.code_differs(outside)):
        yield Finding(EXERCISE, *difference)
