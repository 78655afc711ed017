# SPDX-License-Identifier: MIT
"""Judges `scribble`: is what a guest writes into its shared page believed by nobody, and its own affair?"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

from atelier_grader.judge import Guest  # noqa: E402
import lab2_cases as cases  # noqa: E402

EXERCISE = "2.1"
DOMAINS = (Guest("clock"), Guest("scribble"))
DIES = {1}  # it may sleep for ever, by its own fault

WORDS = 16
ROUNDS = 300
PAGE = struct.Struct("<BBHI16I16I")


def noise(rng: Random) -> bytes:
    """Half of it is all ones or all zeros in places: bits that are set already, masked, or selected."""
    words = [rng.choice((0, 0xffffffff, rng.getrandbits(32))) for _ in range(1 + 2 * WORDS)]
    return struct.pack("<BBH", rng.choice((0, 0, 1, 255)), 1, rng.getrandbits(16)) + struct.pack(f"<{len(words)}I", *words)


def inputs(rng: Random) -> dict:
    return {"pages": [noise(rng) for _ in range(200)], "rounds": ROUNDS}


def expected(page: bytes, port: int) -> tuple:
    """struct shared_info after a raise (public/atelier.h): pending, selector, and if it is not masked upcall_pending."""
    upcall, mask, rest, selector, *bits = PAGE.unpack(page)
    word, bit = port // 32, 1 << port % 32
    masked = bits[WORDS + word] & bit
    bits[word] |= bit
    return upcall if masked else 1, mask, rest, selector | 1 << word, *bits


def named(fields: tuple) -> dict[str, int]:
    names = ["upcall_pending", "upcall_mask", "reserved", "selector",
             *(f"pending[{i}]" for i in range(WORDS)), *(f"mask[{i}]" for i in range(WORDS))]
    return dict(zip(names, fields, strict=True))


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    port = seen.one("port", domain=1).own
    for i, page in enumerate(given["pages"]):
        if (answer := seen.one("sent", i, domain=1).answer) != 0:
            yield Finding(EXERCISE, f"page {i}: send", 0, answer)
        got = named(PAGE.unpack(seen.one("page", i, domain=1).words))
        for name, want in named(expected(page, port)).items():
            if name == "upcall_pending" and want > 1:
                want = got[name] or want  # it was set: 1 or what stood there
            if got[name] != want:
                yield Finding(EXERCISE, f"page {i}, port {port} raised: {name}", want, got[name])
    if scribbled := seen.all("scribbled", domain=1):
        if scribbled[0].good != ROUNDS:
            yield Finding(EXERCISE, "events sent amid noise", ROUNDS, scribbled[0].good)
    for difference in cases.clock_differs(seen):
        yield Finding(EXERCISE, *difference)
