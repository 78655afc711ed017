# SPDX-License-Identifier: MIT
"""Judges `die-in-flight`: does a domain that is killed with packets under way leave whole packets and no frame behind?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen
from atelier_grader.wire import Packet, Wire

sys.path.insert(0, str(Path(__file__).parent))

import lab8_packet as net  # noqa: E402
from lab8_script import STRANGER, WIRE_MAC, Script, devices, encode, judge_wire, mac_of  # noqa: E402, F401
from lab8_script import judge as judge_script  # noqa: E402

EXERCISE = "8.5"
DOMAINS = (Guest("die-in-flight"), Guest("die-in-flight"))
DIES = {1}
SLOTS = 8
PACKETS = 16
MEMORY_KIB = 4096


def inputs(rng: Random) -> dict:
    s = Script(2)
    victim = mac_of(1, 0)
    before = s.memory()
    s.create(1, 0)
    s.rule(net.Rule())
    s.open(0, 0)
    s.post(0, 0, 20)
    s.open(1, 0)
    s.post(1, 0, 20)
    for number in range(PACKETS):
        s.put(1, 0, number, net.ethernet(STRANGER, victim, net.IPV6, rng.randbytes(rng.choice((46, 600, 1500)))))
    s.kick(1, 0)
    del s.out[SLOTS:]  # the others have not left the domain's ring when it dies
    # Both before its death and after it somebody sends to it.
    for when in range(500_000, 60_000_000, 1_000_000):
        s.arrivals.append(Packet(when, net.ethernet(victim, STRANGER, net.IPV6, rng.randbytes(300))))
    wire = Wire(WIRE_MAC, tuple(s.arrivals), SLOTS, (8_000_000,))
    s.arrivals.clear()
    s.start()
    s.sleep(rng.randrange(3000, 6000))
    s.kill(1)
    after = s.memory()
    s.put(0, 0, 0, net.ethernet(victim, WIRE_MAC, net.IPV6, b"after it"))
    s.kick(0, 0)
    s.answers(0, 0)
    return {"script": s, "memory": (before, after), "wire": wire}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from judge_script(EXERCISE, given["script"], seen)
    yield from judge_wire(EXERCISE, given["script"], given["wire"].log(outside))
    before, after = (seen.one("memory", key).free_kib for key in given["memory"])
    if after - before < MEMORY_KIB:
        yield Finding(EXERCISE, "memory that the domain's end made free, KiB", f"at least {MEMORY_KIB}", after - before)
