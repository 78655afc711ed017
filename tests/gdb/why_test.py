# SPDX-License-Identifier: MIT
"""`atl why` of a hypervisor that is right: what guests did, and what the machine says itself."""

import re
import unittest

from sessions import ROOT, debug


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


class Why(unittest.TestCase):
    def test_there_is_nothing_to_tell(self) -> None:
        said = debug(1, "hello", "atl why", "break do_console_write", "continue", "atl why", "atl why 1")
        self.assertIn("has not started yet", said[0])
        self.assertIn("nothing has gone wrong so far", said[3])
        self.assertIn("say: atl why", said[4])

    def test_a_crash_that_was_asked_for_is_told_without_a_record_too(self) -> None:
        """The build for use remembers nothing: its console does."""
        orders = ("break do_console_write", "continue", "call (void)crash_machine(0, domains.slots[0].name)", "atl why")
        for build in ("atelier-debug.elf", "atelier.elf"):
            with self.subTest(build=build):
                said = debug(1, "hello", *orders, more=("--hypervisor", str(ROOT / "build" / build)))
                self.assertIn("The hypervisor crashed: domain 0.", said[3])
                self.assertIn("in its call console_write(" if build == "atelier-debug.elf" else "The hypervisor", said[3])

    @unittest.skipUnless(list(ROOT.glob("labs/lab2-*")), "comes with lab 2")
    def test_page_faults_of_a_guest(self) -> None:
        """What upcall_exception() is told is what the processor said."""
        look = ("continue", "output/x fault", "output error", "output/x regs.eip", "output regs.cs & 3", "atl why")
        said = debug(2, "traps", "break upcall_exception if vector == 14", *look * 4)
        for address, error, eip, ring, why in (said.said[i + 2:i + 7] for i in range(0, 24, 6)):
            text = flat(why)
            self.assertIn("domain 0's: page fault", text)
            self.assertIn(f"a {'write to' if int(error) & 2 else 'read of'} {address}", text.replace("instruction fetch from", "read of"))
            self.assertIn(f"at {eip}", text)
            self.assertIn("its kernel" if ring == "1" else "a program of it, in ring 3", text)
            if int(error) & 1 == 0:
                self.assertIn("not present", text)
            elif int(error) & 2 and int(address, 16) < 0xFC000000:
                self.assertIn("read only", text)
