# SPDX-License-Identifier: MIT
"""`atl traps`, against the tables that guests ask for: as their judges say, and as they lie in the guests' memory."""

import re
import struct
import unittest

from sessions import debug, guest_symbol, needs_lab, raw, read_raw, told, value

ENTRY = struct.Struct("<BBHI")
LINE = re.compile(r"^(0x[0-9a-f]{2})  (.*?) +([0-9a-f]{4}):([0-9a-f]{8}) +([0-3])( +yes)?( .*)?$", re.M)
DPL, MASK_EVENTS = 3, 4
RING1_CODE = 0xE019


def listed(printed: str) -> dict[int, tuple[int, int, int]]:
    """Vector: flags, cs, address."""
    return {int(vector, 16): (int(dpl) | (MASK_EVENTS if masks else 0), int(cs, 16), int(address, 16))
            for vector, _, cs, address, dpl, masks, _ in LINE.findall(printed)}


@needs_lab(2)
class Traps(unittest.TestCase):
    def test_a_table_is_what_the_guest_asked_for(self) -> None:
        said = debug(2, "traps", "break do_set_trap_table", "continue", raw("list", "count * 8"), "finish", "atl traps 0",
                     "continue", "finish", "print $", "atl traps 0")
        step = next(step for step in told(2, "traps")["steps"] if isinstance(step, tuple))
        asked = {vector: (flags, cs) for vector, flags, cs, _ in step[1]}
        self.assertEqual({vector: entry[:2] for vector, entry in listed(said[4]).items()}, asked)
        memory = {vector: (flags, cs, address) for vector, flags, cs, address in ENTRY.iter_unpack(read_raw(said[2]))}
        self.assertEqual(listed(said[4]), memory)
        self.assertRegex(said[4], "0x0e +#PF page fault")
        self.assertIn("no fast trap", said[4])
        if value(said[7]):  # refused: the old one stands
            self.assertEqual(listed(said[8]), memory)

    def test_without_a_table(self) -> None:
        said = debug(2, "traps", "break do_set_trap_table", "continue", "atl traps 0")
        self.assertIn("no handlers", said[2])

    def test_callbacks_and_ranges_are_what_the_guest_asked_for(self) -> None:
        said = debug(2, "critical", "break do_set_callbacks", "continue", raw("arg", "116"), "finish", "print $", "atl traps 0")
        self.assertEqual(value(said[4]), 0)
        words = struct.unpack("<29I", read_raw(said[2]))
        self.assertIn(f"event callback: {words[0]:04x}:{words[1]:08x}", said[5])
        self.assertIn(f"failsafe callback: {words[2]:04x}:{words[3]:08x}", said[5])
        ranges = re.findall("critical range ([0-9a-f]+) to ([0-9a-f]+): an event there resumes at ([0-9a-f]+)", said[5])
        self.assertGreater(words[4], 0)
        self.assertEqual([tuple(int(word, 16) for word in r) for r in ranges],
                         [words[5 + 3 * i:8 + 3 * i] for i in range(words[4])])

    def test_a_fast_trap_is_the_gate_as_it_was_made(self) -> None:
        first, second = (guest_symbol(2, "fast", f"quick_{name}") for name in ("first", "second"))
        said = debug(2, "fast", "break do_set_trap_table", "break do_set_fast_trap", "continue", "finish", "atl traps 0", "continue",
                     "finish", "atl traps 0", "continue", "finish", "atl traps 0", "continue", "finish", "atl traps 0")
        self.assertIn("no fast trap", said[4])
        self.assertEqual(listed(said[7])[0x80], (DPL, RING1_CODE, first))
        self.assertRegex(said[7], f"fast trap 0x80: e019:{first:08x} DPL 3")
        self.assertNotIn("another handler", said[7])
        # The table is another one now, the gate is not.
        self.assertEqual(listed(said[10])[0x80], (DPL, RING1_CODE, second))
        self.assertRegex(said[10], f"fast trap 0x80: e019:{first:08x} DPL 3")
        self.assertIn("another handler", said[10])
        self.assertRegex(said[13], f"fast trap 0x80: e019:{second:08x} DPL 3")

    def test_what_is_broken_is_shown_and_bounded(self) -> None:
        said = debug(2, "traps", "break do_set_trap_table", "continue",
                     "set var domains.slots[0].upcalls.callbacks.range_count = 0xffffffff",
                     "set var domains.slots[0].traps.fast = 0x12345", "atl traps 0", "atl traps 7", "atl traps", "atl traps no_such")
        self.assertEqual(said[4].count("critical range"), 8)
        self.assertNotIn("error:", said[4])
        self.assertIn("there is no domain 7", said[5])
        self.assertIn("say: atl traps D", said[6])
        self.assertIn("no domain", said[7])
        self.assertNotIn("Traceback", said.whole)
