# SPDX-License-Identifier: MIT
"""Judges `update-hostile`: can one descriptor be stored where the hypervisor's are, or where no descriptor belongs?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

from lab4_model import A_FRAME, PAGE, RESERVED_FRAME, RESERVED_SLOTS, WORDS  # noqa: E402

EXERCISE = "4.4"
MEMORY = 32
DOMAINS = (Guest("neighbour", args="rounds=400"), Guest("update-hostile", memory=1024))

TOP = MEMORY << 20
KNOWN, FRAMES = TOP // PAGE, TOP // PAGE + 64


def is_reserved(frame: int, slot: int) -> bool:
    return frame >= RESERVED_FRAME and slot < RESERVED_SLOTS


def inputs(rng: Random) -> dict:
    own = [(frame, slot, 0) for frame in (RESERVED_FRAME, RESERVED_FRAME + 1) for slot in (*range(RESERVED_SLOTS + 2), A_FRAME - 1)]
    own += [(frame, slot, 0) for frame in (0, 1, RESERVED_FRAME - 1) for slot in (1, RESERVED_SLOTS - 1, A_FRAME - 1)]
    own += [(frame, rng.randrange(16, A_FRAME), add) for frame in (0, RESERVED_FRAME, RESERVED_FRAME + 1) for add in range(1, 8)]
    # Half over the end of the frame before, and of the reserved slots.
    own += [(RESERVED_FRAME, RESERVED_SLOTS - 1, 4), (RESERVED_FRAME + 1, RESERVED_SLOTS - 1, 7), (0, A_FRAME - 1, 4)]
    rng.shuffle(own)
    raw = [WORDS - 1, WORDS - 4, WORDS - 8, WORDS - PAGE, TOP, TOP - 1, TOP - 4, TOP + PAGE, 0xfc000000, 0xfc400000, 0xfc500000,
           0x80000000, 1, 4, 7]
    return {"own": own, "raw": raw, "known": KNOWN, "frames": FRAMES}


def encode(given: dict) -> bytes:
    return observe.encode(given)


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    if (got := seen.one("loaded", domain=1).answer) != 0:
        yield Finding(EXERCISE, "a GDT of sixteen empty frames: the answer", 0, got)
    for i, (frame, slot, add) in enumerate(given["own"]):
        o = seen.one("own", i, domain=1)
        name = f"slot {slot} and {add} bytes of the GDT's frame {frame}"
        if add:
            wanted = (-errno.EINVAL, -errno.EPERM)[:2 if is_reserved(frame, slot) else 1]
        else:
            wanted = (-errno.EPERM if is_reserved(frame, slot) else 0,)
        if o.answer not in wanted:
            yield Finding(EXERCISE, f"{name}: the answer", wanted[0], o.answer)
        if not (o.good if wanted[0] == 0 else o.same):
            yield Finding(EXERCISE, f"{name}: the descriptor", "stored" if wanted[0] == 0 else "as before", "something else")
    for i, at in enumerate(given["raw"]):
        if (got := seen.one("raw", i, domain=1).answer) not in (-errno.EINVAL, -errno.EPERM):
            yield Finding(EXERCISE, f"update_descriptor({at:#x}): the answer", -errno.EINVAL if at % 8 else -errno.EPERM, got)
    foreign = seen.one("foreign", domain=1)
    if foreign.refused != foreign.asked or foreign.asked < FRAMES // 2:
        yield Finding(EXERCISE, "stores to frames of others that were refused", foreign.asked, foreign.refused)
    neighbour = seen.one("neighbour")
    if neighbour.good != neighbour.asked:
        yield Finding(EXERCISE, "good calls of the other domain", neighbour.asked, neighbour.good)
