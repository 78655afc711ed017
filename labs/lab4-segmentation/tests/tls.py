# SPDX-License-Identifier: MIT
"""Judges `tls`: does a program that alternates between both sides of its thread block get on, and get what lies there?"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_programs as programs  # noqa: E402
from lab4_model import PAGE, WORDS  # noqa: E402
from lab4_programs import AROUND, DATA, ECX, END, Program, word  # noqa: E402

EXERCISE = "4.5"

ROUNDS = 12_500  # of four programs, with two accesses that fault in each: 10^5
LOOP = (b"\x65\x03\x35", b"\x65\x03\x3d", b"\x65\xff\x05", b"\x65\xff\x0d")  # add esi,; add edi,; inc; dec: gs:[disp32]


@dataclass(frozen=True)
class Case:
    program: Program
    above: int
    below: int
    writes: bool


def case(rng: Random, aligned: bool, writes: bool) -> Case:
    base = DATA + PAGE if aligned else DATA + PAGE // 2 + rng.randrange(PAGE)
    above, below = rng.randrange(0, AROUND - 4), -rng.randrange(4, AROUND)
    first, second = LOOP[2:] if writes else LOOP[:2]
    body = first + word(above) + second + word(below) + b"\x49"  # dec ecx
    code = body + b"\x75" + bytes([-(len(body) + 2) & 0xff]) + END  # jnz
    registers = [0] * 8
    registers[ECX] = ROUNDS
    what = f"{'writes' if writes else 'reads'} {above} above and {-below} below {base:#x}, in turn"
    return Case(Program(what, programs.flat(base), code, base, registers), above, below, writes)


def inputs(rng: Random) -> dict:
    return {"cases": [case(rng, aligned, writes) for aligned in (True, False) for writes in (False, True)]}


def encode(given: dict) -> bytes:
    return programs.encode([c.program for c in given["cases"]])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, c in enumerate(given["cases"]):
        o, p = seen.one("ran", i), c.program
        if (got := seen.one("loaded", i).answer) != 0:
            yield Finding(EXERCISE, f"{p.what}: a flat segment: the answer", 0, got)
        if (o.vector, o.ecx) != (programs.SYSTEM_CALL, 0):
            yield Finding(EXERCISE, f"{p.what}: how it ended, rounds left, where", (programs.SYSTEM_CALL, 0),
                          (o.vector, o.ecx, hex(o.eip)))
        memory = programs.data(p.base - AROUND, 2 * AROUND)
        sums = []
        for offset, step in ((c.above, ROUNDS), (c.below, -ROUNDS)):
            at = slice(AROUND + offset, AROUND + offset + 4)
            value = int.from_bytes(memory[at], "little")
            sums.append(0 if c.writes else value * ROUNDS % WORDS)
            if c.writes:
                memory[at] = ((value + step) % WORDS).to_bytes(4, "little")
        if (o.esi, o.edi) != tuple(sums):
            yield Finding(EXERCISE, f"{p.what}: the sums above and below", tuple(sums), (o.esi, o.edi))
        if (got := seen.one("around", i).bytes) != bytes(memory):
            yield Finding(EXERCISE, f"{p.what}: the bytes around the base", bytes(memory).hex(), got.hex())
        yield from programs.settled_badly(p, o, EXERCISE)
