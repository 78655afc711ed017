# SPDX-License-Identifier: MIT
"""`atl check`: silent where the hypervisor's own auditors are, and each kind of mistake, made by the test, is found and said.

A mistake is made by writing into the machine, looked at, and taken back; after the last one all must be right again.
"""

import unittest

import start_day
from sessions import ROOT, debug, lab_folder, needs_lab

RIGHT = "all counts are right"
# A test of each lab, which ends with its tables in use.
AT_THE_END = {1: "copy", 2: "ports", 3: "bases", 4: "gdt", 5: "shares", 6: "console", 7: "exchange", 8: "receive", 9: "transfer"}
FRAME = "frame_table.records[$p2m[0]]"


def mistakes(case: unittest.TestCase, lab: int, test: str, before: tuple[str, ...], made: dict[str, tuple[str, str]]) -> None:
    """@made: what is written where, and a part of what is to be said. `{}` in it is where the mistake was made, as GDB prints it."""
    orders = list(before)
    for place, (value, _) in made.items():
        orders += [f"set $was = {place}", f"set var {place} = {value}", "atl check", f"set var {place} = $was"]
    said = debug(lab, test, *orders, "atl check").said
    case.assertRegex(said[-1], "^[^\n]*all (counts are|else is) right\n$")
    for i, (place, (_, words)) in enumerate(made.items()):
        text = said[len(before) + 4 * i + 2]
        case.assertIn(words, text, f"{place} was made wrong")
        case.assertLessEqual(len(text.splitlines()), 30)


class Check(unittest.TestCase):
    def test_nothing_is_wrong_with_what_is_right(self) -> None:
        for lab, test in AT_THE_END.items():
            if lab_folder(lab):
                with self.subTest(lab=lab):
                    self._right(lab, test)

    def _right(self, lab: int, test: str) -> None:
        said = debug(lab, test, "continue", "atl check", "output frame_table.count")
        self.assertIn("about to stop", said[0])
        if not lab_folder(3):
            self.assertEqual(said[1], "frames are not counted yet: that comes with lab 3; all else is right\n")
            return
        self.assertRegex(said[1], f"^{int(said[2]):,} frames, .* page tables, \\d+ domains?: {RIGHT}\\n$")

    @needs_lab(3)
    def test_counts_and_flags(self) -> None:
        mistakes(self, 3, "batch", start_day.ORDERS, {
            f"{FRAME}.refs": ("3", "counts 3 references, 2 are found: 1 reference that nobody holds"),
            f"{FRAME}.uses": ("2", "counts 2 uses, 1 is found: 1 use that nobody holds"),
            f"{FRAME}.type": ("FRAME_LDT", "is LDT, and used as writable: entry 0 of page table"),
            f"{FRAME}.reserved": ("0", "counts 2 references, 1 is found"),
            f"{FRAME}.busy": ("1", "busy"),
            f"{FRAME}.pinned": ("1", "pinned, and no valid table"),
            "frame_table.records[$dir].valid": ("0", "its contents were not judged"),
            f"{FRAME}.valid": ("1", "valid, and not in use as a table"),
            "domains.slots[0].paging.base.n": ("$table", "is page table, and used as page directory: the base of domain 0"),
            "domains.slots[0].shared_frame.n": ("$p2m[0]", "counts 1 use, 2 are found: 1 use held and not counted"),
        })  # fmt: skip

    @needs_lab(3)
    def test_contents_of_page_tables(self) -> None:
        """Written where the guest can read them."""
        mistakes(self, 3, "batch", start_day.ORDERS, {
            "*(unsigned *)($info[9] + 4096 + 4 * 5)": ("($p2m[5] << 12) | 0x87", "087: no guest may have that"),
            "*(unsigned *)($info[9] + 4096 + 4 * 6)": ("0xff000003", "which there is not: held by entry 6 of page table"),
            "*(unsigned *)($info[9] + 4 * 1021)": ("$dir << 12", "slot 1021"),
            "*(unsigned *)($info[9] + 4 * 1018)": ("$dir << 12", "slot 1018"),
        })  # fmt: skip

    @needs_lab(3)
    def test_lists_of_frames(self) -> None:
        mistakes(self, 3, "batch", start_day.ORDERS, {
            "domains.slots[0].memory.owned.count": ("5", "it says 5"),
            f"{FRAME}.next": ("0xfffffff", "which is no frame"),
            f"{FRAME}.prev": ("7", "the way back leads elsewhere"),
            f"{FRAME}.owner": ("3", "says that its owner is 0x3"),
        })  # fmt: skip

    @needs_lab(2)
    def test_ports(self) -> None:
        port = "domains.slots[0].events.ports"
        mistakes(self, 2, "ports", ("continue", "set $i = 1", f"while {port}[$i].state != 2\nset $i = $i + 1\nend"), {
            f"{port}[0].state": ("1", "domain 0, port 0: is never used"),
            f"{port}[$i].state": ("9", "is in state 9"),
            f"{port}[$i].remote_port": ("511", "does not know of it"),
            f"{port}[$i].remote": ("77", "of domain 77, which there is not"),
            "domains.slots[0].events.virq_port[2]": ("5", "VIRQ 2 is bound to port 5, which does not know of it"),
        })  # fmt: skip

    @needs_lab(4)
    def test_descriptors(self) -> None:
        """A GDT in use, written through the hypervisor's window: present, DPL 0; then flat over the fence."""
        window = "*(unsigned long long *)(0xfe800000 + 8 * 100)"
        mistakes(self, 4, "gdt", ("continue",), {
            window: ("0x00409300000000ffULL", "GDT, entry 100 = 0x000000ff 0x00409300: a descriptor that no guest may have"),
            window + " ": ("0x00cff3000000ffffULL", "a descriptor that no guest may have"),
            window + "  ": ("0x0000ec0000080000ULL", "0x0000ec00: a descriptor that no guest may have"),  # a gate for ring 3
        })  # fmt: skip

    @needs_lab(6)
    def test_rings(self) -> None:
        ring = "domains.slots[1].rings.rings[0][0]"
        mistakes(self, 6, "console", ("thbreak ring_respond", "continue"), {
            f"{ring}.taken": (f"{ring}.answered + 100", "100 requests are under way, and it has 32 slots"),
            f"{ring}.frame.n": ("domains.slots[0].paging.base.n", "is not that domain's"),
            f"{ring}.domain": ("&domains.slots[0]", "says that it is another domain's"),
        })  # fmt: skip

    @needs_lab(7)
    def test_who_has_no_pseudo_physical_number(self) -> None:
        mistakes(self, 7, "exchange", ("continue",), {
            "((unsigned *)0xfc000000)[pool.dirty.first]": ("0x123", "is no domain's, and has a pseudo-physical number: 0x123"),
        })  # fmt: skip

    @needs_lab(8)
    def test_interfaces_and_rules(self) -> None:
        mistakes(self, 8, "receive", ("continue",), {
            "domains.slots[0].vifs.vifs[0]": ("0", "VIF 0 of domain 0: its domain does not know it"),
            "state.vifs[0].post": ("state.vifs[0].take + 500", "more is posted than its ring has slots"),
            "state.vifs[0].spare.n": ("domains.slots[0].paging.base.n", "is a domain's"),
            "vfr.rules[0].rank": ("4000000", "stands behind one of rank 4000000"),
            "vfr.rules[0].to_domain": ("9", "names domain 9, which does not live"),
        })  # fmt: skip

    @needs_lab(9)
    def test_block_devices(self) -> None:
        vbd, ring = "(*domains.slots[0].vbds.devices[0])", "domains.slots[0].rings.rings[3][0]"
        mistakes(self, 9, "transfer", ("continue",), {
            f"{vbd}.under_way": ("3", "VBD 0 of domain 0: says that 3 requests are under way; 0 are"),
            f"{vbd}.table.extents[0].real.count": ("0", "its extents are out of order at sector 0"),
            f"{ring}.taken": (f"{ring}.answered + 2", "2 requests are under way; 0 are"),
        })  # fmt: skip

    @needs_lab(3)
    def test_in_the_middle_of_a_call_it_says_so(self) -> None:
        """The new entry is stored, and the old one's reference is not given back yet."""
        said = debug(3, "batch", "thbreak put_table_entry", "continue", "atl check", "finish", "atl check")
        self.assertIn("references, ", said[2])
        self.assertIn("The processor is in ring 0: in the middle of a call", said[2])

    @needs_lab(3)
    def test_the_same_for_others(self) -> None:
        said = debug(3, "batch", *start_day.ORDERS, "python from atl import check; print(check.findings())",
                     f"set var {FRAME}.refs = 7", "python print(len(check.findings()), check.findings()[0])").said  # fmt: skip
        self.assertEqual(said[-3], "[]\n")
        self.assertRegex(said[-1], "^1 frame 0x\\w+: counts 7 references, 2 are found")

    @unittest.skipUnless((ROOT / "solutions").exists(), "the staff's tree has the wrong solutions")
    def test_wrong_solutions_whose_counts_are_off(self) -> None:
        """A refused request that leaves its reference behind; and a failed pin that gives one back twice."""
        import wrong
        kept = wrong.session(3, "refusal-counts", "batch", "continue", "atl check",
                             "python from atl import check; first = int(check.findings()[0].split()[1][:-1], 16)",
                             "python gdb.set_convenience_variable('mfn', first)", "atl frame $mfn")  # fmt: skip
        self.assertRegex(kept[1], r"^frame 0x\w+: counts \d+ references, \d+ are found: \d+ references? that nobody holds\n")
        self.assertIn(kept[1].splitlines()[0], kept[4])
        lost = wrong.session(3, "pin-error-twice", "bases", "continue", "atl check")
        self.assertRegex(lost[1], r"^frame 0x\w+: counts \d+ references, \d+ are found: \d+ references? held and not counted\n")

    def test_before_there_is_anything(self) -> None:
        said = debug(1, "hello", "atl check")
        self.assertIn("error: atl check:", said[0])
        self.assertNotIn("Traceback", said.whole)


if __name__ == "__main__":
    unittest.main()
