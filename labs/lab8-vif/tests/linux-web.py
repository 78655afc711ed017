# SPDX-License-Identifier: MIT
"""Judges `linux-web`: do three Linuxes, domain 0 among them, get each other's files over their interfaces?

And do these files stay off the wire, come no faster than a capped interface may send, and stay away under a forged address?
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Created, Finding, Linux, Outside
from atelier_grader.observe import Seen
from atelier_grader.wire import Wire

EXERCISE = "whole"
MEMORY = 160
BASE = "10.0.2"
OWN = "ip={0}:::255.255.255.0::eth0:off"
ADDRESSES = [f"{BASE}.{15 + d}" for d in range(3)]
NOBODYS = f"{BASE}.77"
CAPPED, RATE = 2, 400  # KiB a second
DOMAINS = (Linux("linux-web", memory=49152, words=OWN.format(ADDRESSES[0]), atl=True),
           Created(words=OWN.format(ADDRESSES[1]), wishes=(f"vif = ip={ADDRESSES[1]}",)),
           Created(words=OWN.format(ADDRESSES[2]), wishes=(f"vif = ip={ADDRESSES[2]},rate={RATE}",)))
PINGS = (("honest", "to domain 0", b"0\n"), ("ruled", "to the other, where a rule drops one half", b"1\n"),
         ("forged", "to domain 0 under a forged address", b"1\n"))
WIRE = Wire(bytes.fromhex("020061746c00"))


@dataclass(frozen=True)
class File:
    words: int
    seed: int

    def digest(self) -> bytes:
        value, content = self.seed, bytearray()
        for _ in range(self.words):
            value = (value * 1664525 + 1013904223) & 0xffffffff
            content += struct.pack("<I", value)
        return hashlib.sha256(content).hexdigest().encode() + b"\n"


def inputs(rng: Random) -> dict:
    return {"files": [File(rng.randrange(20_000, 80_000), rng.getrandbits(32)) for _ in ADDRESSES]}


def encode(given: dict) -> bytes:
    return observe.encode((NOBODYS.encode() + b"\0",
                           [(a.encode() + b"\0", f.words, f.seed) for a, f in zip(ADDRESSES, given["files"], strict=True)]))


def devices(given: dict) -> list[Wire]:
    return [WIRE]


def judge_rate(size: int, seen: Seen) -> Iterator[Finding]:
    """Two get the capped file at once: each as fast as the cap allows for one at most, and both together not much slower."""
    least, most = size * 1_000_000 // (RATE << 10) * 8 // 10, 2 * size * 1_000_000 // (RATE << 10) * 2
    for d in range(len(ADDRESSES)):
        if d != CAPPED and not least <= (got := int(bytes(seen.one("took", CAPPED, d).text) or b"0")) <= most:
            yield Finding(EXERCISE, f"domain {d}: us for {size} bytes over an interface that may send {RATE} KiB a second",
                          f"{least} to {most}", got)


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for o in seen.all("atl"):
        if o.status:
            yield Finding(EXERCISE, f"atl, call {o.key} (2 times create, then net add): its status", 0, o.status)
    for d in range(len(ADDRESSES)):
        for of, file in enumerate(given["files"]):
            if d != of and (got := bytes(seen.one("digest", of, d).text)) != (want := file.digest()):
                yield Finding(EXERCISE, f"domain {d}: the digest of the file of {4 * file.words} bytes that domain {of} has", want, got)
    yield from judge_rate(4 * given["files"][CAPPED].words, seen)
    for d in range(1, len(ADDRESSES)):
        for tag, what, want in PINGS:
            if (got := bytes(seen.one(tag, 0, d).text)) != want:
                yield Finding(EXERCISE, f"domain {d}: the status of ping {what}", want, got)
        if not seen.one("done", d).yes or not seen.one("over", 0, d).yes:
            yield Finding(EXERCISE, f"domains 0 and {d} see each other's last page", "yes", "no")
    if (left := seen.one("left").domains) != 1:
        yield Finding(EXERCISE, "domains that are left when all have powered off", 1, left)
    for i, packet in enumerate(WIRE.log(outside).packets):
        if not packet.data[0] & 1:
            yield Finding(EXERCISE, f"packet {i} on the wire, which is for a domain of this machine: its first bytes", "none",
                          packet.data[:16].hex())
            return
