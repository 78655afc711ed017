# SPDX-License-Identifier: MIT
"""What the judges of lab 4 share: descriptors as the processor reads them (SDM 3A, 3.4.5 and 5.3 to 5.6) and as
public/segment.h wants them, and the rounds that tables.h makes of them.

A descriptor is judged by the set of bytes that it reaches, worked out in whole numbers: no formula of a
solution appears here.
"""

import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

LINE, FENCE, WORDS = 0xfc000000, 0xfc400000, 1 << 32
PAGE = 4096
A_FRAME = 512  # descriptors
RESERVED_FRAME, RESERVED_SLOTS = 14, 16
RING1_DATA = 0xe021

# The windows of a guest that lies at 0xc0000000.
WINDOWS = 0xbfc00000
READONLY, HOLE, USER, END = (WINDOWS + n * PAGE for n in (4, 8, 12, 16))

# Bits of a descriptor, from bit 8 of its upper word on.
ACCESSED, W, DOWN, CODE, S, PRESENT = 1, 2, 4, 8, 0x10, 0x80
READABLE, CONFORMING = W, DOWN  # of code
B32, G = 0x4000, 0x8000


def dpl(n: int) -> int:
    return n << 5


DATA1 = W | S | dpl(1) | PRESENT | B32
DATA3 = W | S | dpl(3) | PRESENT | B32
CODE1 = READABLE | CODE | S | dpl(1) | PRESENT | B32

GP, NP, PF = 13, 11, 14
NOTHING = 0xffffffff

REFUSED = -errno.EACCES

LOAD, READ, BYTE, WRITE = range(4)
GDT, LDT = 0, 1


@dataclass(frozen=True)
class Descriptor:
    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.high:08x}:{self.low:08x}"

    @property
    def base(self) -> int:
        return self.low >> 16 | (self.high & 0xff) << 16 | self.high & 0xff000000

    @property
    def limit(self) -> int:
        """The 20 bits."""
        return self.low & 0xffff | self.high & 0xf0000

    @property
    def bits(self) -> int:
        return self.high >> 8 & 0xf0ff

    @property
    def is_down(self) -> bool:
        return self.bits & (CODE | DOWN) == DOWN

    def offsets(self) -> range:
        """Those that may be accessed."""
        last = self.limit * PAGE + PAGE - 1 if self.bits & G else self.limit
        if self.is_down:
            return range(last + 1, WORDS if self.bits & B32 else 0x10000)
        return range(last + 1)

    def runs(self) -> list[tuple[int, int]]:
        """The linear addresses that it reaches: first and last of each run."""
        offsets = self.offsets()
        if not offsets:
            return []
        first, last = self.base + offsets[0], self.base + offsets[-1]
        if first >= WORDS or last < WORDS:
            return [(first % WORDS, last % WORDS)]
        return [(first, WORDS - 1), (0, last - WORDS)]

    def reaches(self, linear: int) -> bool:
        return any(first <= linear <= last for first, last in self.runs())


def make(base: int, limit: int, bits: int) -> Descriptor:
    return Descriptor((base << 16 | limit & 0xffff) % WORDS,
                      base & 0xff000000 | limit & 0xf0000 | bits << 8 | base >> 16 & 0xff)


def unsafe(d: Descriptor) -> bool:
    """Whether no cut could make it a guest's."""
    return not d.bits & S or not d.bits & dpl(3)


def fits(d: Descriptor) -> bool:
    """Whether it may stand as it is."""
    return not d.bits & PRESENT or (not unsafe(d) and all(last < FENCE for _, last in d.runs()))


def may_cut(d: Descriptor) -> bool:
    return not unsafe(d) and bool(d.bits & G) and not d.is_down and d.base < FENCE


def must_accept(d: Descriptor) -> bool:
    """A whole page at least is left, if it has to be cut."""
    return fits(d) or (may_cut(d) and d.base <= FENCE - PAGE)


def must_refuse(d: Descriptor) -> bool:
    return not fits(d) and not may_cut(d)


def wrong(d: Descriptor, accepted: bool, got: Descriptor) -> tuple[str, str] | None:
    """What is not as it should be with what became of a descriptor: wanted, got. A cut may be made by pages or bytes."""
    if not accepted:
        return ("accepted", "refused") if must_accept(d) else None
    if must_refuse(d):
        return "refused", f"accepted as {got}"
    if fits(d):
        return None if got == d else (f"{d}, as it was", str(got))
    same = got.base == d.base and (got.bits ^ d.bits) & ~G == 0
    if same and got.runs() and got.runs()[-1][0] == d.base and FENCE - PAGE <= got.runs()[-1][1] < FENCE:
        return None
    return "cut to end less than a page below the fence", str(got)


# ---- what the processor does ----

@dataclass(frozen=True)
class Trap:
    vector: int
    error: int = 0
    address: int = 0


def load_trap(d: Descriptor | None, selector: int, cpl: int = 1) -> Trap | None:
    """A data segment register is loaded with a selector whose descriptor is `d`; None: outside of the table."""
    if selector & ~3 == 0:
        return None
    if d is None or not d.bits & S or d.bits & (CODE | READABLE) == CODE:
        return Trap(GP, selector & ~3)
    conforming = d.bits & (CODE | CONFORMING) == CODE | CONFORMING
    if not conforming and (d.bits >> 5 & 3) < max(cpl, selector & 3):
        return Trap(GP, selector & ~3)
    return None if d.bits & PRESENT else Trap(NP, selector & ~3)


def access_trap(d: Descriptor, offset: int, size: int, write: bool) -> Trap | None:
    allowed = d.offsets()
    if write and d.bits & (CODE | W) != W:
        return Trap(GP)
    return None if offset in allowed and offset + size - 1 in allowed else Trap(GP)


def readonly_word(linear: int) -> int:
    return int.from_bytes(bytes((linear + i) & 0xff for i in range(4)), "little")


def page_trap(linear: int, write: bool) -> Trap | None:
    """In the windows, and in the M2P's empty end. A KeyError: nobody knows."""
    if READONLY <= linear <= HOLE - 4:
        return Trap(PF, 3, linear) if write else None
    if HOLE <= linear <= USER - 4 or FENCE - PAGE <= linear < FENCE:
        return Trap(PF, 2 if write else 0, linear)
    raise KeyError(f"{linear:#x} lies in no window")


# ---- rounds ----

@dataclass(frozen=True)
class Probe:
    selector: int
    offset: int
    kind: int


@dataclass
class Round:
    """A table, and what is done with it."""

    entries: int
    slots: dict[int, Descriptor]
    kind: int = GDT
    answer: int = 0
    shows: list[int] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)

    def told(self) -> tuple:
        return (self.kind, self.entries, [(i, d.low, d.high) for i, d in self.slots.items()], self.shows,
                [(p.selector, p.offset, p.kind) for p in self.probes])

    def selector(self, index: int, rpl: int = 1) -> int:
        return index << 3 | (4 if self.kind == LDT else 0) | rpl


def encode(rounds: list[Round]) -> bytes:
    return observe.encode([r.told() for r in rounds])


def settled(d: Descriptor) -> Descriptor:
    """A good descriptor as it stands in a table in use: cut by whole pages."""
    if fits(d):
        return d
    return make(d.base, (FENCE - d.base) // PAGE - 1, d.bits)


def in_table(r: Round, selector: int) -> Descriptor | None:
    """What the processor finds for a selector of round `r`. All of the frames' descriptors count, in a GDT."""
    index, frames = selector >> 3, -(-r.entries // A_FRAME)
    if (selector & 4 != 0) != (r.kind == LDT):
        raise KeyError("the other table")
    if index >= (r.entries if r.kind == LDT else frames * A_FRAME):
        return None if r.kind == LDT else make(0, 0, 0)
    return settled(r.slots[index]) if index in r.slots else make(0, 0, 0)


def expected(r: Round, p: Probe) -> tuple[Trap | None, int | None]:
    """The trap, or the value that is read."""
    d = in_table(r, p.selector)
    trap = load_trap(d, p.selector)
    if trap or p.kind == LOAD:
        return trap, None
    write, size = p.kind == WRITE, 1 if p.kind == BYTE else 4
    if p.selector & ~3 == 0:
        return Trap(GP), None
    linear = (d.base + p.offset) % WORDS
    trap = access_trap(d, p.offset, size, write) or page_trap(linear, write)
    return trap, None if trap or write else readonly_word(linear) & (0xff if size == 1 else 0xffffffff)


def trap_of(seen: observe.Observation) -> Trap | None:
    return None if seen.vector == NOTHING else Trap(seen.vector, seen.error, seen.address)


def judge_probe(exercise: str, name: str, r: Round, p: Probe, o: observe.Observation) -> Iterator[Finding]:
    trap, value = expected(r, p)
    if trap_of(o) != trap or (value is not None and value != o.value):
        yield Finding(exercise, f"{name}: {('load', 'read', 'read a byte', 'write')[p.kind]} {p.selector:#x}:{p.offset:#x} "
                      f"({in_table(r, p.selector)})", trap or f"{value or 0:#x}", trap_of(o) or f"{o.value:#x}")


def judge_rounds(exercise: str, rounds: Iterable[Round], seen: Seen, domain: int = 0) -> Iterator[Finding]:
    shown = probed = 0
    for i, r in enumerate(rounds):
        name = f"table {i} ({'LDT' if r.kind == LDT else 'GDT'}, {r.entries} entries)"
        got = seen.one("table", i, domain).answer
        if got != r.answer:
            yield Finding(exercise, f"{name}: the answer", r.answer, got)
        for index in r.shows:
            o = seen.one("shown", shown, domain)
            shown += 1
            if index in r.slots and got == r.answer:
                fault = wrong(r.slots[index], r.answer == 0, Descriptor(o.low, o.high)) if r.answer == 0 else None
                if fault:
                    yield Finding(exercise, f"{name}: descriptor {index}, which was {r.slots[index]}", *fault)
        for p in r.probes:
            yield from judge_probe(exercise, name, r, p, seen.one("probe", probed, domain))
            probed += 1
