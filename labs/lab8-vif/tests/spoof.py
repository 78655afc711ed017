# SPDX-License-Identifier: MIT
"""Judges `spoof`: has nothing left under a false name, however the header changes while it is looked at?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab8_packet as net  # noqa: E402

EXERCISE = "8.1"
US = bytes([2, 0, 0, 0, 1, 0])
STRANGER, NEIGHBOUR = bytes([0x52, 0x55, 10, 0, 2, 2]), bytes([2, 0, 0, 0, 1, 1])
OTHER = 0x0a0000fe
MOMENTS = 40  # accesses after which the header changes


def packets(rng: Random, ours: int) -> list[tuple[bytes, bytes]]:
    """Good ones, each with one that is false in one thing."""
    body = net.ports(1, 2, rng.randbytes(80))
    udp = net.ip(ours, OTHER, net.UDP, body)
    forged_ip = net.ip(OTHER, OTHER, net.UDP, body)
    good = net.ethernet(STRANGER, US, net.IP, udp)
    arp = net.ethernet(net.BROADCAST, US, net.ARP, net.arp(US, ours, OTHER))
    return [
        (good, net.ethernet(STRANGER, NEIGHBOUR, net.IP, udp)),
        (good, net.ethernet(STRANGER, US, net.IP, forged_ip)),
        (good, net.ethernet(STRANGER, US, net.IPV6, udp)),
        (arp, net.ethernet(net.BROADCAST, US, net.ARP, net.arp(NEIGHBOUR, ours, OTHER))),
        (arp, net.ethernet(net.BROADCAST, US, net.ARP, net.arp(US, OTHER, OTHER))),
        (arp, net.ethernet(net.BROADCAST, NEIGHBOUR, net.ARP, net.arp(US, ours, OTHER))),
    ]


def inputs(rng: Random) -> dict:
    ours = 0x0a000000 + rng.randrange(1, 200)
    pairs = packets(rng, ours)
    cases = [(MOMENTS, good, bad) for good, bad in pairs] + [(1, bad, bad) for _, bad in pairs]
    return {"address": ours, "cases": cases}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    key = 0
    for moments, first, second in given["cases"]:
        for when in range(moments):
            yield from judge_one(given["address"], first, second, when, key, seen)
            key += 1


def judge_one(ours: int, first: bytes, second: bytes, when: int, key: int, seen: Seen) -> Iterator[Finding]:
    got = seen.one("sent", key)
    what = f"packet {key}" + (f", changed after access {when}" if first != second else "")
    if first == second:
        if (got.left, got.status) != (0, -errno.EACCES):
            yield Finding(EXERCISE, f"{what}, with a false sender: packets that left, status", (0, -errno.EACCES), (got.left, got.status))
        return
    if not got.left:
        return  # it saw the false one, or half of each
    data = bytes(seen.one("packet", key).data)
    p = net.parse(data)
    if p is None or p.sender != US or not (p.is_ip or p.is_arp) or p.source != ours or (p.is_arp and p.arp_sender != US):
        yield Finding(EXERCISE, f"{what}: what left", "a packet that is what its sender is", data[:42].hex())
    elif got.status:
        yield Finding(EXERCISE, f"{what}: its status, as it left", 0, got.status)
