# SPDX-License-Identifier: MIT
"""`atl gdt`, `atl ldt`, `atl segment`: against the descriptors that lab 4's guests were told to load, as their judges read them."""

import re
import sys
import unittest

import start_day
from sessions import ROOT, debug, needs_lab, told

sys.path.insert(0, str(ROOT / "labs/lab4-segmentation/tests"))

ROW = re.compile(r"^ *(0x\w+)  (?:(0x\w{8})  (0x\w{8})  (\d) +(0x\w{8}|none) +(none|below|to it|ABOVE) +(.*)| +absent)$", re.MULTILINE)
FENCE = 0xFC400000
RESERVED = 0xE000  # selectors


def wanted(r, index: int, d) -> tuple:
    """A row, from the descriptor as it stands: selector, base, limit, DPL, last byte."""
    dpl = d.bits >> 5 & 3
    selector = r.selector(index, dpl)
    if not d.bits & 0x80:
        return (selector,)
    limit = d.limit * 4096 + 4095 if d.bits & 0x8000 else d.limit
    return selector, d.base, limit, dpl, d.runs()[-1][1] if d.offsets() else None


def rows(text: str) -> list[tuple]:
    found = []
    for selector, base, limit, dpl, last, _, _ in ROW.findall(text):
        selector = int(selector, 16)
        if base:
            found.append((selector, int(base, 16), int(limit, 16), int(dpl), None if last == "none" else int(last, 16)))
        else:
            found.append((selector,))
    return found


class Segments(unittest.TestCase):
    maxDiff = None

    @needs_lab(4)
    def test_a_gdt_that_a_guest_loaded(self) -> None:
        import lab4_model as model

        last = told(4, "gdt")["rounds"][-1]
        text = debug(4, "gdt", "continue", "atl gdt 0")[1]
        want = [wanted(last, i, model.settled(d)) for i, d in sorted(last.slots.items()) if (d.low, d.high) != (0, 0)]
        shown = [row for row in rows(text) if row[0] < RESERVED]
        self.assertEqual(shown, want[:40])
        self.assertRegex(text, r"a GDT of 1 frame: 0x\w+\n")

    @needs_lab(4)
    def test_an_ldt_that_a_guest_loaded_and_its_end(self) -> None:
        import lab4_model as model

        there = told(4, "ldt")["rounds"]
        number = next(i for i in range(5, len(there)) if there[i].entries)
        last = there[number]
        said = debug(4, "ldt", "hbreak do_set_ldt", *["continue"] * (number + 2), "atl ldt 0", f"atl segment {last.entries << 3 | 7:#x}",
                     "delete", "continue", "atl ldt 0", "atl segment 0xc")  # fmt: skip
        want = [wanted(last, i, model.settled(d)) for i, d in sorted(last.slots.items()) if (d.low, d.high) != (0, 0)]
        self.assertIn(f"an LDT of {last.entries:,} descriptors", said[number + 3])
        self.assertEqual(rows(said[number + 3]), want[:40])
        self.assertNotEqual(last.entries % 512, 0)  # so that its last frame goes on behind it
        for i in (number + 4, number + 8):
            self.assertIn("there is no such entry", said[i])
        self.assertIn("no LDT", said[number + 7])

    @needs_lab(4)
    def test_the_story_of_lab_4(self) -> None:
        """A thread's segment has its base in the guest's memory, and reaches from there up to the fence; no negative offset."""
        base = told(4, "tls")["cases"][0].program.base
        said = debug(4, "tls", "hbreak serve_trap if domains.slots[0].vcpu.regs.gs == 0x2b", "continue",
                     "atl segment domains.slots[0].vcpu.regs.gs", "atl segment 0x33", "atl segment 3", "atl segment 0xffff")  # fmt: skip
        self.assertIn("selector 0x2b: entry 5 of the GDT of domain 0", said[2])
        self.assertIn(f"base {base:#010x}, limit ", said[2])
        self.assertIn(f"offsets 0x0 to {FENCE - 1 - base:#x}, that is bytes {base:#010x} to {FENCE - 1:#010x}: "
                      "up to the fence, and no further", said[2])
        self.assertIn(f"at a negative offset, such as 0xfffffffc ({base - 4:#010x}), is beyond the limit", said[2])
        self.assertIn("now in GS", said[2])
        self.assertIn("empty: to load it is #GP with error code 0x30", said[3])
        self.assertIn("null selector", said[4])
        self.assertIn("there is no such entry: to load it is #GP with error code 0xfffc", said[5])

    def test_the_reserved_slots_are_those_of_the_interface(self) -> None:
        """public/atelier.h has the selectors and the fence: flat segments of rings 1 and 3, up to it. Ring 0's code ends with the text."""
        said = debug(1, "hello", *start_day.ORDERS, "atl gdt 0", "output/x &text_end", "output/x &cpu_tss", "atl segment 0xe02b",
                     "atl segment 0xe010").said[len(start_day.ORDERS):]  # fmt: skip
        shown = {row[0]: row[1:] for row in rows(said[0])}
        for selector, dpl in ((0xE019, 1), (0xE021, 1), (0xE02B, 3), (0xE033, 3)):
            self.assertEqual(shown[selector], (0, FENCE - 1, dpl, FENCE - 1))
        self.assertEqual(shown[0xE008], (0, int(said[1], 16) - 1, 0, int(said[1], 16) - 1))
        self.assertEqual(shown[0xF008][:2], (int(said[2], 16), 103))
        self.assertRegex(said[0], r"0xe010 .*  ABOVE  data rw\n")
        self.assertIn("code, readable, DPL 3: the hypervisor's, in a reserved slot", said[3])
        self.assertIn("up to the fence, and no further", said[3])
        self.assertIn(f"{(1 << 32) - FENCE:#x} bytes above the fence", said[4])

    def test_descriptors_worked_out_by_hand(self) -> None:
        """Expand-down reaches from behind its limit to 2^32 or 64 KiB; a limit of pages counts 4,096 bytes each."""
        cases = (  # low, high, first and last byte, fence, kind
            (0x0000FFFF, 0x00CFF300, 0, 0xFFFFFFFF, "ABOVE", "data, writable"),  # flat
            (0x0000C3FF, 0x00CFF300, 0, 0xFC3FFFFF, "to it", "data, writable"),
            (0x10000000, 0xBF40F200, 0xBF001000, 0xBF001000, "below", "data, writable"),  # one byte
            (0x00000FFF, 0x0040F600, 0x1000, 0xFFFFFFFF, "ABOVE", "data, writable, expand-down"),
            (0x0000FFFE, 0x00CFF600, 0xFFFFF000, 0xFFFFFFFF, "ABOVE", "data, writable, expand-down"),
            (0x1000FFFE, 0x00CFF600, 0x0, 0xFFF, "below", "data, writable, expand-down"),  # around: one page below its base
            (0x0000FFFF, 0x00CFF600, None, None, "none", "data, writable, expand-down"),
            (0x00000FFF, 0x0000F600, 0x1000, 0xFFFF, "below", "data, writable, expand-down, 16 bits"),
            (0x0000FFFF, 0x004FFA01, 0x10000, 0x10FFFF + 0x0, "below", "code, readable"),
            (0xF0000FFF, 0xFF40F2FF, 0xFFFFF000, 0xFFFFFFFF, "ABOVE", "data, writable"),
            (0xF0001FFF, 0xFF40F2FF, 0xFFFFF000, 0xFFF, "ABOVE", "data, writable"),  # over the top
        )  # fmt: skip
        said = debug(1, "hello", *(f"python from atl.segments import Descriptor; d = Descriptor({low}, {high}); "
                                   "print(d.span, d.reach(), d.kind(), sep='|')" for low, high, *_ in cases))  # fmt: skip
        for (low, high, first, last, fence, kind), text in zip(cases, said.said, strict=True):
            span = "None" if first is None else f"({first}, {last})"
            self.assertEqual(text.strip(), f"{span}|{fence}|{kind}", f"{low:#x} {high:#x}")


if __name__ == "__main__":
    unittest.main()
