# SPDX-License-Identifier: MIT
"""Judges `receive`: does each packet from the wire get where it is to, whole, and nobody else?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen
from atelier_grader.wire import Packet, Wire

sys.path.insert(0, str(Path(__file__).parent))

import lab8_packet as net  # noqa: E402
from lab8_script import STRANGER, WIRE_MAC, mac_of, Script, devices, encode, judge_wire  # noqa: E402, F401
from lab8_script import judge as judge_script  # noqa: E402

EXERCISE = "8.3"
OTHERS = 40


def any_packet(rng: Random, to: bytes, sender: bytes = STRANGER) -> bytes:
    length = rng.choice((14, 60, 100, 1514, rng.randrange(14, 1515)))
    return net.ethernet(to, sender, net.IPV6, rng.randbytes(length - 14))


def arrivals(rng: Random) -> list[bytes]:
    mine, second = mac_of(0, 0), mac_of(0, 1)
    packets = [any_packet(rng, rng.choice((mine, mine, second, net.BROADCAST, STRANGER))) for _ in range(OTHERS)]
    packets += [
        any_packet(rng, mine, sender=second),  # nobody out there is one of us
        net.ethernet(mine, STRANGER, net.IPV6, rng.randbytes(1501)),  # a giant
        net.ethernet(mine, STRANGER, net.IPV6, b"")[:9],  # a runt
        net.ethernet(mine, STRANGER, net.IP, rng.randbytes(19)),
        net.ethernet(mine, STRANGER, net.ARP, net.arp(STRANGER, 1, 2)),
    ]
    return rng.sample(packets, len(packets))


def inputs(rng: Random) -> dict:
    s = Script()
    s.create(0, 1)
    s.rule(net.Rule(from_domain=net.WIRE_DOMAIN, to_domain=0, to_vif=1))
    for vif in (0, 1):
        s.open(0, vif)
        s.post(0, vif, 60)
    when = 1_000_000
    for data in arrivals(rng):
        s.arrivals.append(Packet(when, data))
        when += rng.choice((1000, 20_000, 200_000))
    wire = Wire(WIRE_MAC, tuple(s.arrivals))
    s.put(0, 0, 0, any_packet(rng, STRANGER, WIRE_MAC))
    s.start()
    s.kick(0, 0)
    s.sleep(when // 1000 + 2000)
    s.answers(0, 0)
    for vif in (0, 1):
        s.drain(0, vif)
        s.info(0, vif)
    return {"script": s, "wire": wire}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from judge_script(EXERCISE, given["script"], seen)
    yield from judge_wire(EXERCISE, given["script"], given["wire"].log(outside))
