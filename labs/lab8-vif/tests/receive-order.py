# SPDX-License-Identifier: MIT
"""Judges `receive-order`: do packets come in the order in which they came, into the frames in the order in which they were posted?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen
from atelier_grader.wire import Packet, Wire

sys.path.insert(0, str(Path(__file__).parent))

import lab8_packet as net  # noqa: E402
from lab8_script import STRANGER, WIRE_MAC, End, Script, devices, encode  # noqa: E402, F401
from lab8_script import judge as judge_script  # noqa: E402

EXERCISE = "8.3"
BURSTS = 5


def inputs(rng: Random) -> dict:
    s = Script()
    s.open(0, 0)
    bursts = [rng.randrange(5, 40) for _ in range(BURSTS)]
    when = 1_000_000
    for count in bursts:
        for _ in range(count):
            length = rng.randrange(46, 200)
            s.arrivals.append(Packet(when, net.ethernet(WIRE_MAC, STRANGER, net.IPV6, rng.randbytes(length))))
            when += rng.choice((0, 0, 500))
        when += 4_000_000
    wire = Wire(WIRE_MAC, tuple(s.arrivals))
    s.put(0, 0, 0, net.ethernet(STRANGER, WIRE_MAC, net.IPV6, b"start"))
    s.start()
    s.kick(0, 0)
    left = list(s.arrivals)
    for i, count in enumerate(bursts):
        if i:
            s.sleep(before_next // 1000)
            s.drain(0, 0)
        s.post(0, 0, max(0, rng.choice((count - 4, count, count + 3)) - len(s.vifs[End(0, 0)].posted)))
        before_next = left[count - 1].when + 2_000_000
        left = left[count:]
    s.sleep(before_next // 1000)
    s.drain(0, 0)
    s.answers(0, 0)
    s.info(0, 0)
    return {"script": s, "wire": wire}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from judge_script(EXERCISE, given["script"], seen)
