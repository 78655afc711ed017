# SPDX-License-Identifier: MIT
"""Judges `tls-hostile`: is nothing turned over that it does not help, and nothing that must not be?

Each program has a twin that gets on: the one before it, with an offset that one of both forms reaches.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_model as model  # noqa: E402
import lab4_programs as programs  # noqa: E402
from lab4_model import CODE1, DATA3, Descriptor, DOWN, FENCE, G, B32, PAGE, W, WORDS, dpl, make  # noqa: E402
from lab4_programs import DATA, EBX, END, ES, FS, GS, Program, WINDOW_END, word  # noqa: E402

EXERCISE = "4.5"
DOMAINS = (Guest("neighbour", args="rounds=3000"), Guest("tls-hostile"))

PF, GP = 14, 13
USER_READ, RESERVED_DATA = 4, 0xe033
WORKS = (programs.SYSTEM_CALL, 0)
FAULTS = (GP, 0)
READ = b"\x65\x8b\x05"  # mov eax, gs:[disp32]


@dataclass(frozen=True)
class Case:
    program: Program
    ends: tuple[tuple[int, int], ...]  # vector and error, any of these
    faults_at: int | None = None  # of a page fault
    same: bool = False  # the descriptor must not change


def read(offset: int) -> bytes:
    return READ + word(offset)


def case(what: str, descriptor: Descriptor, code: bytes, *ends: tuple[int, int], faults_at: int | None = None, same: bool = False,
         **more: object) -> Case:
    return Case(Program(what, descriptor, code, DATA + PAGE, **more), ends, faults_at, same)


def offsets(rng: Random) -> Iterator[Case]:
    base = DATA + PAGE // 2 + rng.randrange(PAGE)
    flat, down = programs.flat(base), programs.upside_down(base)
    for d, form in ((flat, "expand-up"), (down, "expand-down")):
        yield case(f"{form}, read below the base", d, read(-8) + END, WORKS)
        yield case(f"{form}, read above the base", d, read(8) + END, WORKS)
        yield case(f"{form}, both, over and over", d, (read(-8) + read(8)) * 20 + END, WORKS)
        for linear in (FENCE, FENCE + PAGE, 0xfd000000, 0xff000000, WORDS - 4):
            yield case(f"{form}, read at {linear:#x}", d, read(linear - base) + END, FAULTS)
            yield case(f"{form}, write at {linear:#x}", d, b"\x65\xa3" + word(linear - base) + END, FAULTS)
        yield case(f"{form}, a read over the base", d, read(-2) + END, FAULTS, WORKS)
        yield case(f"{form}, a read over the fence", d, read(FENCE - base - 2) + END, FAULTS)
        yield case(f"{form}, a write by a string move, both ends", d, b"\x65\xa4" + END, FAULTS, WORKS, (PF, 4), (PF, 6))


def bases() -> Iterator[Case]:
    for base in (0, 1, 0x10, PAGE - 1):
        for offset in (-8, -PAGE, -(1 << 20)):
            yield case(f"base {base:#x}, offset {offset}", programs.flat(base), read(offset) + END, FAULTS, same=True)
    yield case("base 0, offset in the code", programs.flat(0), read(programs.CODE) + END, WORKS)


def rounding(rng: Random) -> Iterator[Case]:
    """Given as expand-down, with a base inside a page: turned over, it must end below the fence."""
    for _ in range(6):
        base = DATA + PAGE // 2 + rng.randrange(1, PAGE // 2 - 64)
        yield case(f"expand-down, base {base:#x}, turned over", programs.upside_down(base), read(8) + END, WORKS)


def others(rng: Random) -> Iterator[Case]:
    """Descriptors that are no cut-off flat segment of ring 3."""
    base = DATA + PAGE
    last = (FENCE - base) // PAGE - 1
    for d, what in ((make(base, last - 1, DATA3 | G), "a page shorter than up to the fence"), (make(base, 1, DATA3 | G), "two pages"),
                    (make(base, 0xfff, DATA3), "in bytes"), (make(base, last, DATA3 & ~B32 | G), "16-bit"),
                    (make(base, last, CODE1 | dpl(3) | G), "code")):
        yield case(f"{what}, read above the base", d, read(8) + END, WORKS, same=True)
        yield case(f"{what}, read below the base", d, read(-8) + END, FAULTS, same=True)
    yield case("expand-down, a page shorter", make(base, (WORDS - base) // PAGE, DATA3 | G | DOWN), read(8) + END, FAULTS, same=True)
    read_only = make(base, 0xfffff, DATA3 & ~W | G)
    yield case("read-only, read above the base", read_only, read(8) + END, WORKS, same=True)
    yield case("read-only, read below the base", read_only, read(-8) + END, FAULTS, same=True)
    yield case("read-only, write below the base", read_only, b"\x65\xa3" + word(-8) + END, FAULTS, same=True)
    yield case("read-only and expand-down, read above the base", make(base, (WORDS - base - 1) // PAGE, DATA3 & ~W | G | DOWN),
               read(8) + END, FAULTS, same=True)
    for prefix, name in ((GS, "GS"), (FS, "FS"), (ES, "ES")):
        code = bytes([prefix]) + read(-8)[1:] + END
        yield case(f"the null selector in {name}", programs.flat(base), code, FAULTS, same=True, prefix=prefix, selector=0)
        yield case(f"the reserved flat segment in {name}", programs.flat(base), code, FAULTS, same=True, prefix=prefix,
                   selector=RESERVED_DATA)
        yield case(f"a thread's segment in {name}", programs.flat(base), code, WORKS, prefix=prefix)


def codes(rng: Random) -> Iterator[Case]:
    base = DATA + PAGE // 2 + rng.randrange(PAGE)
    flat, down = programs.flat(base), programs.upside_down(base)
    yield case("fifteen prefixes", flat, b"\x65" * 15 + read(-8)[1:] + END, FAULTS, same=True)
    yield case("a hundred prefixes", flat, b"\x65\x66" * 50 + read(-8)[1:] + END, FAULTS, same=True)
    yield case("nine prefixes, fifteen bytes", flat, b"\x66" * 2 + b"\x65" * 6 + b"\x66" + read(-8)[1:] + END, WORKS)
    registers = [0] * 8
    registers[EBX] = 8
    yield case("16-bit addresses: [bx]", down, b"\x65\x67\x8b\x07" + END, FAULTS, WORKS, registers=list(registers))
    yield case("16-bit addresses: [disp16]", down, b"\x65\x67\xa1\x08\x00" + END, FAULTS, WORKS)
    yield case("32-bit addresses: [ebx]", down, b"\x65\x8b\x03" + END, WORKS, registers=list(registers))
    yield case("HLT", flat, b"\xf4" + END, FAULTS, same=True)
    yield case("HLT behind a prefix", flat, b"\x65\xf4" + read(-8)[1:], FAULTS, same=True)
    yield case("MOV to CR0 behind a prefix", flat, b"\x65\x0f\x22\xc0" + END, FAULTS, same=True)
    yield case("IN behind a prefix", flat, b"\x65\xec" + END, FAULTS, same=True)
    for cut in range(1, 7):  # the hole begins inside the instruction
        yield case(f"code that ends after {cut} bytes of 7", flat, read(-8)[:cut], (PF, USER_READ), faults_at=WINDOW_END, same=True,
                   at=WINDOW_END - cut)
    yield case("code with a hole right behind it", flat, read(-8), (PF, USER_READ), faults_at=WINDOW_END, at=WINDOW_END - 7)


def inputs(rng: Random) -> dict:
    cases = [*offsets(rng), *bases(), *rounding(rng), *others(rng), *codes(rng)]
    return {"cases": cases, "flat": programs.flat(DATA + PAGE)}


def encode(given: dict) -> bytes:
    flat = given["flat"]
    return programs.encode([c.program for c in given["cases"]]) + observe.encode((flat.low, flat.high) * 2)


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, c in enumerate(given["cases"]):
        o, p = seen.one("ran", i, domain=1), c.program
        if (got := seen.one("loaded", i, domain=1).answer) != 0:
            yield Finding(EXERCISE, f"{p.what}: loading {p.descriptor}: the answer", 0, got)
        if (o.vector, o.error) not in c.ends:
            yield Finding(EXERCISE, f"{p.what} ({p.descriptor}): trap and error", c.ends[0], (o.vector, o.error))
        elif o.vector == PF and c.faults_at is not None and o.address != c.faults_at:
            yield Finding(EXERCISE, f"{p.what}: the address of the page fault", hex(c.faults_at), hex(o.address))
        yield from programs.settled_badly(p, o, EXERCISE)
        if c.same and (fault := model.wrong(p.descriptor, True, Descriptor(o.low, o.high & ~0x100 | p.descriptor.high & 0x100))):
            yield Finding(EXERCISE, f"{p.what}: the descriptor afterwards", *fault)

    ring1 = seen.one("ring-1", domain=1)
    if (got := (seen.one("loaded-1", domain=1).answer, ring1.vector, ring1.error, ring1.changed)) != (0, GP, 0, 0):
        yield Finding(EXERCISE, "ring 1 reads below the base: answer of set_gdt, trap, error, change of the descriptor",
                      (0, GP, 0, 0), got)
    if (got := seen.one("there", domain=1).vector) != programs.SYSTEM_CALL:
        yield Finding(EXERCISE, "code that is still there: trap", programs.SYSTEM_CALL, got)
    gone = seen.one("gone", domain=1)
    # A processor that remembers the page for data as well lets the hypervisor read it.
    if gone.vector != programs.SYSTEM_CALL and (gone.vector, gone.error & ~1, gone.address) != (PF, USER_READ, gone.offset):
        yield Finding(EXERCISE, "code that cannot be read: trap, error, address and EIP in its page", (PF, USER_READ, "the same"),
                      (gone.vector, gone.error, gone.address, gone.offset))
    neighbour = seen.one("neighbour")
    if neighbour.good != neighbour.asked:
        yield Finding(EXERCISE, "good calls of the other domain", neighbour.asked, neighbour.good)
