# SPDX-License-Identifier: MIT
"""Judges `multicall`: are all calls of a batch made, in order, each with its own result?"""

import errno
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "1.5"

VERSION, STACK_SWITCH, FPU_TASKSWITCH, SET_DEBUGREG, GET_DEBUGREG, SHUTDOWN = 0, 4, 6, 7, 8, 9
ROWS = 26
INTERFACE = 1
LINE = 0xfc000000
WORDS = 0xbfc0c000  # the user window of a guest that lies at 0xc0000000
MOST = 64

ENTRY = struct.Struct("<IiIIIIII")  # call, result, args, reserved
RESULT = 0x5a5a5a5a  # what stands there before


@dataclass(frozen=True)
class Batch:
    before: bytes
    after: bytes
    words: bytes


def batch(rng: Random, count: int, registers: list[int]) -> Batch:
    """A list, what it must be afterwards, and what its calls write. `registers` are DR0 to DR3, as they will be."""
    before, after = [], []
    words = [0] * MOST
    for i in range(count):
        args = [rng.getrandbits(32) for _ in range(5)]
        call = rng.choice((VERSION, VERSION, STACK_SWITCH, FPU_TASKSWITCH, SHUTDOWN, SET_DEBUGREG, SET_DEBUGREG,
                           GET_DEBUGREG, GET_DEBUGREG, GET_DEBUGREG, None))
        result = 0
        match call:
            case 0:
                result = INTERFACE
            case 6:
                args[0] %= 2
            case 9:
                args[0], result = args[0] | 4, -errno.EINVAL
            case 7:
                args[:2] = rng.randrange(4), args[1] % (LINE - 8)
                registers[args[0]] = args[1]
            case 8 if rng.random() < 0.2:
                args[1], result = LINE - rng.randrange(4), -errno.EFAULT
                args[0] %= 4
            case 8:
                args[:2] = rng.randrange(4), WORDS + 4 * i
                words[i] = registers[args[0]]
            case None:
                call, result = rng.randrange(ROWS, 256), -errno.ENOSYS  # more of them are for exercise 1.1
        before.append(ENTRY.pack(call, RESULT, *args, 0))
        after.append(ENTRY.pack(call, result, *args, 0))
    return Batch(b"".join(before), b"".join(after), struct.pack(f"<{MOST}I", *words))


def inputs(rng: Random) -> dict:
    registers = [0, 0, 0, 0]
    counts = [1, 2, MOST, *(rng.randrange(1, MOST + 1) for _ in range(30))]
    return {"batches": [batch(rng, count, registers) for count in counts]}


def encode(given: dict) -> bytes:
    return observe.encode([b.before for b in given["batches"]])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, b in enumerate(given["batches"]):
        count = len(b.before) // ENTRY.size
        got = seen.one("batch", i)
        if got.done != count:
            yield Finding(EXERCISE, f"entries done of a batch of {count}", count, got.done)
        after = seen.one("list", i).bytes
        for k, (was, want, found) in enumerate(zip(*(ENTRY.iter_unpack(x) for x in (b.before, b.after, after)))):
            if found != want:
                yield Finding(EXERCISE, f"entry {k} of {count} (call {was[0]:#x}): call, result, arguments, reserved",
                              want, found)
        if (words := seen.one("words", i).bytes) != b.words:
            yield Finding(EXERCISE, f"what get_debugreg() wrote in a batch of {count}", b.words, words)
