# SPDX-License-Identifier: MIT
"""Judges `linux-bochs`: where limits are checked, do unmodified programs run all the same, and does nothing reach the hypervisor?

QEMU would show neither: it lets every access through to the page tables. A step over the fence is a #GP here (13), and a page
fault (14) wherever segments were not cut; both arrive as SIGSEGV, which tells the vector.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Linux, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_linux as linux  # noqa: E402
from lab4_model import FENCE, GP, LINE, NOTHING, PAGE, PF, WORDS  # noqa: E402

EXERCISE = "whole"
MEMORY = 64
DOMAINS = (Linux("linux-bochs"),)

OWN, OWN_SIZE = 0x30000000, 2 * PAGE  # as in linux-bochs.c
FLAT = 0xfffff
READ, WRITE, CALL, READ_FS, WRITE_FS = range(5)
KINDS = ("read", "write", "call", "read through %fs", "write through %fs")


@dataclass(frozen=True)
class Segment:
    """One of the program's own, and what is done through it: kind, offset, value to write or to find changed."""

    in_ldt: int
    base: int
    pages: int
    accesses: list[tuple[int, int, int]]

    def where(self) -> str:
        return f" of base {self.base:#x}, {self.pages + 1} pages, in the {'LDT' if self.in_ldt else 'GDT'}"

    def linear(self, kind: int, offset: int) -> int:
        return (offset + (self.base if kind in (READ_FS, WRITE_FS) else 0)) % WORDS

    def out_of_reach(self, kind: int, offset: int) -> bool:
        """A flat one reaches, both ways, whatever lies below the fence; a short one ends where it says."""
        if kind in (READ_FS, WRITE_FS) and self.pages != FLAT:
            return offset > self.pages * PAGE + PAGE - 4
        return self.linear(kind, offset) >= FENCE


def beyond(rng: Random) -> list[int]:
    """Addresses that no segment may reach: the hypervisor's, from its first byte to its last."""
    return [FENCE, FENCE + 4 * rng.randrange(1 << 20), rng.randrange(FENCE, WORDS - 4), WORDS - 4]


def unmapped(rng: Random) -> list[int]:
    """Addresses that segments reach and that page tables keep from ring 3; none in the last page below the fence."""
    return [rng.randrange(LINE, FENCE - 2 * PAGE), 0xc0000000 + 4 * rng.randrange(1 << 20), PAGE]


def flat(rng: Random, in_ldt: int) -> Segment:
    """A thread's segment, used in turn above its base, below it, and where it must not be."""
    base = OWN + PAGE + rng.randrange(-1000, 1000)
    accesses = []
    for _ in range(8):
        accesses.append((rng.choice((READ_FS, WRITE_FS)), rng.randrange(0, 2000), rng.getrandbits(32)))
        accesses.append((rng.choice((READ_FS, WRITE_FS)), -rng.randrange(4, 2000), rng.getrandbits(32)))
    for linear in beyond(rng) + unmapped(rng):
        accesses.append((rng.choice((READ_FS, WRITE_FS)), linear - base, rng.getrandbits(32)))
    rng.shuffle(accesses)
    return Segment(in_ldt, base, FLAT, [(kind, offset % WORDS, value) for kind, offset, value in accesses])


def short(rng: Random, in_ldt: int) -> Segment:
    """A page or two from the base on, and not a byte below it."""
    pages, base = rng.randrange(2), OWN
    end = (pages + 1) * PAGE
    offsets = [0, rng.randrange(end - 4), end - 4, end - 3, end, -4, -PAGE, FENCE - base, rng.randrange(end, WORDS - 4)]
    return Segment(in_ldt, base, pages, [(rng.choice((READ_FS, WRITE_FS)), o % WORDS, rng.getrandbits(32)) for o in offsets])


def own(rng: Random) -> Segment:
    """What every program has: the flat segments of ring 3, of data and of code."""
    accesses = [(kind, at, rng.getrandbits(32)) for kind in (READ, WRITE, CALL)
                for at in [*beyond(rng), *unmapped(rng), FENCE - 4]]
    return Segment(0, OWN, FLAT, accesses)


def inputs(rng: Random) -> dict:
    segments = [own(rng)] + [kind(rng, in_ldt) for kind in (flat, short) for in_ldt in (0, 1) for _ in range(2)]
    rng.shuffle(segments)
    kinds = (linux.counting, linux.digests, linux.signals, linux.nesting, linux.background)
    return {"scripts": linux.scripts(rng, kinds),
            "threads": (rng.randrange(200, 300), [rng.getrandbits(32) for _ in range(rng.randrange(3, 6))]),
            "seed": rng.getrandbits(32), "segments": segments}


def encode(given: dict) -> bytes:
    return observe.encode({
        **given, "scripts": [s.told() for s in given["scripts"]],
        "segments": [(s.in_ldt, s.base, s.pages, s.accesses) for s in given["segments"]]})


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from linux.judge_scripts(given["scripts"], seen)
    yield from judge_threads(*given["threads"], seen)
    yield from linux.judge_tables(outside)
    yield from judge_segments(given["seed"], given["segments"], seen)


def judge_threads(rounds: int, begun: list[int], seen: Seen) -> Iterator[Finding]:
    for i, value in enumerate(begun):
        below = [value, 0]
        for step in range(rounds):
            below[step & 1] = ((below[0] ^ below[1]) * 1664525 + 1013904223) % WORDS
        o, want = seen.one("thread", i), (below[0] ^ below[1], 0)
        if (o.value, o.wrong) != want:
            yield Finding(EXERCISE, f"thread {i} of {len(begun)}: its variables below %gs:0, how often %gs:0 was not its own",
                          want, (o.value, o.wrong))


def judge_segments(seed: int, segments: list[Segment], seen: Seen) -> Iterator[Finding]:
    memory = bytearray(b"".join(((seed + i * 2654435761) % WORDS).to_bytes(4, "little") for i in range(OWN_SIZE // 4)))
    number = 0
    for i, s in enumerate(segments):
        if (got := seen.one("loaded", i).vector) != NOTHING:
            yield Finding(EXERCISE, f"a segment{s.where()}, loaded into %fs: the vector", "no trap", got)
        for access in s.accesses:
            yield from judge_access(s, *access, memory, seen.one("access", number))
            number += 1
    if (got := seen.one("own").bytes) != bytes(memory):
        at = next(i for i, (a, b) in enumerate(zip(got, memory, strict=True)) if a != b)
        yield Finding(EXERCISE, f"the byte at {OWN + at:#x} after all that was written", memory[at], got[at])


def judge_access(s: Segment, kind: int, offset: int, value: int, memory: bytearray, o: observe.Observation) -> Iterator[Finding]:
    linear = s.linear(kind, offset)
    at = slice(linear - OWN, linear - OWN + 4)
    want = value
    if s.out_of_reach(kind, offset):
        trap = (GP, 0)
    elif not OWN <= linear <= OWN + OWN_SIZE - 4:
        trap = (PF, linear)
    else:
        trap = (NOTHING, 0)
        if kind == WRITE_FS:
            memory[at] = value.to_bytes(4, "little")
        want = int.from_bytes(memory[at], "little")
    got = (o.vector, 0 if o.vector == GP else o.address)
    if got != trap or o.value != want or (trap[0] == GP and o.error):
        where = s.where() if kind in (READ_FS, WRITE_FS) else ""
        yield Finding(EXERCISE, f"{KINDS[kind]}{where}, address {linear:#x}: the vector, the address of a page fault, the value",
                      shown(trap, want), shown(got, o.value))


def shown(trap: tuple[int, int], value: int) -> str:
    if trap[0] == NOTHING:
        return f"no trap, {value:#x}"
    return f"{'#GP' if trap[0] == GP else f'#PF at {trap[1]:#x}' if trap[0] == PF else f'vector {trap[0]}'}, {value:#x}"
