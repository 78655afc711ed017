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
PAGE = 4096
OUTER = 0x40003000  # host_va(PFN_DATA)
INNER = OUTER + 2 * PAGE
NEVER = 0xffffffff

ENTRY = struct.Struct("<IiIIIIII")  # call, result, args, reserved
RESULT = 0x5a5a5a5a  # what stands there before
DR0 = MULTICALL  # the guest has set it to this


@dataclass(frozen=True)
class Batch:
    what: str
    told: dict
    count: int
    after: dict[int, tuple]  # of the entries that are held against it: call, result


def entry(call: int, *args: int) -> bytes:
    return ENTRY.pack(call, RESULT, *args, *[0] * (5 - len(args)), 0)


def good(rng: Random) -> tuple[bytes, int]:
    """A call that is none of those that leave a list, and its result."""
    if rng.random() < 0.5:
        return entry(VERSION), INTERFACE
    return entry(rng.randrange(ROWS, 1 << 32)), -errno.ENOSYS


def batch(rng: Random, count: int, kind: str) -> Batch:
    """One entry of `count` is special; the others are good."""
    rows = [good(rng) for _ in range(count)]
    k = rng.randrange(count)
    at = OUTER + k * ENTRY.size
    rewrite = (NEVER, 0)
    match kind:
        case "nested":
            rows[k] = entry(MULTICALL, INNER, 2), -errno.EINVAL
        case "nested in itself":
            rows[k] = entry(MULTICALL, OUTER, count), -errno.EINVAL
        case "leaves":
            rows[k] = entry(rng.choice((IRET, BLOCK))), -errno.EINVAL
        case "rewritten":  # good when it is read first, a multicall when it is read again
            rows[k] = entry(VERSION, INNER, 2), INTERFACE
            rewrite = (k, MULTICALL)
        case "rewritten to good":
            rows[k] = entry(MULTICALL, INNER, 2), -errno.EINVAL
            rewrite = (k, VERSION)
        case "stores into itself":  # its own call becomes a multicall, when it is done
            rows[k] = entry(GET_DEBUGREG, 0, at), 0
        case "stores into its result":
            rows[k] = entry(GET_DEBUGREG, 0, at + 4), 0
        case "stores into an earlier one":  # which is done, and is not done again
            k = max(k, 1)
            target = rng.randrange(k)
            rows[k] = entry(GET_DEBUGREG, 0, OUTER + target * ENTRY.size), 0
    after = {i: (ENTRY.unpack(row)[0], result) for i, (row, result) in enumerate(rows)}
    if kind == "stores into itself":
        after[k] = (DR0, 0)
    if kind == "stores into an earlier one":
        after[target] = (DR0, after[target][1])
    if rewrite[0] != NEVER:
        del after[k]  # whether the other processor came is not the hypervisor's matter; the result is
    told = {"entry": rewrite[0], "call": rewrite[1], "list": b"".join(row for row, _ in rows)}
    batch_of = Batch(f"a batch of {count} whose entry {k} is {kind}", told, count, after)
    return batch_of if rewrite[0] == NEVER else Batch(*vars(batch_of).values())


KINDS = ("nested", "nested in itself", "leaves", "rewritten", "rewritten to good", "stores into itself",
         "stores into its result", "stores into an earlier one")


def inputs(rng: Random) -> dict:
    batches = [batch(rng, rng.randrange(2, 65), kind) for kind in KINDS for _ in range(12)]
    rng.shuffle(batches)
    return {"batches": batches}


def encode(given: dict) -> bytes:
    return observe.encode([b.told for b in given["batches"]])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, b in enumerate(given["batches"]):
        got = seen.one("batch", i)
        if got.answer != b.count:
            yield Finding(EXERCISE, f"{b.what}: the answer", b.count, got.answer)
        if got.inner:
            yield Finding(EXERCISE, f"{b.what}: the list inside", "not executed", "executed")
