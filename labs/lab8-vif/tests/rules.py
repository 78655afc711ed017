# SPDX-License-Identifier: MIT
"""Judges `rules`: does each packet get to those, and to those only, that the rules let it to?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen
from atelier_grader.wire import Wire

sys.path.insert(0, str(Path(__file__).parent))

import lab8_packet as net  # noqa: E402
from lab8_script import STRANGER, WIRE_MAC, End, mac_of, Script, devices, encode, judge_wire  # noqa: E402, F401
from lab8_script import judge as judge_script  # noqa: E402

EXERCISE = "8.1"
ADDRESSES = (0x0a000001, 0x0a000002, 0x0a000102, 0xc0a80001)
VIFS = range(4)
ROUNDS = 6
PACKETS = 14


def any_rule(rng: Random) -> net.Rule:
    """About one thing or two, so that some packets match and some do not."""
    fields: dict = {"rank": rng.randrange(5), "action": rng.choice((net.ACCEPT, net.ACCEPT, net.DROP))}
    for kind in rng.sample(("ends", "source", "destination", "protocol", "ports", "all"), rng.randrange(1, 3)):
        if kind == "ends":
            fields["from_domain"], fields["from_vif"] = rng.choice(((0, net.ANY), (0, rng.choice(VIFS)), (net.ANY, net.ANY)))
            fields["to_domain"], fields["to_vif"] = rng.choice(((0, rng.choice(VIFS)), (net.WIRE_DOMAIN, net.ANY), (net.ANY, 0)))
        elif kind in ("source", "destination"):
            fields[kind] = rng.choice(ADDRESSES)
            fields[f"{kind}_mask"] = rng.choice((0xffffffff, 0xffffff00, 0xff000000))
        elif kind == "protocol":
            fields["protocol"] = rng.choice((net.ICMP, net.TCP, net.UDP))
        elif kind == "ports":
            low = rng.choice((1, 53, 80, 1000))
            fields[rng.choice(("source_ports", "destination_ports"))] = (low, rng.choice((low, low + 40, 65535)))
    return net.Rule(**fields)


def any_packet(rng: Random, vif: int) -> bytes:
    ours = mac_of(0, vif)
    to = rng.choice((net.BROADCAST, STRANGER, *(mac_of(0, n) for n in VIFS if n != vif)))
    source, target = rng.choice(ADDRESSES), rng.choice(ADDRESSES)
    kind = rng.choice((net.IP, net.IP, net.IP, net.ARP, net.IPV6))
    if kind == net.IP:
        return net.ethernet(to, ours, kind, net.any_ip(rng, source, target))
    body = net.arp(ours, source, target, rng.choice((1, 2))) if kind == net.ARP else rng.randbytes(50)
    return net.ethernet(to, ours, kind, body)


def inputs(rng: Random) -> dict:
    s = Script()
    for vif in VIFS[1:]:
        s.create(0, vif)
    for vif in VIFS:
        s.open(0, vif)
        s.post(0, vif, 30)
    for rule in list(s.rules):
        s.rule(rule, remove=True)
    rules: list[net.Rule] = []
    number = 0
    for round_ in range(ROUNDS):
        for _ in range(3 * (round_ > 0)):
            rules.append(any_rule(rng))
            s.rule(rules[-1])
        if round_ % 2 == 0 and rules:
            s.rule(rules.pop(rng.randrange(len(rules))), remove=True)
        for _ in range(PACKETS):
            vif = rng.choice(VIFS)
            s.put(0, vif, number, any_packet(rng, vif))
            s.kick(0, vif)
            s.answers(0, vif)
            number += 1
        for vif in VIFS:
            s.drain(0, vif)
            s.post(0, vif, 30 - len(s.vifs[End(0, vif)].posted))
    for vif in VIFS:
        s.info(0, vif)
    return {"script": s, "wire": Wire(WIRE_MAC)}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from judge_script(EXERCISE, given["script"], seen)
    yield from judge_wire(EXERCISE, given["script"], given["wire"].log(outside))
