# SPDX-License-Identifier: MIT
"""How the core's types are printed: values that the test makes, and what they mean by their headers' own words."""

import unittest

import start_day
from sessions import ROOT, debug, needs_lab

HELLO = ROOT / "build/labs/lab1-hypercalls/tests/hello.elf"


class Printers(unittest.TestCase):
    def made(self, lab: int, test: str, before: tuple[str, ...], cases: dict[str, tuple[tuple[str, ...], str]]) -> None:
        """@cases: what is printed, after what was written, and how it must look."""
        orders, at = list(before), {}
        for what, (writes, _) in cases.items():
            orders += [f"set var {write}" for write in writes] + [f"output {what}"]
            at[what] = len(orders) - 1
        said = debug(lab, test, *orders).said
        for what, (_, words) in cases.items():
            self.assertEqual(said[at[what]].strip(), words, what)

    def test_numbers_frames_and_domains(self) -> None:
        d = "domains.slots[0]"
        self.made(1, "hello", start_day.ORDERS, {
            f"{d}.shared_frame": ((f"{d}.shared_frame.n = 0x2a1",), "frame 0x2a1"),
            f"{d}.paging.looked": ((), "no frame"),
            "sched.current": ((), 'domain 0 "domain 0"'),
            "crash_context.domain": (("crash_context.domain = 0",), "no domain"),
            f"{d}.memory": ((f"{d}.memory.owned.count = 1", f"{d}.memory.owned.first = 0x77", f"{d}.memory.limit = 1200",
                             f"{d}.memory.promised = 9"), "owns 1 frame from 0x77 on, may own 1,200, was promised 9"),
            f"{d}.sched": ((f"{d}.sched.blocked = 1", f"{d}.sched.paused = 2"), "blocked, paused 2 times"),
            "frame_table.records[5]": (("frame_table.records[5].owner = 0xfffe", "frame_table.records[5].refs = 1",
                                        "frame_table.records[5].type = FRAME_TABLE", "frame_table.records[5].uses = 2",
                                        "frame_table.records[5].busy = 1", "frame_table.records[5].linear = -1"),
                                       "the hypervisor's, page table: 1 reference, 2 uses, busy, linear -1"),
        })  # fmt: skip

    @needs_lab(2)
    def test_events_and_traps(self) -> None:
        events = "domains.slots[0].events.ports"
        self.made(2, "ports", start_day.ORDERS, {
            f"{events}[7]": ((), "closed"),
            f"{events}[8]": ((f"{events}[8].state = 1", f"{events}[8].remote = 3"), "domain 3 may bind"),
            f"{events}[9]": ((f"{events}[9].state = 2", f"{events}[9].remote = 4", f"{events}[9].remote_port = 5"), "domain 4, port 5"),
            f"{events}[10]": ((f"{events}[10].state = 3", f"{events}[10].virq = 1"), "VIRQ console"),
            "domains.slots[0].traps.handlers[3]": (
                ("domains.slots[0].traps.handlers[3].address = 0xc0001000", "domains.slots[0].traps.handlers[3].cs = 0xe019",
                 "domains.slots[0].traps.handlers[3].flags = 7"), "e019:c0001000, INT n up to ring 3, masks events"),
            "*domains.slots[0].shared": (("domains.slots[0].shared.pending[1] = 5", "domains.slots[0].shared.upcall_pending = 1",
                                          "domains.slots[0].shared.upcall_mask = 0"), "upcalls open, one pending; ports pending: 32 34"),
        })  # fmt: skip

    @needs_lab(4)
    def test_descriptors(self) -> None:
        place = "*(struct descriptor *)&domains.slots[0].segments.gdt[0]"
        self.made(4, "gdt", ("thbreak hypercall_dispatch", "continue"), {
            place: (("domains.slots[0].segments.gdt[0].n = 0xffff", "domains.slots[0].segments.gdt[1].n = 0x4ff300"),
                    "data rw, DPL 3: 0x00000000 to 0x000fffff, fence: below"),
        })  # fmt: skip

    @needs_lab(9)
    def test_devices(self) -> None:
        extent = "vbd.pool[3].table.extents[0]"
        rule = "vfr.rules[9]"
        self.made(9, "transfer", ("continue",), {
            "vbd.pool[3]": ((), "free"),
            extent: ((f"{extent}.first.n = 10", f"{extent}.real.disk = 1", f"{extent}.real.first.n = 500", f"{extent}.real.count = 20",
                      f"{extent}.rights = 5"), "10 to 29 are disk 1's 500 to 519; access: read, shared"),
            rule: ((f"{rule}.rank = 7", f"{rule}.action = 1", f"{rule}.protocol = 6", f"{rule}.from_domain = 2", f"{rule}.from_vif = 0",
                    f"{rule}.to_domain = 0xfffe", f"{rule}.to_vif = 0xffff", f"{rule}.source = 0x0100000a",
                    f"{rule}.source_mask = 0xffffff",
                    f"{rule}.destination_port_low = 80", f"{rule}.destination_port_high = 81", f"{rule}.hits = 1"),
                   "drop from 2.0 to wire proto 6 src 10.0.0.1/24 dport 80-81 rank 7"),
            "domains.slots[0].rings.rings[0][1]": ((), "no ring"),
            "vbd.free_ios": ((), "linked with 64 others"),
            "domains.slots[0].vbds.round": ((), "linked with nobody"),
        })  # fmt: skip

    def test_a_guest_s_types_are_left_alone(self) -> None:
        """The same struct, once as the hypervisor's and once as a guest's."""
        said = debug(1, "hello", *start_day.ORDERS, f"add-symbol-file {HELLO}", "output *domains.slots[0].shared",
                     "output shared_info", "output domains.slots[0].shared_frame")  # fmt: skip
        self.assertTrue(said.said[-3].startswith("upcalls "), said.said[-3])
        self.assertIn("upcall_pending = ", said.said[-2])
        self.assertTrue(said.said[-1].startswith("frame 0x"), said.said[-1])

    def test_broken_lists_end(self) -> None:
        queue = "domains.slots[0].sched.queue"
        self.made(1, "hello", start_day.ORDERS, {
            queue: ((f"{queue}.next = &domains.slots[1].sched.queue", "domains.slots[1].sched.queue.next = 0"), "broken: it leads to 0"),
            "domains.slots[2].sched.queue": ((), "never made a list"),
            "domains.slots[3].sched.queue": (("domains.slots[3].sched.queue.next = &domains.slots[4].sched.queue",
                                              "domains.slots[4].sched.queue.next = &domains.slots[4].sched.queue"),
                                             "broken, or of more than 10,000"),
        })  # fmt: skip

    def test_before_there_is_anything(self) -> None:
        """GDB says itself that it cannot read; no traceback."""
        said = debug(1, "hello", "output domains.slots[0].shared_frame", "output sched.current")
        self.assertNotIn("Traceback", said.whole)


if __name__ == "__main__":
    unittest.main()
