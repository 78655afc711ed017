# SPDX-License-Identifier: MIT
"""The machine at the other end of the wire: 10.0.2.2, with as much of TCP as two benchmarks need.

It reads and writes Ethernet frames on a socket of QEMU's (`-netdev stream`). On port SINK it takes all that comes, and
acknowledges every second segment. On port SOURCE it sends zeros, as much as the window lets it, in segments of the size that was
asked for. Who connects to port BROWSE is a web server that wants to be asked: it gets REQUESTS requests, at most CROWD at a time,
each on a connection of its own, and its connection ends when the last one has been answered. What is done depends on what is
heard alone, never on a clock, but when nothing at all comes any more:
then it sends again from the last acknowledgement on.
"""

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SINK, SOURCE, BROWSE = 7001, 7002, 7003
WEB, OUR_PORTS = 80, range(10000, 60000)
REQUESTS, CROWD = 600, 8
SOCKET = "wire"  # in the run's folder
MAC, ADDRESS = bytes.fromhex("525500000202"), bytes([10, 0, 2, 2])
WINDOW = 65535
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
PATIENCE = 0.5  # seconds without a frame
LENGTH = struct.Struct("!I")
ARP = struct.Struct("!HHBBH6s4s6s4s")
IP = struct.Struct("!BBHHHBBH4s4s")
TCP = struct.Struct("!HHIIBBHHH")


def check_sum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclass
class Connection:
    mac: bytes
    address: bytes
    ports: tuple[int, int]  # ours, theirs
    segment: int
    received: int  # the next byte that we expect, ...
    acknowledged: int = 0  # ... and of ours that they do
    sent: int = 1
    window: int = WINDOW
    unanswered: int = 0  # segments
    request: bytes = b""  # what we ask, if it is we who do
    wanted: int = 0  # bytes at least of the answer
    got: int = 0

    def frame(self, flags: int, sequence: int, zeros: int = 0, data: bytes = b"") -> bytes:
        """With @data, an even number of bytes, or zeros, which change no check sum."""
        options = struct.pack("!BBH", 2, 4, 1460) if flags & SYN else b""
        head = TCP.pack(*self.ports, sequence % 2**32, self.received, (TCP.size + len(options)) << 2, flags, WINDOW, 0, 0) + options
        pseudo = ADDRESS + self.address + struct.pack("!HH", 6, len(head) + len(data) + zeros)
        head = head[:16] + struct.pack("!H", check_sum(pseudo + head + data)) + head[18:]
        ip = IP.pack(0x45, 0, IP.size + len(head) + len(data) + zeros, 0, 0x4000, 64, 6, 0, ADDRESS, self.address)
        ip = ip[:10] + struct.pack("!H", check_sum(ip)) + ip[12:]
        return self.mac + MAC + b"\x08\x00" + ip + head + data + bytes(zeros)


def pages() -> Iterator[tuple[str, int]]:
    """Which files are asked for, and their sizes: SPECweb99's classes of sizes and their shares, nine files in each."""
    x = 2003
    for _ in range(REQUESTS):
        x = (x * 1103515245 + 12345) % 2**31
        part, number = (x >> 8) % 100, (x >> 16) % 9 + 1
        size_class = 0 if part < 35 else 1 if part < 85 else 2 if part < 99 else 3
        yield f"{size_class}_{number}", 102 * number * 10**size_class


class Peer:
    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self.connections: dict[tuple[bytes, int, int], Connection] = {}
        self.server: Connection | None = None  # that wants to be asked
        self.pages = pages()
        self.ports = iter(OUR_PORTS)

    def run(self) -> None:
        """Until the wire is cut."""
        buffer = b""
        while True:
            try:
                more = self.wire.recv(1 << 18)
            except TimeoutError:
                self.again()
                continue
            if not more:
                return
            buffer += more
            at = 0
            while len(buffer) - at >= LENGTH.size:
                end = at + LENGTH.size + LENGTH.unpack_from(buffer, at)[0]
                if end > len(buffer):
                    break
                self.hear(buffer[at + LENGTH.size : end])
                at = end
            buffer = buffer[at:]

    def say(self, *frames: bytes) -> None:
        padded = [frame.ljust(60, b"\0") for frame in frames]
        self.wire.sendall(b"".join(LENGTH.pack(len(frame)) + frame for frame in padded))

    def again(self) -> None:
        for c in list(self.connections.values()):
            if c.request and not c.got:
                self.ask(c)
                continue
            self.acknowledge(c)
            c.sent = c.acknowledged
            self.go_on(c)

    def hear(self, frame: bytes) -> None:
        kind = frame[12:14]
        if kind == b"\x08\x06" and frame[38:42] == ADDRESS:
            _, _, _, _, _, mac, address, _, _ = ARP.unpack_from(frame, 14)
            self.say(mac + MAC + b"\x08\x06" + ARP.pack(1, 0x800, 6, 4, 2, MAC, ADDRESS, mac, address))
        elif kind == b"\x08\x00" and frame[23] == 6:
            self.hear_tcp(frame)

    def hear_tcp(self, frame: bytes) -> None:
        ip = (frame[14] & 15) * 4
        length = struct.unpack_from("!H", frame, 16)[0] - ip
        theirs, ours, sequence, acknowledged, size, flags, window, _, _ = TCP.unpack_from(frame, 14 + ip)
        key = (frame[26:30], ours, theirs)
        if flags & SYN and flags & ACK:
            if c := self.connections.get(key):
                c.received, c.acknowledged = sequence + 1, 1
                self.ask(c)
        elif flags & SYN:
            offered = struct.unpack_from("!H", frame, 14 + ip + TCP.size + 2)[0]  # Linux's first option
            c = Connection(frame[6:12], frame[26:30], (ours, theirs), offered, sequence + 1)
            self.connections[key] = c
            self.say(c.frame(SYN | ACK, 0))
            if ours == BROWSE:
                self.server = c
                self.pages = pages()
                for _ in range(CROWD):
                    self.next_page()
        elif flags & RST:
            self.connections.pop(key, None)
        elif c := self.connections.get(key):
            self.take(c, sequence, length - (size >> 4) * 4, flags)
            if acknowledged > c.acknowledged:
                c.acknowledged = acknowledged
            c.window = window
            if c.request and flags & FIN:
                self.end(key, c)
            self.go_on(c)

    def ask(self, c: Connection) -> None:
        """Begins, or goes on where it was."""
        if c.acknowledged:
            self.say(c.frame(ACK, 1), c.frame(ACK | PSH, 1, data=c.request))
            c.sent = 1 + len(c.request)
        else:
            self.say(c.frame(SYN, 0))

    def next_page(self) -> None:
        if page := next(self.pages, None):
            request = f"GET /{page[0]} HTTP/1.0\r\nHost: atelier\r\n\r\n".encode()
            if len(request) % 2:
                request = request.replace(b"atelier", b"ateliers")
            c = Connection(self.server.mac, self.server.address, (next(self.ports), WEB), 0, 0, request=request, wanted=page[1])
            self.connections[c.address, *c.ports] = c
            self.ask(c)
        elif all(not c.request for c in self.connections.values()):
            self.say(self.server.frame(FIN | ACK, self.server.sent))

    def end(self, key: tuple[bytes, int, int], c: Connection) -> None:
        """It was answered. If not with the page, the server's own connection ends in a way that it notices."""
        del self.connections[key]
        self.say(c.frame(FIN | ACK, c.sent))
        if c.got >= c.wanted:
            self.next_page()
        else:
            self.say(self.server.frame(RST | ACK, self.server.sent))

    def take(self, c: Connection, sequence: int, payload: int, flags: int) -> None:
        if not payload and not flags & FIN:
            return
        if sequence == c.received:
            c.received = (c.received + payload + (flags & FIN)) % 2**32
            c.got += payload
        c.unanswered += 1
        if c.unanswered == 2 or flags & FIN:
            self.acknowledge(c)

    def acknowledge(self, c: Connection) -> None:
        c.unanswered = 0
        self.say(c.frame(ACK, c.sent))

    def go_on(self, c: Connection) -> None:
        if c.ports[0] != SOURCE or not c.acknowledged:
            return
        frames = []
        while c.sent + c.segment <= c.acknowledged + c.window:
            frames.append(c.frame(ACK, c.sent, c.segment))
            c.sent += c.segment
        if frames:
            c.unanswered = 0
            self.say(*frames)


@contextmanager
def peer(folder: Path) -> Iterator[None]:
    """Listens where QEMU will connect to; for one boot."""
    with socket.socket(socket.AF_UNIX) as door:
        at = os.open(folder, os.O_DIRECTORY)
        door.bind(f"/proc/self/fd/{at}/{SOCKET}")  # a whole path may be longer than a socket's name can be
        os.close(at)
        door.listen()
        thread = threading.Thread(target=serve, args=(door,), daemon=True)
        thread.start()
        yield
        thread.join(timeout=10)


def serve(door: socket.socket) -> None:
    wire, _ = door.accept()
    with wire:
        wire.settimeout(PATIENCE)
        try:
            Peer(wire).run()
        except (BrokenPipeError, ConnectionResetError):
            pass  # the machine is off
