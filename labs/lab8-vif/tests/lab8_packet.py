# SPDX-License-Identifier: MIT
"""What the judges of lab 8 know of packets and rules, worked out apart from the hypervisor: src/public/control.h is the rule."""

import struct
from dataclasses import dataclass, fields, replace
from random import Random

ANY, WIRE_DOMAIN = 0xffff, 0xfffe
ACCEPT, DROP = range(2)
HEADER = 80  # bytes that are copied
LONGEST = 1514
BROADCAST = bytes([255] * 6)
IP, ARP, IPV6 = 0x0800, 0x0806, 0x86dd
ICMP, TCP, UDP = 1, 6, 17


# --- making them


def ethernet(to: bytes, sender: bytes, kind: int, payload: bytes) -> bytes:
    return to + sender + struct.pack(">H", kind) + payload


def ip(source: int, destination: int, protocol: int, payload: bytes, *, options: bytes = b"", fragment: int = 0,
       total: int | None = None) -> bytes:
    """An IPv4 packet; `options` are whole words, `fragment` the flags and the offset in units of 8."""
    words = 5 + len(options) // 4
    size = 4 * words + len(payload) if total is None else total
    return struct.pack(">BBHHHBBHII", 0x40 | words, 0, size, 7, fragment, 64, protocol, 0, source, destination) + options + payload


def ports(source: int, destination: int, payload: bytes = b"") -> bytes:
    return struct.pack(">HH", source, destination) + payload


class Large(bytes):
    """A packet of TCP that leaves as several, with `segment` bytes of payload in each."""

    segment = 0


def large(to: bytes, sender: bytes, source: int, destination: int, header: bytes, payload: bytes, segment: int) -> Large:
    """`header`: TCP's, with whole words of options; its check sum is made when it leaves."""
    made = Large(ethernet(to, sender, IP, ip(source, destination, TCP, header + payload)))
    made.segment = segment
    return made


def check_sum(data: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f">{len(data) // 2}H", data[:len(data) & ~1])) + (data[-1] << 8 if len(data) % 2 else 0)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def segments(packet: Large) -> list[bytes]:
    """What leaves, with the check sums that the wire makes."""
    head, start = packet[14:34], 34 + (packet[46] >> 4) * 4
    tcp, payload = packet[34:start], packet[start:]
    made = []
    for at in range(0, len(payload), packet.segment):
        data = payload[at:at + packet.segment]
        number, = struct.unpack_from(">H", head, 4)
        own = head[:2] + struct.pack(">HH", 20 + len(tcp) + len(data), (number + len(made)) % 0x10000) + head[6:10] + bytes(2) + head[12:]
        own = own[:10] + struct.pack(">H", check_sum(own)) + own[12:]
        sequence, = struct.unpack_from(">I", tcp, 4)
        flags = tcp[13] if at + packet.segment >= len(payload) else tcp[13] & ~9  # FIN and PSH
        part = tcp[:4] + struct.pack(">I", (sequence + at) % 2**32) + tcp[8:13] + bytes([flags]) + tcp[14:16] + bytes(2) + tcp[18:]
        pseudo = own[12:20] + struct.pack(">HH", TCP, len(part) + len(data))
        part = part[:16] + struct.pack(">H", check_sum(pseudo + part + data)) + part[18:]
        made.append(packet[:14] + own + part + data)
    return made


def arp(sender_mac: bytes, sender: int, target: int, operation: int = 1) -> bytes:
    return (struct.pack(">HHBBH", 1, IP, 6, 4, operation) + sender_mac + struct.pack(">I", sender) + bytes(6)
            + struct.pack(">I", target))


# --- reading them


@dataclass(frozen=True)
class Parsed:
    to: bytes
    sender: bytes
    is_ip: bool = False
    is_arp: bool = False
    arp_sender: bytes = bytes(6)
    protocol: int = 0
    source: int = 0
    destination: int = 0
    has_ports: bool = False
    source_port: int = 0
    destination_port: int = 0


def parse(packet: bytes) -> Parsed | None:
    """None: its lengths contradict each other."""
    if len(packet) < 14:
        return None
    base = Parsed(packet[:6], packet[6:12])
    kind, body = struct.unpack_from(">H", packet, 12)[0], packet[14:]
    if kind == ARP:
        if len(body) < 28 or struct.unpack_from(">HHBB", body) != (1, IP, 6, 4):
            return None
        source, = struct.unpack_from(">I", body, 14)
        destination, = struct.unpack_from(">I", body, 24)
        return replace(base, is_arp=True, arp_sender=body[8:14], source=source, destination=destination)
    if kind != IP:
        return base
    if len(body) < 20 or body[0] >> 4 != 4:
        return None
    header, total = body[0] % 16 * 4, struct.unpack_from(">H", body, 2)[0]
    if header < 20 or total < header or total > len(body):
        return None
    source, destination = struct.unpack_from(">II", body, 12)
    found = replace(base, is_ip=True, protocol=body[9], source=source, destination=destination)
    first = struct.unpack_from(">H", body, 6)[0] % 0x2000 == 0
    if first and body[9] in (TCP, UDP) and total - header >= 4:
        a, b = struct.unpack_from(">HH", body, header)
        found = replace(found, has_ports=True, source_port=a, destination_port=b)
    return found


# --- rules


@dataclass(frozen=True)
class Rule:
    rank: int = 10
    action: int = ACCEPT
    protocol: int = 0
    from_domain: int = ANY
    to_domain: int = ANY
    from_vif: int = ANY
    to_vif: int = ANY
    source: int = 0
    source_mask: int = 0
    destination: int = 0
    destination_mask: int = 0
    source_ports: tuple[int, int] = (0, 0)
    destination_ports: tuple[int, int] = (0, 0)

    def words(self) -> list[int]:
        """As the guests and programs of this lab read it: one word a number, in this order."""
        values = []
        for field in fields(self):
            value = getattr(self, field.name)
            values += value if isinstance(value, tuple) else [value]
        return values

    def matches(self, p: Parsed, source: "End", target: "End") -> bool:
        addressed = p.is_ip or p.is_arp
        return (self._end(self.from_domain, self.from_vif, source) and self._end(self.to_domain, self.to_vif, target)
                and (not self.protocol or (p.is_ip and p.protocol == self.protocol))
                and (not self.source_mask or (addressed and not (p.source ^ self.source) & self.source_mask))
                and (not self.destination_mask
                     or (addressed and not (p.destination ^ self.destination) & self.destination_mask))
                and self._port(self.source_ports, p.source_port, p) and self._port(self.destination_ports, p.destination_port, p))

    @staticmethod
    def _end(domain: int, vif: int, end: "End") -> bool:
        return domain == ANY or (domain == end.domain and (domain == WIRE_DOMAIN or vif in (ANY, end.vif)))

    @staticmethod
    def _port(limits: tuple[int, int], port: int, p: Parsed) -> bool:
        return limits == (0, 0) or (p.has_ports and limits[0] <= port <= limits[1])


@dataclass(frozen=True)
class End:
    domain: int
    vif: int = 0


WIRE = End(WIRE_DOMAIN)


def verdict(rules: list[Rule], p: Parsed, source: End, target: End) -> int:
    """What the first rule says that matches, by rank and then by age; nothing passes without one."""
    return next((r.action for r in sorted(rules, key=lambda r: r.rank) if r.matches(p, source, target)), DROP)


# --- drawing them


def any_ip(rng: Random, source: int, destination: int, protocols: tuple[int, ...] = (ICMP, TCP, UDP)) -> bytes:
    """A sound packet with options or without, of any length, whole or a fragment."""
    protocol = rng.choice(protocols)
    options = rng.randbytes(4 * rng.choice((0, 0, 0, 1, 4, 10)))
    fragment = rng.choice((0, 0, 0, 0x4000, 0x2000, rng.randrange(1, 0x2000)))
    body = ports(rng.choice((53, 80, 1024, 4000)), rng.choice((53, 80, 1024, 4000)), rng.randbytes(rng.randrange(0, 900)))
    return ip(source, destination, protocol, body, options=options, fragment=fragment)
