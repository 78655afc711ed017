# SPDX-License-Identifier: MIT
"""Judges `gather`: is a packet in pieces the same packet, wherever they are cut and wherever they lie?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen
from atelier_grader.wire import Wire

sys.path.insert(0, str(Path(__file__).parent))

import lab8_packet as net  # noqa: E402
from lab8_script import PAGE, STRANGER, WIRE_MAC, Piece, Script, devices, encode, judge_wire  # noqa: E402, F401
from lab8_script import judge as judge_script  # noqa: E402

EXERCISE = "8.2"
SIZES = (14, 60, 80, 81, 82, 200, 1513, 1514)
TOO_LONG = (1515, 2000)


def any_packet(rng: Random, length: int) -> bytes:
    return net.ethernet(STRANGER, WIRE_MAC, net.IPV6, rng.randbytes(length - 14))


def cut(rng: Random, length: int, where: str) -> list[Piece]:
    """Up to four pieces: the first ones of a byte each, or anywhere; in pages of their own, at the end of one or not."""
    count = rng.randrange(2, 5)
    cuts = list(range(1, count)) if where == "crumbs" else sorted(rng.sample(range(1, length), count - 1))
    if where == "tail":
        cuts = list(range(length - count + 1, length))
    edges = [0, *cuts, length]
    pages = rng.sample(range(16), count)
    pieces = []
    for page, first, last in zip(pages, edges, edges[1:], strict=False):
        size = last - first
        pieces.append(Piece(size, rng.choice((0, PAGE - size, rng.randrange(PAGE - size + 1))), page))
    return pieces


def inputs(rng: Random) -> dict:
    s = Script()
    s.open(0, 0)
    number = 0
    cases = [(size, where) for size in SIZES for where in ("crumbs", "tail", "any", "any")]
    for size, where in rng.sample(cases, len(cases)):
        s.put(0, 0, number, any_packet(rng, size), cut(rng, size, where))
        s.kick(0, 0)
        s.answers(0, 0)
        number += 1
    for size in TOO_LONG:
        packet = any_packet(rng, size)
        for pieces in ([Piece(size, 0, 1)], [Piece(size - 1, 0, 1), Piece(1, PAGE - 1, 2)], cut(rng, size, "any")):
            s.put(0, 0, number, packet, pieces)
            s.kick(0, 0)
            s.answers(0, 0)
            number += 1
    s.put(0, 0, number, any_packet(rng, 1514), [Piece(1514, PAGE - 1514, 3)])
    s.kick(0, 0)
    s.answers(0, 0)
    return {"script": s, "wire": Wire(WIRE_MAC)}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from judge_script(EXERCISE, given["script"], seen)
    yield from judge_wire(EXERCISE, given["script"], given["wire"].log(outside))
