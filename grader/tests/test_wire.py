# SPDX-License-Identifier: MIT
"""Wires in boot modules: what the hypervisor is told, and what is read back."""

import struct
import unittest
from dataclasses import dataclass

from atelier_grader.judge import JudgeError
from atelier_grader.wire import ARRIVAL, DEPARTURE, HEAD, MAGIC, STATE, Packet, Wire

MAC = bytes(range(6))
PAGE = 4096
PLACE = 5 * PAGE  # where the machine has the module


@dataclass
class Machine:
    memory: bytes


def run(wire: Wire, left: int, log: bytes, logged: int | None = None) -> Machine:
    """The machine after this log was written."""
    module = bytearray(wire.module().pages())
    STATE.pack_into(module, HEAD.size, left, len(log) if logged is None else logged, len(wire.arrivals), 1)
    at = HEAD.unpack_from(module)[7]
    module[at:at + len(log)] = log
    return Machine(bytes(PLACE) + bytes(module))


def departure(when: int, data: bytes) -> bytes:
    return DEPARTURE.pack(when, len(data), 0) + data + bytes(-len(data) % 8)


class TheModule(unittest.TestCase):
    def test_holds_all_that_comes_in_and_how_long_things_take(self):
        arrivals = (Packet(10, b"one"), Packet(1 << 40, bytes(1514)))
        content = Wire(MAC, arrivals, 3, (7, 8, 9), 5000).module().pages()
        magic, mac, slots, first, count, delays, delay_count, log, log_size = HEAD.unpack_from(content)
        self.assertEqual((magic, mac, slots, count, delay_count, log_size), (MAGIC, MAC, 3, 2, 3, 5000))
        self.assertEqual(struct.unpack_from("<3I", content, delays), (7, 8, 9))
        for i, packet in enumerate(arrivals):
            when, at, length = ARRIVAL.unpack_from(content, first + i * ARRIVAL.size)
            self.assertEqual((when, content[at:at + length]), (packet.when, packet.data))
        self.assertEqual(log % PAGE, 0)
        self.assertLessEqual(log + log_size, len(content))
        self.assertEqual(STATE.unpack_from(content, HEAD.size), (0, 0, 0, 0))


class TheLog(unittest.TestCase):
    def test_is_read_from_the_machines_memory(self):
        wire = Wire(MAC, (Packet(1, b"x"),))
        log = wire.log(run(wire, 2, departure(5, b"abc") + departure(9, bytes(64))))
        self.assertEqual((log.left, log.came, log.lost), (2, 1, 1))
        self.assertEqual(log.packets, (Packet(5, b"abc"), Packet(9, bytes(64))))

    def test_that_breaks_off_is_read_as_far_as_it_goes(self):
        wire = Wire(MAC)
        whole = departure(5, b"abc")
        for broken in (DEPARTURE.pack(1, 1 << 31, 0), DEPARTURE.pack(1, 9, 0) + b"1234", b"123"):
            self.assertEqual(wire.log(run(wire, 2, whole + broken)).packets, (Packet(5, b"abc"),))

    def test_that_says_it_is_longer_than_it_can_be_is_cut_off(self):
        wire = Wire(MAC, log_size=PAGE)
        self.assertLess(len(wire.log(run(wire, 9, departure(5, b"abc"), logged=1 << 31)).packets), PAGE)

    def test_of_another_wire_is_no_log(self):
        machine = run(Wire(MAC), 0, b"")
        with self.assertRaises(JudgeError):
            Wire(MAC[::-1]).log(machine)
