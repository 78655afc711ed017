# SPDX-License-Identifier: MIT
"""Judges `ldt-two`: does a selector mean to each of two domains what its own LDT says, however often they take turns?"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_model as model  # noqa: E402
from lab4_model import A_FRAME, DATA1, LDT, READONLY, Round, make  # noqa: E402

EXERCISE = "4.3"
DOMAINS = (Guest("ldt-two"), Guest("ldt-two"))

TURNS = 1000


def inputs(rng: Random) -> dict:
    """For each domain: the number of entries, which differs, the slot that both have, one that the other has not.

    Right behind the last entry there is another descriptor in the same page, which does not count.
    """
    shared = rng.randrange(1, A_FRAME - 2)
    entries = [shared + 1, rng.randrange(2, 15) * A_FRAME + rng.randrange(2, A_FRAME)]
    own = [rng.randrange(0, shared), entries[1] - 1]
    values = rng.sample(range(256), 4)
    order = rng.choice(((0, 1), (1, 0)))
    return {"domains": [{"shared": shared, "own": own[i], "entries": entries[i], "values": values[2 * i:2 * i + 2]} for i in order]}


def table(d: dict) -> Round:
    slots = {d[name]: make(READONLY + value, 0, DATA1) for name, value in zip(("shared", "own"), d["values"], strict=True)}
    slots[d["entries"]] = make(READONLY, 0, DATA1)
    return Round(d["entries"], slots, LDT)


def encode(given: dict) -> bytes:
    parts = []
    for d in given["domains"]:
        r = table(d)
        parts.append(observe.encode((r.selector(d["shared"]), r.selector(d["own"]), r.selector(d["entries"]), [r.told()])))
    return observe.encode((TURNS, len(parts[0]) // 4)) + b"".join(parts)


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for domain, d in enumerate(given["domains"]):
        yield from model.judge_rounds(EXERCISE, [table(d)], seen, domain)
        counts = struct.unpack("<256I", seen.one("seen", domain=domain).counts)
        want = {d["values"][0]: TURNS * 8 // 10, d["values"][1]: TURNS * 2 // 10}
        got = {value: count for value, count in enumerate(counts) if count}
        if got != want:
            yield Finding(EXERCISE, f"domain {domain}: what was read, and how often", want, got)
        if (refused := seen.one("beyond", domain=domain).refused) != TURNS // 10:
            yield Finding(EXERCISE, f"domain {domain}: refused loads of a selector right behind its table", TURNS // 10, refused)
