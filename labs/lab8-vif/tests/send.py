# SPDX-License-Identifier: MIT
"""Judges `send`: is what has left what was sent, all of it, in order?"""

import struct
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
PACKETS = 40
LARGE = 4  # that leave in several


def any_packet(rng: Random) -> bytes:
    length = rng.choice((14, 15, 60, 79, 80, 81, 82, 1513, 1514, rng.randrange(14, 1515)))
    if length < 60 or rng.random() < 0.3:
        return net.ethernet(STRANGER, WIRE_MAC, net.IPV6, rng.randbytes(length - 14))
    return net.ethernet(STRANGER, WIRE_MAC, net.IP,
                        net.ip(0x0a00020f, 0x0a000202, net.UDP, net.ports(1, 2, rng.randbytes(length - 38))))


def any_large(rng: Random) -> tuple[net.Large, list[Piece]]:
    """In up to four pages, cut where they may be."""
    segment = rng.choice((448, 1000, 1460 - 12))
    options = rng.randbytes(12)
    header = struct.pack(">HHIIBBHHH", 7, 8, rng.randrange(2**32), 9, 8 << 4, rng.choice((0x10, 0x18, 0x19)), 1000, 0, 0) + options
    cuts = [rng.randrange(100, 4097) for _ in range(rng.randrange(1, 5))]
    payload = rng.randbytes(sum(cuts) - 34 - len(header))
    packet = net.large(STRANGER, WIRE_MAC, 0x0a00020f, 0x0a000202, header, payload, segment)
    return packet, [Piece(length, PAGE - length, page) for page, length in enumerate(cuts)]


def inputs(rng: Random) -> dict:
    s = Script()
    s.open(0, 0)
    number = 0
    while number < PACKETS:
        for _ in range(rng.randrange(1, 15)):
            s.put(0, 0, number, any_packet(rng))
            number += 1
        s.kick(0, 0)
        s.answers(0, 0)
    for number in range(number, number + LARGE):
        packet, pieces = any_large(rng)
        s.put(0, 0, number, packet, pieces)
        s.kick(0, 0)
        s.answers(0, 0)
    s.info(0, 0)
    delays = [rng.randrange(1000, 90000) for _ in range(7)]
    return {"script": s, "wire": Wire(WIRE_MAC, slots=rng.choice((1, 2, 5, 64)), delays=delays)}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from judge_script(EXERCISE, given["script"], seen)
    yield from judge_wire(EXERCISE, given["script"], given["wire"].log(outside))
