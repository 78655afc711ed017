# SPDX-License-Identifier: MIT
"""Judges `nest`: does a batch stay one deep, whatever stands in it when it is looked at?"""

import errno
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "1.5"

VERSION, MULTICALL, IRET, GET_DEBUGREG, BLOCK = 0, 2, 5, 8, 11
ROWS = 26
INTERFACE = 1
OUTER = 0x40003000  # where the guest puts the list: host_va(PFN_DATA)
INNER = OUTER + 2 * 4096
NEVER = 0xffffffff

ENTRY = struct.Struct("<IiIIIIII")  # call, result, args, reserved
RESULT = 0x5a5a5a5a  # what stands there before
DR0 = MULTICALL  # the guest has set it to this

KINDS = ("nested", "nested in itself", "leaving", "rewritten to nested", "rewritten to good", "writing its own call",
         "writing its own result", "writing an earlier call")


@dataclass(frozen=True)
class Batch:
    what: str
    told: dict
    calls: list[int | None]  # afterwards; None: whatever
    results: list[int]


def pack(call: int, *args: int) -> bytes:
    return ENTRY.pack(call, RESULT, *args, *[0] * (5 - len(args)), 0)


def good(rng: Random) -> tuple[int, int]:
    """A call without arguments that is none of those that leave a list, and its result."""
    return rng.choice(((VERSION, INTERFACE), (rng.randrange(ROWS, 256), -errno.ENOSYS)))


def special(rng: Random, kind: str, k: int, count: int) -> tuple[bytes, int]:
    """Entry `k` of the batch, and its result."""
    own = OUTER + k * ENTRY.size
    match kind:
        case "nested" | "rewritten to good":  # what was read first counts
            return pack(MULTICALL, INNER, 2), -errno.EINVAL
        case "nested in itself":
            return pack(MULTICALL, OUTER, count), -errno.EINVAL
        case "leaving":
            return pack(rng.choice((IRET, BLOCK))), -errno.EINVAL
        case "rewritten to nested":
            return pack(VERSION, INNER, 2), INTERFACE
        case "writing its own result":
            return pack(GET_DEBUGREG, 0, own + 4), 0
        case "writing its own call":
            return pack(GET_DEBUGREG, 0, own), 0
        case _:  # "writing an earlier call": that of the one before
            return pack(GET_DEBUGREG, 0, own - ENTRY.size), 0


def batch(rng: Random, count: int, kind: str) -> Batch:
    """All entries but one are good."""
    k = rng.randrange(1, count)
    rows = [(pack(call), result) for call, result in (good(rng) for _ in range(count))]
    rows[k] = special(rng, kind, k, count)
    calls: list[int | None] = [ENTRY.unpack(row)[0] for row, _ in rows]
    rewritten, to = NEVER, 0
    if kind.startswith("rewritten"):
        rewritten, to = k, MULTICALL if kind.endswith("nested") else VERSION
        calls[k] = None
    elif kind.endswith("call"):
        calls[k if "own" in kind else k - 1] = DR0
    told = {"rewritten": rewritten, "to": to, "list": b"".join(row for row, _ in rows)}
    return Batch(f"a batch of {count}, entry {k} {kind}", told, calls, [result for _, result in rows])


def inputs(rng: Random) -> dict:
    batches = [batch(rng, rng.randrange(2, 65), kind) for kind in KINDS for _ in range(12)]
    rng.shuffle(batches)
    return {"batches": batches}


def encode(given: dict) -> bytes:
    return observe.encode([b.told for b in given["batches"]])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, b in enumerate(given["batches"]):
        got = seen.one("batch", i)
        if got.answer != len(b.results):
            yield Finding(EXERCISE, f"{b.what}: the answer", len(b.results), got.answer)
        if got.inner:
            yield Finding(EXERCISE, f"{b.what}: the list inside", "not executed", "executed")
        entries = ENTRY.iter_unpack(seen.one("list", i).bytes)
        for k, (call, result, found) in enumerate(zip(b.calls, b.results, entries, strict=True)):
            if found[1] != result or call not in (None, found[0]):
                yield Finding(EXERCISE, f"{b.what}: call and result of entry {k}", (call, result), found[:2])
        if (answer := seen.one("good", i).answer) != 1:
            yield Finding(EXERCISE, f"after {b.what}, a good one: the answer", 1, answer)
