# SPDX-License-Identifier: MIT
"""A wire in a boot module, for judges: makes what comes in, and reads what has left (src/pc/ramwire.h has the format)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from .emulator import PAGE, Module
from .judge import JudgeError, Outside
from .observe import pages_that_start

MAGIC = b"Atelier ramwire\0"
HEAD = struct.Struct("<16s6sH6I")  # what the module says ...
STATE = struct.Struct("<4I")  # ... and, behind it, what the hypervisor does
ARRIVAL = struct.Struct("<Q2I")
DEPARTURE = struct.Struct("<Q2I")


@dataclass(frozen=True)
class Packet:
    """At which moment of the wire's clock it came or left: nanoseconds since the first one was sent."""

    when: int
    data: bytes


@dataclass(frozen=True)
class Log:
    left: int  # packets; the last ones may have found no room in the log
    came: int
    lost: int  # of those that came: there was no frame to receive into
    packets: tuple[Packet, ...]


@dataclass(frozen=True)
class Wire:
    mac: bytes
    arrivals: tuple[Packet, ...] = ()  # in the order of their moments
    slots: int = 64  # packets that it takes at a time
    delays: Sequence[int] = (10_000,)  # nanoseconds that a packet takes to leave, in turn
    log_size: int = 1 << 20

    def _head(self) -> bytes:
        at = HEAD.size + STATE.size
        arrivals = at + -at % 8
        delays = arrivals + ARRIVAL.size * len(self.arrivals)
        log = self._data_start() + sum(len(p.data) for p in self.arrivals)
        return HEAD.pack(MAGIC, self.mac, self.slots, arrivals, len(self.arrivals), delays, len(self.delays),
                         log + -log % PAGE, self.log_size)

    def _data_start(self) -> int:
        at = HEAD.size + STATE.size
        return at + -at % 8 + ARRIVAL.size * len(self.arrivals) + 4 * len(self.delays)

    def module(self) -> Module:
        head = self._head()
        at = self._data_start()
        table = b""
        for packet in self.arrivals:
            table += ARRIVAL.pack(packet.when, at, len(packet.data))
            at += len(packet.data)
        content = head + bytes(STATE.size)
        content += bytes(-len(content) % 8) + table + struct.pack(f"<{len(self.delays)}I", *self.delays)
        content += b"".join(packet.data for packet in self.arrivals)
        content += bytes(-len(content) % PAGE)
        return Module("wire", "", content + bytes(self.log_size))

    def log(self, outside: Outside) -> Log:
        """What has left, from the machine's memory. A log that cannot be is read as far as it can be."""
        head = self._head()
        found = pages_that_start(outside.memory, head)
        if not found:
            raise JudgeError("the module with the wire is not in the machine's memory: was it booted?")
        at = found[0]
        left, logged, came, lost = STATE.unpack_from(outside.memory, at + HEAD.size)
        start = at + HEAD.unpack(head)[7]
        return Log(left, came, lost, tuple(_departures(outside.memory[start:start + min(logged, self.log_size)])))


def _departures(log: bytes) -> list[Packet]:
    packets = []
    at = 0
    while at + DEPARTURE.size <= len(log):
        when, length, _ = DEPARTURE.unpack_from(log, at)
        at += DEPARTURE.size
        if length > len(log) - at:
            break
        packets.append(Packet(when, log[at:at + length]))
        at += length + -length % 8
    return packets
