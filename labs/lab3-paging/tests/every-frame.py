# SPDX-License-Identifier: MIT
"""Judges `every-frame`: can a domain map its own frames, all of them, and no other one?"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402

EXERCISE = "3.1"
MEMORY = 32
FRAMES = MEMORY * 256
BEYOND = 1 << 16
OWN = 1024  # frames of the domain
DOMAINS = (Guest("neighbour", args="rounds=400"), Guest("every-frame", memory=4 * OWN))


def inputs(rng: Random) -> dict:
    return {"count": FRAMES + BEYOND + 32 * rng.randrange(32), "machine": FRAMES}


def numbers(bits: bytes) -> set[int]:
    return {8 * i + bit for i, byte in enumerate(bits) if byte for bit in range(8) if byte >> bit & 1}


def differ(what: str, want: set[int], got: set[int]) -> Iterator[Finding]:
    if extra := got - want:
        yield Finding(EXERCISE, f"frames that could be {what}, and must not: {len(extra)}, such as", "none", hex(min(extra)))
    if missing := want - got:
        yield Finding(EXERCISE, f"frames that could not be {what}, and are the domain's: {len(missing)}, such as", "none",
                      hex(min(missing)))


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    own = struct.unpack(f"<{OWN}I", seen.one("own", domain=1).frames)
    used = model.used_frames(outside, FRAMES)
    if len(set(own)) != OWN or max(own) >= FRAMES or used & set(own):
        yield Finding(EXERCISE, "frames that the domain was given, none of them twice or domain 0's", OWN, len(set(own) - used))
        return
    tables = seen.one("tables", domain=1)
    unwritable = {own[tables.first + i] for i in range(tables.count)} | {seen.one("arena", domain=1).mfn}
    yield from differ("mapped to be read", set(own), numbers(seen.one("readable", domain=1).bits))
    yield from differ("mapped to be written", set(own) - unwritable, numbers(seen.one("writable", domain=1).bits))
    yield from differ("pinned or loaded", set(), numbers(seen.one("pinned", domain=1).bits))
    yield from model.judge_neighbour(EXERCISE, seen, outside)
