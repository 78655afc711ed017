# SPDX-License-Identifier: MIT
"""Judges `traps`: does each exception come to its handler with the right frame, and does a bad table change nothing?"""

import errno
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab2_cases as cases  # noqa: E402
from lab2_cases import Case  # noqa: E402

EXERCISE = "2.4"

WORD = 4
MASK_EVENTS = 4
LINE = 0xfc000000
DIVIDE, DEBUG, BREAK, OVERFLOW, BOUND, OPCODE, NO_FPU = 0, 1, 3, 4, 5, 6, 7
BAD_TSS, PROTECTION, PAGE_FAULT, MATH = 10, 13, 14, 16
HAS_ERROR = {8, 10, 11, 12, 13, 14, 17}
WRITE, PRESENT, USER = 2, 1, 4


@dataclass(frozen=True)
class Trap(Case):
    """A case, and what the processor says about it."""

    vector: int = 0
    error: int = 0
    address: int = 0
    at: int = 0  # the EIP that is reported
    pushed: int = 0  # bytes that the code has pushed by then


def trap(rng: Random, what: str, ring: int, code: bytes, vector: int, *, after: int = 0, at: int | None = None,
         regs: dict[str, int] | None = None, flags: int = 0, fpu: bool = False, **more: int) -> Trap:
    c = cases.case(rng, f"{what} in ring {ring}", ring, code, mask=rng.randrange(2), fpu=fpu)
    changed = {"eflags": c.eflags | flags, "regs": c.regs | (regs or {}), "vector": vector,
               "at": c.eip + after if at is None else at}
    return Trap(**vars(c) | changed | more)


def absolute(opcode: bytes, address: int) -> bytes:
    return opcode + address.to_bytes(WORD, "little")


def memory(rng: Random, ring: int) -> Iterator[Trap]:
    """Page faults: U is there exactly for ring 3."""
    user = USER if ring == 3 else 0
    hole = rng.choice((cases.HOLE, cases.BELOW)) + rng.randrange(0, cases.PAGE - 3)
    fixed = cases.READONLY + rng.randrange(0, cases.PAGE - 3)
    yield trap(rng, "a read of a hole", ring, absolute(b"\xa1", hole), PAGE_FAULT, error=user, address=hole)
    yield trap(rng, "a write to a hole", ring, absolute(b"\xa3", hole), PAGE_FAULT, error=user | WRITE, address=hole)
    yield trap(rng, "a write to a read-only page", ring, absolute(b"\xa3", fixed), PAGE_FAULT,
               error=user | WRITE | PRESENT, address=fixed)
    yield trap(rng, "a jump into a hole", ring, b"\xff\xe0", PAGE_FAULT, error=user, address=hole, at=hole,
               regs={"eax": hole})
    if ring == 3:
        yield trap(rng, "a read of ring 1's memory", ring, absolute(b"\xa1", fixed), PAGE_FAULT, error=user | PRESENT,
                   address=fixed)


def others(rng: Random, ring: int) -> Iterator[Trap]:
    selector = rng.randrange(8, 0x800) & ~3 | ring
    # push; fldcw (%esp): divisions by zero raise; fld1; fldz; fdivp; fwait
    math = b"\xdb\xe3\x68\x7b\x03\0\0\xd9\x2c\x24\xd9\xe8\xd9\xee\xde\xf9"
    yield trap(rng, "a division by zero", ring, b"\xf7\xf1", DIVIDE, regs={"ecx": 0})
    yield trap(rng, "INT3", ring, b"\xcc", BREAK, after=1)
    yield trap(rng, "INTO", ring, b"\xce", OVERFLOW, after=1, flags=cases.OF)
    yield trap(rng, "BOUND", ring, absolute(b"\x62\x05", cases.STACK3 - cases.PAGE), BOUND, regs={"eax": 0x80000000})
    yield trap(rng, "UD2", ring, cases.UD2, OPCODE)
    yield trap(rng, "FNOP", ring, b"\xd9\xd0", NO_FPU, fpu=True)
    yield trap(rng, "CLI", ring, b"\xfa", PROTECTION)
    yield trap(rng, "HLT", ring, b"\xf4", PROTECTION)
    yield trap(rng, "OUT", ring, b"\xe6\x80", PROTECTION)
    yield trap(rng, "a bad selector", ring, b"\x8e\xd8", PROTECTION, error=selector & ~3, regs={"eax": selector})
    yield trap(rng, "a division of 1.0 by 0.0", ring, math + b"\x9b", MATH, after=len(math), pushed=4)
    if ring == 3:
        yield trap(rng, "a single step", ring, b"\x90\x90", DEBUG, after=1, flags=cases.TF)
    else:
        yield trap(rng, "IRET with NT", ring, b"\xcf", BAD_TSS, flags=cases.NT)


def good_table(rng: Random) -> list[tuple]:
    """Every exception and some more, some of them masking events."""
    vectors = [*range(32), *rng.sample(range(32, 256), 20)]
    rng.shuffle(vectors)
    return [cases.entry(v, 3 | rng.choice((0, MASK_EVENTS))) for v in vectors]


def bad_table(rng: Random, good: list[tuple], bad: tuple) -> list[tuple]:
    """The table that holds, turned around, with a bad entry in it somewhere."""
    entries = [(v, flags ^ MASK_EVENTS, cs, address) for v, flags, cs, address in good]
    entries.insert(rng.choice((0, rng.randrange(len(entries)), len(entries))), bad)
    return entries


def bad_tables(rng: Random, good: list[tuple]) -> list[tuple]:
    """(the step, its answer)"""
    unused = next(v for v in range(255, 0, -1) if v not in [e[0] for e in good])
    bad = [
        (cases.entry(rng.choice(good)[0]), -errno.EINVAL),
        (cases.entry(unused, 8), -errno.EINVAL),
        (cases.entry(unused, 0x80 | 3), -errno.EINVAL),
        (cases.entry(unused, address=0), -errno.EINVAL),
        (cases.entry(unused, address=LINE), -errno.EPERM),
        (cases.entry(unused, address=rng.randrange(LINE, 1 << 32) & ~15), -errno.EPERM),
        *((cases.entry(unused, cs=cs), -errno.EPERM)
          for cs in (0xe008, 0xe01a, 0xe01b, 0xe018, cases.RING3_CODE, 8, 10, 11)),
    ]
    tables = [(cases.table(*bad_table(rng, good, e)), answer) for e, answer in bad]
    turned = bad_table(rng, good, cases.entry(unused))
    tables.append((cases.table(*turned, absent=1), -errno.EFAULT))
    tables.append((cases.table(*turned, *[cases.entry(v % 256) for v in range(257 - len(turned))]), -errno.E2BIG))
    return tables


def inputs(rng: Random) -> dict:
    steps, answers = [], []
    for _ in range(3):
        good = good_table(rng)
        runs = [c for ring in (1, 3) for make in (memory, others) for _ in range(3) for c in make(rng, ring)]
        rng.shuffle(runs)
        bad = bad_tables(rng, good)
        rng.shuffle(bad)
        part = [(cases.table(*good), 0), *((c, good) for c in runs)]
        for one in bad:
            part.insert(rng.randrange(1, len(part) + 1), one)
        steps += [step for step, _ in part]
        answers += [answer for _, answer in part]
    return {"steps": steps, "answers": answers}


def encode(given: dict) -> bytes:
    return observe.encode(cases.encode_steps(given["steps"]))


def expected(c: Trap, table: list[tuple]) -> tuple[dict[str, int], list[int]]:
    flags = next(f for v, f, _, _ in table if v == c.vector)
    extra = ([c.address] if c.vector == PAGE_FAULT else []) + ([c.error] if c.vector in HAS_ERROR else [])
    want = cases.arrival(c, c.vector, len(extra), c.mask | bool(flags & MASK_EVENTS))
    frame = cases.frame(c, c.at, c.eflags, *extra, esp=c.esp - c.pushed)
    if c.ring == 1:
        want["esp"] -= c.pushed
    frame[len(extra) + 2] = None  # EFLAGS: by itself
    return want, frame


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, (c, answer) in enumerate(zip(given["steps"], given["answers"], strict=True)):
        if not isinstance(c, Case):
            if (got := seen.one("table", key).answer) != answer:
                yield Finding(EXERCISE, f"set_trap_table(), step {key}", answer, got)
            continue
        run, stack = seen.one("run", key), seen.one("stack", key)
        want, frame = expected(c, answer)
        for difference in cases.frame_differs(c, want, frame, run, stack):
            yield Finding(EXERCISE, *difference)
        relevant = cases.FLAGS | cases.IF | 3 * cases.IOPL
        want_flags = c.eflags & cases.FLAGS | (0 if c.mask else cases.IF)
        if (got := cases.words(stack)[frame.index(None)] & relevant) != want_flags and run.stub == c.vector:
            yield Finding(EXERCISE, f"{c.what}: EFLAGS in the frame", want_flags, got)
        if bad := run.eflags & (cases.TF | cases.NT | cases.VM | 3 * cases.IOPL):
            yield Finding(EXERCISE, f"{c.what}: TF, NT, VM, IOPL in the handler", 0, bad)
