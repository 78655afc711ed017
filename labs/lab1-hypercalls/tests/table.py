# SPDX-License-Identifier: MIT
"""Judges `table`: does a call do what its number says, and change no register but EAX?"""

import errno
from collections.abc import Iterator
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "1.1"

ROWS = 26  # HYPERCALL_COUNT
VERSION, STACK_SWITCH, FPU_TASKSWITCH, SET_DEBUGREG, GET_DEBUGREG, SHUTDOWN, YIELD = 0, 4, 6, 7, 8, 9, 12
INTERFACE = 1
LINE = 0xfc000000

NAMES = ("eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "eflags", "ds", "es", "fs", "gs", "esp")
DATA = (0xe021, 0xe033)  # selectors of flat data segments that ring 1 may load
FLAGS = 0xcd5  # OF DF SF ZF AF PF CF: what a guest may set and a call could spoil


def implemented(rng: Random) -> tuple[int, int, int, int]:
    """A call that is given in every stage and copies nothing: number, EBX, ECX, and the answer."""
    word = rng.getrandbits(32)
    condition = sum(rng.choice((0, 1, 3)) << shift for shift in range(16, 32, 2))  # of DR7: none is refused
    return rng.choice((
        (VERSION, word, rng.getrandbits(32), INTERFACE),
        (STACK_SWITCH, rng.getrandbits(32), word, 0),
        (FPU_TASKSWITCH, rng.randrange(2), word, 0),
        (SET_DEBUGREG, rng.randrange(4), word % (LINE - 8), 0),
        (SET_DEBUGREG, 6, word, 0),
        (SET_DEBUGREG, 7, condition, 0),  # no breakpoint is switched on
        (SET_DEBUGREG, rng.choice((4, 5, 8, 1 << 31, word | 8)), word, -errno.EINVAL),
        (GET_DEBUGREG, rng.choice((4, 5, 8, 1 << 31, word | 8)), word, -errno.EINVAL),
        (SHUTDOWN, word | 4, rng.getrandbits(32), -errno.EINVAL),
        (YIELD, word, rng.getrandbits(32), 0),
    ))


def unknown(rng: Random) -> tuple[int, int, int, int]:
    number = rng.choice((rng.randrange(ROWS, 300), rng.randrange(ROWS, 1 << 32), 1 << rng.randrange(8, 32)))
    return number, rng.getrandbits(32), rng.getrandbits(32), -errno.ENOSYS


def call(rng: Random, row: tuple[int, int, int, int]) -> dict[str, int]:
    number, ebx, ecx, _ = row
    before = {name: rng.getrandbits(32) for name in NAMES}
    return before | {
        "eax": number, "ebx": ebx, "ecx": ecx, "eflags": rng.getrandbits(32) & FLAGS | 2, "esp": 0,
        "ds": rng.choice(DATA), "es": rng.choice(DATA), "fs": rng.choice((0, *DATA)), "gs": rng.choice((0, *DATA)),
    }


def inputs(rng: Random) -> dict:
    rows = [implemented(rng) for _ in range(60)] + [unknown(rng) for _ in range(200)]
    rng.shuffle(rows)
    return {"calls": [call(rng, row) for row in rows], "answers": [row[3] for row in rows]}


def encode(given: dict) -> bytes:
    return observe.encode({"calls": given["calls"]})


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, (before, answer) in enumerate(zip(given["calls"], given["answers"], strict=True)):
        after = seen.one("call", i)
        what = f"call {before['eax']:#x}"
        if after.eax != answer:
            yield Finding(EXERCISE, f"{what}: the answer", answer, after.eax)
        for name in NAMES[1:]:
            mask = FLAGS if name == "eflags" else 0xffffffff
            want, got = before[name] & mask, getattr(after, name) & mask
            if got != want:
                yield Finding(EXERCISE, f"{what}: {name.upper()} after it", want, got)
