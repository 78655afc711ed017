# SPDX-License-Identifier: MIT
"""Judges `send-hostile`: is only sent what is a packet of the domain's own, and is it held until then?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen
from atelier_grader.wire import Wire

sys.path.insert(0, str(Path(__file__).parent))

import lab8_packet as net  # noqa: E402
from lab8_script import FRAME, IN_TABLE, PAGE, STRANGER, WIRE_MAC, Piece, Script, devices, encode, judge_wire  # noqa: E402, F401
from lab8_script import judge as judge_script  # noqa: E402

EXERCISE = "8.2"
IMAGE_FRAME = 0x101  # of the hypervisor's own code
NO_FRAME = 0xffffe


def sound(rng: Random, length: int) -> bytes:
    return net.ethernet(STRANGER, WIRE_MAC, net.IPV6, rng.randbytes(length - 14))


def bad(rng: Random) -> list[list[Piece]]:
    """Requests that name no packet."""
    good = Piece(100, 0, 1)
    return [
        [], [good] * 5, [good] * 200, [Piece(0, 0, 1)], [good, Piece(0, 10, 2)], [Piece(101, PAGE - 100, 1)], [Piece(65535, 0, 1)],
        [good, Piece(65535, 1, 2)], [Piece(1000, 0, 1), Piece(600, 0, 2)], [Piece(13, 0, 1)],
        [good, Piece(100, 0, IMAGE_FRAME, FRAME)], [good, Piece(100, 0, NO_FRAME, FRAME)], [Piece(100, 0, NO_FRAME, FRAME)],
        [good, good, good, Piece(1, PAGE - 1, IMAGE_FRAME, FRAME)],
    ]


def inputs(rng: Random) -> dict:
    s = Script()
    s.open(0, 0)
    tables = [s.table()]
    number = 0

    def ask(packet: bytes, pieces: list[Piece] | None = None, error: int = 0) -> None:
        nonlocal number
        s.put(0, 0, number, packet, pieces, error)
        s.kick(0, 0)
        s.answers(0, 0)
        number += 1

    for pieces in rng.sample(bad(rng), len(bad(rng))):
        ask(sound(rng, 100), pieces, errno.EINVAL)
        ask(sound(rng, 100))
    # The guest's own page table may be sent, but never written: not for the sender's address, not for anything.
    ask(b"", [Piece(200, rng.randrange(0, 3000), 0, IN_TABLE)], errno.EACCES)  # no sender of ours lies there
    forged = net.ethernet(STRANGER, bytes(6), net.IPV6, bytes(50))
    ask(forged)
    tables.append(s.table())
    # Refused ones must have let go of their frames, and those under way not.
    for page in range(4):
        ask(b"", [Piece(90, 0, page), Piece(90, 0, IMAGE_FRAME, FRAME)], errno.EINVAL)
        ask(net.ethernet(STRANGER, STRANGER, net.IPV6, bytes(600)), [Piece(614, 0, page)])
    s.give_back(0, 0, 1)
    s.give_back(0, 1, 1)
    s.put(0, 0, number, sound(rng, 900), [Piece(900, 0, 2)])
    s.put(0, 0, number + 1, sound(rng, 900), [Piece(900, 50, 3)])
    s.kick(0, 0)
    s.give_back(0, 2, -errno.EBUSY)
    s.give_back(0, 3, -errno.EBUSY)
    s.answers(0, 0)
    s.give_back(0, 2, 1)
    s.give_back(0, 3, 1)
    s.info(0, 0)
    return {"script": s, "tables": tables, "wire": Wire(WIRE_MAC, delays=(3_000_000,))}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    before, after = (seen.one("table", key).digest for key in given["tables"])
    if before != after:
        yield Finding(EXERCISE, "the domain's page table, after parts of it were sent", f"digest {before:#x}", f"{after:#x}")
    yield from judge_script(EXERCISE, given["script"], seen)
    yield from judge_wire(EXERCISE, given["script"], given["wire"].log(outside))
