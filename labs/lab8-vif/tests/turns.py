# SPDX-License-Identifier: MIT
"""Judges `turns`: does each VIF with a backlog send one packet before another sends two?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen
from atelier_grader.wire import Wire

sys.path.insert(0, str(Path(__file__).parent))

import lab8_packet as net  # noqa: E402
from lab8_script import STRANGER, WIRE_MAC, Piece, mac_of, Script, devices, encode, judge_wire  # noqa: E402, F401
from lab8_script import judge as judge_script  # noqa: E402

EXERCISE = "8.4"
EACH = 20
FIVE = ((0, 0), (0, 1), (0, 2), (0, 3), (1, 0))
SLACK = 2  # rounds at either end in which not all of them have something to send

DOMAINS = (Guest("turns"), Guest("turns"))


def packet_of(domain: int, vif: int, number: int) -> bytes:
    return net.ethernet(STRANGER, mac_of(domain, vif), net.IPV6, bytes([domain, vif, number]) * 20)


def inputs(rng: Random) -> dict:
    s = Script(2)
    for domain, vif in FIVE[1:]:
        s.create(domain, vif)
    s.rule(net.Rule())
    for domain, vif in FIVE:
        s.open(domain, vif)
        for number in range(EACH):
            s.put(domain, vif, number, packet_of(domain, vif, number), [Piece(74, 100 * number, 4 * domain + vif)])
    s.start(1)
    s.sleep(20_000, 1)
    s.kick(1, 0)
    s.answers(1, 0)
    s.start(0)
    s.sleep(20_000, 0)
    for vif in rng.sample(range(4), 4):
        s.kick(0, vif)
    for vif in range(4):
        s.answers(0, vif)
    s.sleep(600_000, 0)  # domain 1 has come to its end
    for domain, vif in FIVE:
        s.info(domain, vif)
    return {"script": s, "wire": Wire(WIRE_MAC, slots=rng.choice((1, 2)), delays=(2_000_000,))}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from judge_script(EXERCISE, given["script"], seen)
    log = given["wire"].log(outside)
    yield from judge_wire(EXERCISE, given["script"], log, ordered=False)
    order = [(p.data[14], p.data[15]) for p in log.packets if len(p.data) == 74]
    for who in FIVE:
        at = [i for i, sender in enumerate(order) if sender == who]
        for first, second in zip(at[SLACK:-SLACK], at[SLACK + 1:-SLACK], strict=False):
            passed_over = set(FIVE) - set(order[first:second])
            if passed_over:
                yield Finding(EXERCISE, f"between packets {first} and {second} on the wire, both of VIF {who[1]} of domain {who[0]}: "
                              "those that did not send", [], sorted(passed_over))
                return
