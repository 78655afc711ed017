# SPDX-License-Identifier: MIT
"""`atl ring`, against the page as the emulator shows it, the hypervisor's raw indices, and what the guests were told to write."""

import re
import struct
import unittest

from sessions import Session, debug, guest_symbol, needs_lab, physical, read_physical, rows, told, value

HEADER = struct.Struct("<5I")
SLOTS, SLOT = 32, 64
CONSOLE = "domains.slots[1].rings.rings[0][0]"
RAW = [f"print (unsigned int){CONSOLE}.{name}" for name in ("taken", "answered", "port", "stopped")] + [physical(f"{CONSOLE}.frame.n")]
ROW = re.compile(r" +\d+ +\d+  (answered|under way|waits)")


def number_rows(printed: str) -> list[list[str]]:
    """Of the slots: index, slot, state, content."""
    return [re.split(" {2,}", line.strip(), maxsplit=3) for line in printed.splitlines() if ROW.match(line)]


def index_of(printed: str, name: str) -> list[int]:
    line = next(line for line in printed.splitlines() if line.startswith(name))
    return [int(word) for word in line[len(name):].split() if word.isdigit()]


@needs_lab(6)
class Consoles(unittest.TestCase):
    def setUp(self) -> None:
        self.talker = told(6, "order")["script"].talkers[0]

    def text_of(self, number: int) -> bytes:
        """What request @number of the talker writes."""
        before = sum(count for count in self.talker.counts[:number] if count <= 60)
        return self.talker.text()[before:before + self.talker.counts[number]]

    def looks(self, stop: str, skips: tuple[int, ...]) -> Session:
        looks = [order for skip in skips for order in (f"ignore 2 {skip}", "continue", *RAW, "atl ring 1 console")]
        return debug(6, "order", f"break {stop}", *looks, reverse=True)

    def compare(self, said: tuple[str, ...]) -> set[str]:
        """One look: the raw values, and what the command says. The states of slots that it has."""
        taken, answered, port, stopped = map(value, said[:4])
        page, printed = read_physical(said[4]), said[5]
        written, req_event, rsp_prod, rsp_event, _ = HEADER.unpack_from(page)
        self.assertEqual(index_of(printed, "requests written"), [written])
        self.assertEqual(index_of(printed, "requests taken"), [taken])
        self.assertEqual(index_of(printed, "responses"), [answered, rsp_prod])
        self.assertEqual(index_of(printed, "kick wanted at"), [req_event])
        self.assertEqual(index_of(printed, "event wanted at"), [rsp_event])
        self.assertRegex(printed, f"(?m)^port {port} ")
        self.assertEqual("STOPPED" in printed, bool(stopped))
        states = {}
        for index, slot, state, content in number_rows(printed):
            self.assertEqual(int(slot), int(index) % SLOTS)
            states.setdefault(state, []).append(int(index))
            self.content(page, int(slot), content, state)
        self.assertEqual(states.get("waits", []), list(range(taken, written)))
        self.assertEqual(states.get("under way", []), list(range(answered, taken)))
        self.assertEqual(states.get("answered", []), list(range(answered - len(states.get("answered", [])), answered)))
        return set(states)

    def content(self, page: bytes, slot: int, content: str, state: str) -> None:
        number, count = struct.unpack_from("<HH", page, 64 + SLOT * slot)
        data = page[64 + SLOT * slot + 4:][:60]
        if count > 60:
            self.assertEqual(content, f"id {number}: {count} bytes, which no slot holds")
        elif count:
            self.assertEqual(content, f'id {number}: {count} bytes "{self.shown(data[:count])}"')
            if state == "waits":
                self.assertEqual(data[:count], self.text_of(number))

    def shown(self, data: bytes) -> str:
        return "".join(chr(byte) if 32 <= byte <= 126 else "?" for byte in data)

    def test_requests_that_wait_and_answers(self) -> None:
        said = self.looks("ring_take", (50, 40, 100))
        states = {state for look in range(3) for state in self.compare(said.said[3 + 8 * look:9 + 8 * look])}
        self.assertIn("waits", states)

    def test_requests_under_way(self) -> None:
        said = self.looks("ring_respond", (20, 33, 300))
        states = {state for look in range(3) for state in self.compare(said.said[3 + 8 * look:9 + 8 * look])}
        self.assertIn("under way", states)

    def test_what_a_guest_writes_into_the_page(self) -> None:
        """An index that cannot be, in the guest's own page: it is said, nothing is read beyond the slots, and then the ring stops."""
        at = f"*(unsigned int *)(*(unsigned int *){guest_symbol(6, 'order', 'talker'):#x})"
        said = debug(6, "order", "break do_ring_op if d == &domains.slots[1]", "ignore 2 3", "continue", f"set var {at} = 0x80000000",
                     "atl ring 1 console", "break ring_take", "continue", "finish", "print $", "atl ring 1 console", "atl ring 1")
        text = " ".join(said[4].split())
        self.assertIn("The guest claims 2147483", text)
        self.assertIn("at the next look the ring stops", text)
        self.assertEqual([row for row in number_rows(said[4]) if row[2] == "waits"], [])
        self.assertEqual(value(said[8]), -5)
        self.assertIn("STOPPED", said[9].splitlines()[0])
        self.assertRegex(said[9], "(?m)^flags +1  RING_STOPPED")
        self.assertIn("yes", rows(said[10], "NAME")[0])

    def test_which_rings_there_are(self) -> None:
        said = debug(6, "order", "break do_ring_op", "continue", "atl ring 1", "finish", "atl ring 1", "atl ring 0", "atl ring 1 vbd",
                     "atl ring 1 console:1", "atl ring 1 consul", "atl ring 1 vif-tx:9", f"print {CONSOLE}.frame.n")
        self.assertIn("0 rings", said[2])
        self.assertEqual(rows(said[4], "NAME")[0][:2], ["console:0", f"{value(said[10]):#x}"])
        self.assertIn("0 rings", said[5])
        for i, text in ((6, "has registered no ring vbd"), (7, "no ring console:1"), (8, "a ring is called"), (9, "devices are 0 to 3")):
            self.assertIn(text, said[i])
            self.assertEqual(len(said[i].splitlines()), 1)

    def test_a_broken_ring(self) -> None:
        said = debug(6, "order", "break ring_take", "continue",
                     f"set var {CONSOLE}.taken = {CONSOLE}.answered + 1000", "atl ring 1 console",
                     f"set var {CONSOLE}.class = 16", "atl ring 1 console", "atl ring 1", f"set var {CONSOLE}.port = 99999",
                     f"set var {CONSOLE}.class = classes[0]", f"set var {CONSOLE}.frame.n = 0xfffff", "atl ring 1 console")
        self.assertIn("More is under way than it has slots: 1000 (R2)", " ".join(said[3].split()))
        self.assertEqual(len(number_rows(said[3])), SLOTS)
        self.assertIn("Cannot access memory", said[5])
        self.assertIn("console:0", said[6])
        self.assertIn("port 99999, which cannot be", said[10])
        self.assertNotIn("Traceback", said.whole)


@needs_lab(8)
class OtherDevices(unittest.TestCase):
    def test_frames_to_receive_into(self) -> None:
        ring = "domains.slots[0].rings.rings[2][0]"
        said = debug(8, "receive", "break vif_transmit", "continue", "atl ring 0 vif-rx", physical(f"{ring}.frame.n"),
                     f"print {ring}.taken")
        page, got = read_physical(said[3]), number_rows(said[2])
        self.assertEqual(len(got), value(said[4]))
        for index, slot, state, content in got:
            number, _, frame = struct.unpack_from("<HHI", page, 64 + 12 * int(slot))
            self.assertEqual((state, content), ("under way", f"id {number}: frame {frame:#x}"))
            self.assertEqual(number, int(index))

    def test_packets_to_send(self) -> None:
        ring = "domains.slots[0].rings.rings[1][0]"
        said = debug(8, "send", "break tx_kick", "continue", "atl ring 0 vif-tx", physical(f"{ring}.frame.n"), "break vif_sent", "continue",
                     "atl ring 0 vif-tx", "finish", "atl ring 0 vif-tx", "print r->device")
        page, got = read_physical(said[3]), number_rows(said[2])
        self.assertGreater(len(got), 0)
        for index, slot, state, content in got:
            number, pieces, flags, segment = struct.unpack_from("<HHHH", page, 64 + 40 * int(slot))
            address, length, _ = struct.unpack_from("<IHH", page, 64 + 40 * int(slot) + 8)
            self.assertEqual((state, content), ("waits", f"id {number}: {pieces} pieces {address:#x}+{length}"))
        self.assertIn("under way", {row[2] for row in number_rows(said[6])})
        self.assertRegex(said[8], r"answered +id \d+: done")


@needs_lab(9)
class Disks(unittest.TestCase):
    def test_requests_are_the_judges(self) -> None:
        batch = told(9, "read-write")["batches"][0][1]
        said = debug(9, "read-write", "break disk_done", "continue", "atl ring 0 vbd", "finish", "atl ring 0 vbd")
        got = number_rows(said[2])
        self.assertEqual(len(got), len(batch))
        for (index, _, state, content), (number, r) in zip(got, enumerate(batch), strict=True):
            want = f"id {number}: {('read', 'write')[r.op]}, VBD 5, sector {r.sector}+{r.count()} "
            self.assertEqual((int(index), state, content[:len(want)]), (number, "under way", want))
        done = number_rows(said[4])
        self.assertLessEqual(sum(row[2] == "answered" for row in done), 1)
