# SPDX-License-Identifier: MIT
"""`atl frame`, `atl frames`, `atl who`: against what the builder is known to have made, and counts that the test makes wrong."""

import re
import unittest

import start_day
from sessions import Session, debug, lab_folder, needs_lab

# A frame of domain 1's, as soon as it has given it back.
FREED = ("break frame_pool_free if frame_table.records[mfn.n].owner == 1", "continue", "set $mfn = mfn.n", "finish", "atl frame $mfn")


def at_start(*orders: str, lab: int = 3, test: str = "refs") -> Session:
    """A session whose first answers, to start_day's orders, are taken off."""
    seen = debug(lab, test, *start_day.ORDERS, *orders)
    return Session(seen.status, seen.before, seen.said[len(start_day.ORDERS):], seen.whole)


class Frames(unittest.TestCase):
    @needs_lab(3)
    def test_the_directory_is_held_by_who_the_builder_says(self) -> None:
        """It owns it, pins it, runs on it, and maps it, to read."""
        said = at_start("atl frame $dir", "output/x $dir", "output/x $info[9]", "output ($info[9] - $base) >> 12", test="batch")
        text, mfn, va, pfn = said.said
        self.assertIn(f"frame {mfn}: domain 0's, pfn {int(pfn):#x}, page directory (valid, pinned, reserved)", text)
        self.assertIn("4 references, 2 uses among them as page directory", text)
        held = sorted(line.split("held by")[1].strip() for line in text.splitlines() if "held by" in line)
        self.assertEqual(len(held), 4, text)
        self.assertRegex(held[0], rf"^entry {int(pfn)} of page table 0x\w+, read-only: domain 0's {int(va, 16):#010x}$")
        self.assertEqual(held[1:], ["the base of domain 0", "the pin of domain 0", "the reservation of domain 0"])
        self.assertIn("all 4 references found", text)

    @needs_lab(3)
    def test_a_page_table_a_shared_page_and_an_ordinary_one(self) -> None:
        """The first table is below the directory's slot of the base address; a page of the guest's is mapped once."""
        said = at_start("atl frame $table", "output/x $base", "output/x $dir", "atl frame $shared", "atl frame $p2m[0]", test="batch")
        table, base, directory, shared, page = said.said
        self.assertIn("3 references, 1 use among them as page table", table)
        self.assertIn(f"held by   slot {int(base, 16) >> 22} of page directory {directory}, for {base} on", table)
        self.assertIn("3 references, 2 uses among them as writable", shared)
        self.assertIn("held by   the shared page of domain 0", shared)
        self.assertIn("2 references, 1 use among them as writable", page)
        for text, n in ((table, 3), (shared, 3), (page, 2)):
            self.assertIn(f"all {n} references found", text)
        self.assertRegex(page, rf"held by   entry 0 of page table 0x\w+, writable: domain 0's {base}")

    @needs_lab(3)
    def test_it_says_which_of_the_two_counts_is_off_and_how(self) -> None:
        said = at_start("set var frame_table.records[$p2m[0]].refs = 3", "atl frame $p2m[0]",
                        "set var frame_table.records[$p2m[0]].refs = 1", "set var frame_table.records[$p2m[0]].uses = 0",
                        "atl frame $p2m[0]", test="batch")  # fmt: skip
        self.assertIn("counts 3 references, 2 are found: 1 reference that nobody holds", said[1])
        self.assertIn("counts 1 reference, 2 are found: 1 reference held and not counted", said[4])
        self.assertIn("counts 0 uses, 1 is found: 1 use held and not counted", said[4])

    @needs_lab(3)
    def test_the_story_of_lab_3(self) -> None:
        """A count is made wrong, and the watchpoint on it finds where, going backwards."""
        said = debug(3, "batch", "thbreak paging_pin", "continue", "set $mfn = mfn.n", "continue", "atl frame $mfn",
                     "watch frame_table.records[$mfn].refs", "reverse-continue", "backtrace 3", reverse=True)  # fmt: skip
        self.assertIn("held by   the pin of domain 0", said[4])
        self.assertRegex(said[7], r"#0 .*frame_")

    @needs_lab(3)
    def test_who_has_no_owner(self) -> None:
        said = at_start("output/x pool.dirty.first", "atl frame pool.dirty.first", "output/x domains.slots[0].slot_frame.n",
                        "atl frame domains.slots[0].slot_frame.n", "atl frame 0x100", "atl frame frame_table.count",
                        test="batch")  # fmt: skip
        if said[0] != "0xffffffff":
            self.assertIn("nobody's, free, with what its last owner left", said[1])
        self.assertIn("the hypervisor's: the page table of domain 0's windows", said[3])
        self.assertRegex(said[5], "there is no frame 0x")

    @needs_lab(7)
    def test_nothing_is_remembered_of_a_free_frame(self) -> None:
        said = debug(7, "shrink", *FREED)[-1]
        self.assertIn("nobody's, free", said)
        self.assertNotIn("TLB", said)

    @needs_lab(6)
    def test_who_holds_for_a_ring(self) -> None:
        said = debug(6, "console", "thbreak ring_respond", "continue", "atl frame r->frame.n")
        self.assertIn("held by   the ring console 0 of domain 1\n", said[2])
        self.assertRegex(said[2], r"\nall \d+ references found\n$")

    @needs_lab(8)
    def test_who_holds_for_the_network(self) -> None:
        """A packet arrives: frames are posted for it; it lies in one of the wire's, and there is a spare one."""
        said = debug(8, "receive", "thbreak vif_receive", "continue", "atl frame state.vifs[0].posted[state.vifs[0].take % 128].frame",
                     "atl frame state.vifs[0].spare.n", "atl frame frame.n")  # fmt: skip
        self.assertIn("held by   posted to receive into: VIF 0 of domain 0\n", said[2])
        self.assertRegex(said[2], r"\nall \d+ references found\n$")
        self.assertIn("the hypervisor's: to copy into what VIF 0 of domain 0 receives", said[3])
        self.assertIn("the hypervisor's: a buffer of a device, or kept to be exchanged", said[4])

    @needs_lab(9)
    def test_who_holds_for_a_disk(self) -> None:
        """A read is under way: its memory is held as writable, once more than the guest's mapping."""
        said = debug(9, "transfer", "thbreak machine_disk_start", "continue", "set $io = ((struct vbd_job *)tag)->io",
                     "atl frame $io->request.piece[0].frame", "output/d $io->request.op", "output $io->request.device")  # fmt: skip
        self.assertEqual(said[4], "0")
        self.assertIn(f"held by   a request under way: VBD {said[5]} of domain 0, to be written into\n", said[3])
        self.assertIn("3 references, 2 uses among them as writable", said[3])
        self.assertIn("all 3 references found", said[3])

    @needs_lab(3)
    def test_a_domain_s_frames_add_up(self) -> None:
        said = at_start("atl frames 0", "output/x $info[4]", "output $info[10]", test="batch")
        text, frames, tables = said.said
        rows = {row[1].strip(): [int(n) for n in row[2].split()]
                for row in re.finditer(r"^(\D+?)((?: +\d+){4})$", text, re.MULTILINE)}  # fmt: skip
        self.assertEqual(sum(row[0] for row in rows.values()), int(frames, 16))
        self.assertEqual(rows["page directory"], [1, 1, 1, 1])
        self.assertEqual(rows["page table"][:3], [int(tables) - 1, int(tables) - 1, 0])

    @needs_lab(3)
    def test_what_is_unusual_is_said(self) -> None:
        said = at_start("set var frame_table.records[$p2m[0]].reserved = 0", "set var frame_table.records[$p2m[1]].busy = 1",
                        "atl frames 0",
                        "output/x $p2m[0]", "output/x $p2m[1]", test="batch")  # fmt: skip
        self.assertIn(f"{said[3]}: not in the reservation any more", said[2])
        self.assertIn(f"{said[4]}: its contents are being judged", said[2])

    def test_who_is_at_an_address(self) -> None:
        """Everywhere above the line, and at an address of the guest's."""
        said = at_start("atl who $base", "output/x $p2m[0]", "atl who hypercall_dispatch", "atl who &frame_table", "atl who $esp",
                        "atl who 0xfc000000 + 4 * 0x123", "atl who 0xff000000", "atl who 0xfe80e000", "atl who 0xffc00000",
                        "atl who frame_table.records", lab=1, test="hello")  # fmt: skip
        self.assertIn(f"frame {said[1]}: domain 0's, pfn 0x0", said[0])
        self.assertIn("code: hypercall_dispatch", said[2])
        self.assertIn("ring 0 may read, not write", said[2])
        self.assertIn("image: data: frame_table", said[3])
        self.assertIn("its stack", said[4])
        self.assertIn("frame 0x123's entry", said[5])
        self.assertIn("rings 0 to 2 may read, not write", said[5])
        self.assertIn("domain 0's shared page", said[6])
        self.assertIn("GDT, frame 14", said[7])
        self.assertIn("nothing is mapped there", said[8])
        self.assertIn("the frame table", said[9])

    @unittest.skipIf(lab_folder(3), "frames are counted from lab 3 on")
    def test_before_lab_3(self) -> None:
        said = at_start("atl frame $p2m[5]", "output/x $p2m[5]", "atl frames 0", lab=1, test="hello")
        self.assertIn(f"frame {said[1]}: domain 0's, pfn 0x5\nwho refers to it is not counted yet: that comes with lab 3", said[0])
        self.assertIn("that comes with lab 3", said[2])

    def test_before_there_is_anything(self) -> None:
        orders = ("atl frame 1", "atl frames 0", "atl who 0x1000")
        said = debug(1, "hello", *orders, "thbreak start_domain_0", "continue", *orders)
        for order, text in zip(orders, said.said, strict=False):
            self.assertRegex(text, "^error: atl \\w+: .*not there yet", order)
        self.assertIn("there is no frame table yet", said[5] + "there is no frame table yet" * ("nobody" in said[5]))
        self.assertIn("there is no domain 0", said[6])


if __name__ == "__main__":
    unittest.main()
