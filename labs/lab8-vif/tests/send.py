# SPDX-License-Identifier: MIT
"""Judges `send`: is what has left what was sent, all of it, in order?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen
from atelier_grader.wire import Wire

sys.path.insert(0, str(Path(__file__).parent))

import lab8_packet as net  # noqa: E402
from lab8_script import STRANGER, WIRE_MAC, Script, devices, encode, judge_wire  # noqa: E402, F401
from lab8_script import judge as judge_script  # noqa: E402

EXERCISE = "8.2"
PACKETS = 40


def any_packet(rng: Random) -> bytes:
    length = rng.choice((14, 15, 60, 79, 80, 81, 82, 1513, 1514, rng.randrange(14, 1515)))
    if length < 60 or rng.random() < 0.3:
        return net.ethernet(STRANGER, WIRE_MAC, net.IPV6, rng.randbytes(length - 14))
    return net.ethernet(STRANGER, WIRE_MAC, net.IP,
                        net.ip(0x0a00020f, 0x0a000202, net.UDP, net.ports(1, 2, rng.randbytes(length - 38))))


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
    s.info(0, 0)
    delays = [rng.randrange(1000, 90000) for _ in range(7)]
    return {"script": s, "wire": Wire(WIRE_MAC, slots=rng.choice((1, 2, 5, 64)), delays=delays)}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from judge_script(EXERCISE, given["script"], seen)
    yield from judge_wire(EXERCISE, given["script"], given["wire"].log(outside))
