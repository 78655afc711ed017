# SPDX-License-Identifier: MIT
"""Judges `receive-hostile`: are only frames taken that nobody holds, each once, and does nothing but the packet come back?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen
from atelier_grader.wire import Packet, Wire

sys.path.insert(0, str(Path(__file__).parent))

import lab8_packet as net  # noqa: E402
from lab8_script import FRAME, IN_TABLE, POSTED, SCRATCH, STRANGER, WIRE_MAC, Script, devices, encode  # noqa: E402, F401
from lab8_script import judge as judge_script  # noqa: E402

EXERCISE = "8.3"
IMAGE_FRAME = 0x101
NO_FRAME = 0xffffe
GOOD = 40


def inputs(rng: Random) -> dict:
    s = Script()
    s.open(0, 0)
    when = 1_000_000
    for _ in range(GOOD):
        length = rng.choice((0, 46, 1500, rng.randrange(1500)))
        s.arrivals.append(Packet(when, net.ethernet(WIRE_MAC, STRANGER, net.IPV6, rng.randbytes(length))))
        when += 100_000
    wire = Wire(WIRE_MAC, tuple(s.arrivals))
    s.post(0, 0, GOOD // 2)
    # Mapped; a page table; posted already; nobody's; no frame at all.
    hostile = [(SCRATCH, 3, errno.EBUSY), (IN_TABLE, 0, errno.EBUSY), (POSTED, rng.randrange(GOOD // 2), errno.EBUSY),
               (FRAME, IMAGE_FRAME, errno.EINVAL), (FRAME, NO_FRAME, errno.EINVAL), (FRAME, 0xffffffff, errno.EINVAL)]  # fmt: skip
    refused = {}
    for number, (kind, page, error) in enumerate(rng.sample(hostile, len(hostile)), 1000):
        s.post_frame(0, 0, number, kind, page)
        refused[number] = -error
    s.publish(0, 0, refused)
    s.post(0, 0, GOOD - GOOD // 2)
    s.put(0, 0, 0, net.ethernet(STRANGER, WIRE_MAC, net.IPV6, b"start"))
    s.start()
    s.kick(0, 0)
    s.sleep(when // 1000 + 2000)
    s.answers(0, 0)
    s.drain(0, 0)
    s.info(0, 0)
    # Each frame that came back is the guest's own, and nobody else's: it can be posted again.
    s.post(0, 0, GOOD)
    return {"script": s, "wire": wire}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from judge_script(EXERCISE, given["script"], seen)
