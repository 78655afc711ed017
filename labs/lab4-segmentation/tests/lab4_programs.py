# SPDX-License-Identifier: MIT
"""Programs for ring 3, as programs.h runs them: what the judges of exercise 4.5 share."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from atelier_grader import observe
from atelier_grader.judge import Finding

import lab4_model as model
from lab4_model import DATA3, Descriptor, DOWN, G, PAGE, USER, WORDS, make

CODE = USER  # the page of the user window for code, the two of data, the end of the window: nothing is mapped there
DATA, DATA_END, WINDOW_END = USER + PAGE, USER + 3 * PAGE, USER + 4 * PAGE
SELECTOR = 5 << 3 | 3  # programs.h
ES, FS, GS = 0x26, 0x64, 0x65
EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI = range(8)
NAMES = ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi")
AROUND = 64
END = b"\xcd\x80"  # INT 0x80
SYSTEM_CALL = 0x80


def word(n: int) -> bytes:
    return struct.pack("<I", n % WORDS)


def flat(base: int) -> Descriptor:
    """A thread's segment as every i386 system makes it; cut when it is accepted."""
    return make(base, 0xfffff, DATA3 | G)


def upside_down(base: int) -> Descriptor:
    """The same after it was turned over: whole pages from address 0 or a little above it, up to the base."""
    return make(base, (WORDS - base - 1) // PAGE, DATA3 | G | DOWN)


def data(first: int, size: int) -> bytearray:
    """What lies in the data pages before each program."""
    return bytearray((a * 167 % WORDS) >> 3 & 0xff for a in range(first, first + size))


@dataclass
class Program:
    what: str
    descriptor: Descriptor
    code: bytes
    base: int  # the bytes around it are shown
    registers: list[int] = field(default_factory=lambda: [0] * 8)
    prefix: int = GS
    selector: int = SELECTOR
    at: int = CODE
    start: int | None = None

    def told(self) -> tuple:
        return (self.descriptor.low, self.descriptor.high, self.prefix, self.selector, self.at,
                self.at if self.start is None else self.start, self.base, *self.registers, self.code)


def encode(programs: list[Program]) -> bytes:
    return observe.encode([p.told() for p in programs])


def settled_badly(p: Program, o: observe.Observation, exercise: str) -> Iterator[Finding]:
    """What the descriptor has become must be a guest's, and the same segment."""
    got = Descriptor(o.low, o.high)
    if not model.fits(got):
        yield Finding(exercise, f"{p.what}: the descriptor afterwards", "one that ends below the fence", f"{got}, {got.runs()}")
    if got.base != p.descriptor.base or (got.bits ^ p.descriptor.bits) & ~(DOWN | 1):
        yield Finding(exercise, f"{p.what}: the descriptor afterwards", f"{p.descriptor} but for its direction and limit", str(got))
