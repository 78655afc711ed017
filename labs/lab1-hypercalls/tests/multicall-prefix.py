# SPDX-License-Identifier: MIT
"""Judges `multicall-prefix`: does a batch whose list breaks off say how far it came?"""

import errno
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "1.5"

PAGE = 4096
READONLY, END = 4 * PAGE, 16 * PAGE  # where the writable and the user window end, from the start of the windows
SIZE = 32  # of an entry
RESULT_END = 8  # in an entry
ENTRY = struct.Struct("<IiIIIIII")  # call, result, args, reserved
PATTERN = bytes(range(256)) * 2  # what the read-only pages begin with
RESULT = 0x5a5a5a5a  # what stands there before
SET_DEBUGREG = 7
INTERFACE = 1
LINE = 0xfc000000


@dataclass(frozen=True)
class Batch:
    told: dict
    what: str
    answer: int
    last: int  # what the last entry has put into DR0
    shown: bytes  # the entries before the border, with their results


def value(k: int) -> int:
    return 0x1000 * (k + 1)


def run(entry: bytes, last: int) -> tuple[int, int]:
    """Executes an entry: its result, and DR0 after it. All but the guest's own are what the pattern makes of them."""
    call, _, register, word, *_ = ENTRY.unpack(entry)
    if call != SET_DEBUGREG:
        return -errno.ENOSYS, last  # the pattern's numbers are far beyond the table
    if register >= 4:
        return -errno.EINVAL, last
    assert register == 0 and word < LINE - 8
    return 0, word


def batch(whole: int, inside: int, more: int, readonly: bool) -> Batch:
    """The border lies `inside` entry number `whole`; `more` entries behind that are asked for."""
    border = READONLY if readonly else END
    start = border - (whole * SIZE + inside)
    count = whole + 1 + more
    ours = b"".join(ENTRY.pack(SET_DEBUGREG, RESULT, 0, value(k), 0, 0, 0, 0) for k in range(whole + 1))
    ours = ours[:whole * SIZE + inside]
    readable = ours + (PATTERN if readonly else b"")

    shown, last, done = bytearray(ours), 0, 0
    while done < count and len(readable) >= (done + 1) * SIZE:
        result, last = run(readable[done * SIZE:][:SIZE], last)
        at = done * SIZE + RESULT_END
        done += 1
        if at > len(ours):
            break
        shown[at - 4:at] = struct.pack("<i", result)
    told = {"list": start, "count": count, "show": len(ours) - len(ours) % SIZE, "entries": ours}
    return Batch(told, f"a batch of {count}, {'read-only' if readonly else 'absent'} from byte {inside} of entry {whole} on",
                 done or -errno.EFAULT, last, bytes(shown[:told["show"]]))


def inputs(rng: Random) -> dict:
    batches = [batch(rng.randrange(0, 8), inside, rng.randrange(0, 5), readonly)
               for inside in range(SIZE) for readonly in (False, True)]
    batches += [batch(whole, 0, more, readonly) for whole in (0, 1, 63) for more in (0, 3) for readonly in (False, True)]
    rng.shuffle(batches)
    return {"batches": batches}


def encode(given: dict) -> bytes:
    return observe.encode([b.told for b in given["batches"]])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, b in enumerate(given["batches"]):
        got = seen.one("batch", i)
        if max(got.once, got.twice) != b.answer:
            yield Finding(EXERCISE, f"{b.what}: the answer", b.answer, max(got.once, got.twice))
        if got.last != b.last:
            yield Finding(EXERCISE, f"{b.what}: what the last executed entry set", b.last, got.last)
        if (shown := seen.one("list", i).bytes) != b.shown:
            yield Finding(EXERCISE, f"{b.what}: the entries before the border", b.shown, shown)
        good = seen.one("good", i)
        if (good.answer, good.first, good.last) != (3, INTERFACE, INTERFACE):
            yield Finding(EXERCISE, f"after {b.what}, a good one: answer, first and last result",
                          (3, INTERFACE, INTERFACE), (good.answer, good.first, good.last))
