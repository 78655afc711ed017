# SPDX-License-Identifier: MIT
"""Judges `vif-life`: can VIFs be created, used and taken away, and are their numbers and addresses free again?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen
from atelier_grader.wire import Wire

sys.path.insert(0, str(Path(__file__).parent))

import lab8_packet as net  # noqa: E402
from lab8_script import WIRE_MAC, Script, devices, encode, mac_of  # noqa: E402, F401
from lab8_script import judge as judge_script  # noqa: E402

EXERCISE = "8.5"
BAD = ((4, None), (0xffffffff, None), (1, bytes(6)), (1, net.BROADCAST), (1, bytes([1, 0, 0, 0, 0, 1])))


def inputs(rng: Random) -> dict:
    s = Script()
    for vif, mac in rng.sample(BAD, len(BAD)):
        s.create(0, vif, mac=mac)
    s.create(0, 0)
    s.create(0, 1)
    s.create(0, 1)
    s.create(0, 2, mac=mac_of(0, 1))
    s.create(0, 3)
    for vif in (1, 3):
        s.open(0, vif)
        s.post(0, vif, 10)
    s.rule(net.Rule(from_domain=0, from_vif=1, to_domain=0, to_vif=3))
    for number in range(3):
        s.put(0, 1, number, net.ethernet(mac_of(0, 3), mac_of(0, 1), net.IPV6, rng.randbytes(100)))
    s.kick(0, 1)
    s.answers(0, 1)
    s.drain(0, 3)
    before = s.memory()
    s.destroy(0, 3)
    s.destroy(0, 3)
    after = s.memory()
    # Neither it nor its rule is there: to the wire, and the wire has no rule.
    s.put(0, 1, 10, net.ethernet(mac_of(0, 3), mac_of(0, 1), net.IPV6, rng.randbytes(100)))
    s.kick(0, 1)
    s.answers(0, 1)
    s.create(0, 2, mac=mac_of(0, 3))
    s.put(0, 1, 11, net.ethernet(mac_of(0, 3), mac_of(0, 1), net.IPV6, rng.randbytes(100)))
    s.kick(0, 1)
    s.answers(0, 1)
    s.info(0, 1)
    s.info(0, 2)
    return {"script": s, "memory": (before, after), "wire": Wire(WIRE_MAC)}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from judge_script(EXERCISE, given["script"], seen)
    before, after = (seen.one("memory", key).free_kib for key in given["memory"])
    if after < before:
        yield Finding(EXERCISE, "free memory, KiB, after a VIF is gone", f"at least {before}", after)
