# SPDX-License-Identifier: MIT
"""`atl pagetable`: against the guest's own P2M, and the four windows, whose rights the interface says (public/atelier.h)."""

import re
import unittest

import start_day
from sessions import ROOT, debug

PAGE = 4096
WRITABLE, READONLY, HOLE, USER = 0, 4, 8, 12  # pages of the windows
MIB_4 = 4 << 20
PARTS = {
    "SLOT_M2P": "machine-to-physical table", "SLOT_IMAGE": "image", "SLOT_FRAMES": "frame table",
    "SLOT_M2P_WRITABLE": "as the hypervisor writes it", "SLOT_DOMAIN": "windows on its GDT", "SLOT_WINDOWS": "temporary mapping",
    "SLOT_SHARED": "shared pages", "SLOT_DEVICES": "memory of a device",
}  # fmt: skip


def at_start(*orders: str) -> tuple[str, ...]:
    return debug(1, "hello", *start_day.ORDERS, *orders).said[len(start_day.ORDERS):]


class PageTable(unittest.TestCase):
    def test_each_step_names_the_frame_that_the_guest_knows(self) -> None:
        text, base, directory, table, page, mapped = at_start(
            "atl pagetable 0 $base+0x5123", "output/x $base", "output/x $dir", "output/x $table", "output/x $p2m[5]",
            "output/x *(unsigned *)($info[9] + 4 * ($base >> 22))")  # fmt: skip
        first, second = text.index("directory "), text.index("\ntable ")
        slot = int(base, 16) >> 22
        self.assertIn(f"directory {directory}, entry {slot} = {int(mapped, 16):#010x}", text[first:second])
        self.assertIn(f"names frame {table}: domain 0's", text[first:second])
        self.assertIn(f"table {table}, entry 5 = ", text[second:])
        self.assertIn(f"names frame {page}: domain 0's, pfn 0x5", text[second:])
        self.assertIn(f"machine address {int(page, 16) * PAGE + 0x123:#x}", text)

    def test_what_the_windows_let_whom_do(self) -> None:
        wanted = {WRITABLE: "ring 1 may read and write, ring 3 nothing", READONLY: "ring 1 may read, not write, ring 3 nothing",
                  HOLE: "nothing is mapped there", USER: "rings 1 and 3 may read and write"}  # fmt: skip
        said = at_start(*(f"atl pagetable 0 $base-{MIB_4 - page * PAGE}" for page in wanted))
        for (page, words), text in zip(wanted.items(), said, strict=True):
            self.assertIn("\n" + words, text, f"window page {page}")
            self.assertEqual("writable" in text[text.index("\ntable "):], page in (WRITABLE, USER), text)

    def test_bits_in_words(self) -> None:
        """An entry that the test writes: present, read-only, ring 3, accessed, the guest's own bits 101; and one of 4 MiB."""
        said = at_start("set $entry = (unsigned *)($info[9] + 4096) + 5", "set var *$entry = (*$entry & ~0xfff) | 0xa25",
                        "atl pagetable 0 $base+0x5000", "set $slot = (unsigned *)$info[9] + 3", "set var *$slot = 0x400087",
                        "atl pagetable 0 0xc12345",
                        "set var *$slot = 0x12345000", "atl pagetable 0 0xc00000")  # fmt: skip
        self.assertIn("\n    present, ring 3 too, accessed, the guest's own bits 101\n", said[2])
        self.assertIn("present, writable, ring 3 too, 4 MiB page", said[5])
        self.assertIn("machine address 0x412345", said[5])
        self.assertIn("not present: all else in it is the guest's own", said[7])

    def test_a_walk_into_nothing_ends(self) -> None:
        """A directory's entry that names what is no memory."""
        said = at_start("set $slot = (unsigned *)$info[9] + 3", "set var *$slot = 0xf0000003", "atl pagetable 0 0xc00000",
                        "atl pagetable 9 0",
                        "atl pagetable 0", "atl pagetable 0 nonsense")  # fmt: skip
        self.assertIn("frame 0xf0000 is no frame of this machine", said[2])
        self.assertIn("the walk ends there", said[2])
        self.assertIn("there is no domain 9", said[3])
        self.assertIn("say: atl pagetable D VA", said[4])
        self.assertIn("nonsense: no address", said[5])

    def test_the_hypervisor_s_slots_are_those_of_layout_h(self) -> None:
        layout = (ROOT / "src/pc/layout.h").read_text()
        slots = {name: int(number) for name, number in re.findall(r"#define (SLOT_\w+)\s+(\d+)$", layout, re.MULTILINE)}
        asked = [name for name in slots if name in PARTS]
        self.assertEqual(len(asked), len(PARTS))
        said = at_start(*(f"python from atl import layout; print(layout.slot_words({slots[name] << 22}))" for name in asked),
                        "python print(hex(layout.GDT_WINDOW), hex(layout.LDT_WINDOW), hex(layout.IMAGE_BASE))",
                        *(f"atl who {slots[name] << 22:#x}" for name in asked))  # fmt: skip
        for name, text in zip(asked, said, strict=False):
            self.assertIn(PARTS[name], text, name)
        windows = [re.search(rf"#define {name}\s+\(?([^/\n]+?)\)?$", layout, re.MULTILINE)[1] for name in ("GDT_WINDOW", "IMAGE_BASE")]
        self.assertEqual(said[len(asked)].split()[::2], windows)
        self.assertEqual(int(said[len(asked)].split()[1], 16) - int(windows[0], 16), 0x10000)

    def test_the_hypervisor_s_own_pages(self) -> None:
        """No page of the hypervisor's is open to ring 3; its text is read-only."""
        text, data = at_start("atl pagetable 0 hypercall_dispatch", "atl pagetable 0 &frame_table")
        self.assertIn("ring 0 may read, not write", text)
        self.assertIn("the hypervisor's image: code", text)
        self.assertIn("ring 0 may read and write", data)
        self.assertIn("the fence keeps it out", data)


if __name__ == "__main__":
    unittest.main()
