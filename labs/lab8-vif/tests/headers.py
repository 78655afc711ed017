# SPDX-License-Identifier: MIT
"""Judges `headers`: is each packet read as what it is, whatever its lengths say, and not a byte beyond what was copied?"""

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
A, B = 0x0a000001, 0xc0a80102
TO, SENDER = bytes([2, 0, 0, 0, 0, 9]), bytes([6, 0, 0, 0, 0, 7])


def of_ip(body: bytes) -> bytes:
    return net.ethernet(TO, SENDER, net.IP, body)


def inputs(rng: Random) -> dict:
    packets = []
    ports = net.ports(rng.randrange(65536), rng.randrange(65536), rng.randbytes(40))
    for words in range(5, 16):
        for protocol in (net.TCP, net.UDP, net.ICMP, rng.randrange(256)):
            packets.append(of_ip(net.ip(A, B, protocol, ports, options=rng.randbytes(4 * (words - 5)))))
        whole = of_ip(net.ip(A, B, net.UDP, ports, options=rng.randbytes(4 * (words - 5))))
        packets += [whole[:end] for end in rng.sample(range(len(whole)), 6)]
    for fragment in (0, 0x2000, 0x4000, 0x8000, 1, 0x2001, 0x1fff, 0x3fff, *(rng.randrange(65536) for _ in range(20))):
        packets.append(of_ip(net.ip(A, B, rng.choice((net.TCP, net.UDP)), ports, fragment=fragment)))
    for total in (0, 19, 20, 21, 23, 24, 25, 63, 64, 65, 1500, 65535):
        packets.append(of_ip(net.ip(A, B, net.UDP, ports, total=total)))
        packets.append(of_ip(net.ip(A, B, net.UDP, ports, options=rng.randbytes(8), total=total)))
    for first in range(0, 256, 5):
        packets.append(of_ip(bytes([first]) + net.ip(A, B, net.TCP, ports)[1:]))
    sound = net.ethernet(TO, SENDER, net.ARP, net.arp(SENDER, A, B, 2))
    packets += [sound, sound + bytes(18), sound[:41], sound[:20]]
    for at in range(14, 42):
        packets.append(sound[:at] + bytes([sound[at] ^ 1 << rng.randrange(8)]) + sound[at + 1:])
    packets += [net.ethernet(TO, SENDER, rng.randrange(65536), rng.randbytes(rng.randrange(80))) for _ in range(20)]
    packets += [rng.randbytes(n) for n in (0, 1, 13, 14, 15)]
    return {"packets": rng.sample(packets, len(packets))}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, packet in enumerate(given["packets"]):
        p = net.parse(packet)
        what = f"packet {key}, {len(packet)} bytes, from byte 12 on {packet[12:42].hex()}"
        got = seen.one("parsed", key)
        if got.answer != (0 if p else -errno.EINVAL):
            yield Finding(EXERCISE, f"{what}: the answer", 0 if p else -errno.EINVAL, got.answer)
            continue
        if p is None:
            continue
        addresses, ports = seen.one("addresses", key), seen.one("ports", key)
        pairs = [("is it IP", p.is_ip, bool(got.is_ip)), ("is it ARP", p.is_arp, bool(got.is_arp)),
                 ("the ends", bytes([p.to[0], p.to[5], p.sender[0], p.sender[5]]), bytes(seen.one("ends", key).data)[:4])]
        if p.is_ip or p.is_arp:
            pairs.append(("the addresses", (p.source, p.destination), (addresses.source, addresses.destination)))
        if p.is_arp:
            pairs.append(("the sender of ARP", p.arp_sender[0], bytes(seen.one("ends", key).data)[4]))
        if p.is_ip:
            pairs.append(("the protocol", p.protocol, addresses.protocol))
        pairs.append(("has it ports", p.has_ports, bool(ports.has)))
        if p.has_ports:
            pairs.append(("the ports", (p.source_port, p.destination_port), (ports.source, ports.destination)))
        for name, want, have in pairs:
            if want != have:
                yield Finding(EXERCISE, f"{what}: {name}", want, have)
