# SPDX-License-Identifier: MIT
"""Going backwards: each of these sessions comes to its end and finds what it looks for, on a busy machine too.

Once each; REVERSE_RUNS=10: so often. A session that hangs is a failure (sessions.py), and is not tried again.
"""

import os
import unittest
from collections.abc import Callable

from sessions import ROOT, Session, debug

RUNS = int(os.environ.get("REVERSE_RUNS", "1"))
D0 = "domains.slots[0]"


def hunt(lab: int, test: str, *orders: str, before: tuple[str, ...] = ()) -> Callable:
    """A session from the end of a recording backwards; what the function below checks."""
    def make(check: Callable[[unittest.TestCase, Session], None]) -> Callable[[unittest.TestCase], None]:
        def run(self: unittest.TestCase) -> None:
            for time in range(RUNS):
                with self.subTest(run=time):
                    check(self, debug(lab, test, *before, "continue", *orders, reverse=True))
        run.__name__, run.__doc__ = check.__name__, check.__doc__
        return unittest.skipUnless(list(ROOT.glob(f"labs/lab{lab}-*")), f"comes with lab {lab}")(run)
    return make


def last_write(expression: str) -> tuple[str, ...]:
    """Orders that look for the last write of a value, and look at it before and behind it."""
    return (f"output {expression}", f"atl last-write {expression}", f"output {expression}", "stepi", f"output {expression}")


FRAME = "python from atl.model import frame_bytes; import gdb; mfn = int(gdb.parse_and_eval('{}')); was = frame_bytes(mfn)"
SAME = "python print(frame_bytes(mfn) == was)"


class Reverse(unittest.TestCase):
    def is_last(self, said: Session, function: str, at: int = 1) -> None:
        """What last_write() printed, from order @at on: by whom, and a value that becomes the one that stays."""
        end, told, before, _, after = said.said[at:at + 5]
        self.assertRegex(told, function)
        self.assertNotEqual(before, end, told)
        self.assertEqual(after, end, told)

    # ---- to and fro ----

    @hunt(1, "hello", "continue", "continue", "reverse-stepi", "reverse-continue", "reverse-continue", "atl position")
    def test_it_goes_on_at_neither_end(self, said: Session) -> None:
        self.assertIn("recording is over", said[2])
        self.assertIn("instruction 0 of", said[6])

    @hunt(1, "numbers", "atl position 6000000", "output $pc", "atl position 300", "output $pc", "atl position 6,000,000", "output $pc",
          "atl position 0", "continue", "atl position")
    def test_a_position_is_the_same_from_both_sides(self, said: Session) -> None:
        self.assertIn("instruction 6,000,000 of", said[1])
        self.assertIn("instruction 300 of", said[3])
        self.assertEqual(said[2], said[6])
        self.assertNotEqual(said[2], said[4])
        self.assertIn("end of the recording", said[8])

    @hunt(1, "hello", "break do_console_write", "atl position 6,000,000", "atl position 100", "info breakpoints", "continue")
    def test_breakpoints_do_not_stop_it_on_the_way_to_a_position(self, said: Session) -> None:
        self.assertIn("instruction 6,000,000 of", said[2])
        self.assertIn("instruction 100 of", said[3])
        self.assertRegex(said[4], r"breakpoint +keep y ")
        self.assertIn("do_console_write", said[5])

    @hunt(1, "hello", "break do_console_write", "reverse-continue", "atl position", "reverse-continue", "atl position", "continue",
          "atl position")
    def test_breakpoints_stop_it_backwards(self, said: Session) -> None:
        self.assertIn("do_console_write", said[2])
        self.assertIn("do_console_write", said[4])
        self.assertEqual(said[3], said[7])  # and forwards again at the one that was left
        self.assertNotEqual(said[3], said[5])

    @hunt(3, "batch", "hbreak *entry_hypercall", "reverse-continue", "output $cs & 3", "reverse-stepi", "output $cs & 3", "x/i $pc",
          "stepi", "output $pc == entry_hypercall")
    def test_a_step_back_leads_over_the_entry_into_the_guest(self, said: Session) -> None:
        self.assertEqual(("0", "1"), (said[3], said[5]))
        self.assertRegex(said[6], r"int +\$0x82")
        self.assertEqual("1", said[8])

    @hunt(2, "upcall", "hbreak *exit_iret", "reverse-continue", "atl position", "stepi", "output $cs & 3", "reverse-stepi",
          "output $pc == exit_iret", "atl position")
    def test_a_step_back_leads_into_the_exit_to_a_guest(self, said: Session) -> None:
        self.assertEqual("0", str(int("exit_iret" not in said[2])))
        self.assertIn(said[5], ("1", "3"))
        self.assertEqual("1", said[7])
        self.assertEqual(said[3], said[8])

    @hunt(3, "types", "break frame_get_type", "reverse-continue", "output $pc", "reverse-finish", "x/i $pc", "stepi", "output $pc")
    def test_it_leaves_a_function_backwards(self, said: Session) -> None:
        self.assertRegex(said[5], r"call +.*frame_get_type")
        self.assertNotEqual(said[3], "")
        self.assertIn("frame_get_type", said[7])

    @hunt(3, "tables", "break do_mmu_update", "reverse-continue", "delete", "reverse-next", "reverse-step", "atl position", "next", "next")
    def test_it_steps_back_by_lines(self, said: Session) -> None:
        self.assertIn("do_mmu_update", said[2])
        for order in said.said[4:6]:
            self.assertNotIn("error", order)
        self.assertRegex(said[6], "instruction [0-9,]+ of")

    @hunt(2, "traps", "watch crash_context.call", "reverse-continue", "output crash_context.call", "reverse-stepi",
          "output (int)crash_context.call", "reverse-continue", "output (int)crash_context.call", "reverse-continue",
          "output crash_context.call < 26")
    def test_a_watchpoint_backwards_stops_behind_each_write(self, said: Session) -> None:
        self.assertEqual(("9", "-1", "-1", "1"), (said[3], said[5], said[7], said[9]))

    # ---- who wrote this last? ----

    @hunt(3, "batch", "atl position", *last_write("crash_context.call"), "output number", "continue", "atl position")
    def test_the_last_call(self, said: Session) -> None:
        self.is_last(said, "hypercall.c", 2)
        self.assertEqual("9", said[7])  # HYPERCALL_shutdown
        self.assertEqual(said[1], said[9])

    @hunt(1, "multicall", *last_write(f"{D0}.calls.count"))
    def test_the_count_of_calls(self, said: Session) -> None:
        self.is_last(said, "hypercall.c")

    @hunt(2, "ports", *last_write(f"{D0}.events.ports[1].state"), "bt 4")
    def test_the_state_of_a_port(self, said: Session) -> None:
        """Closed, and by its death once more: a write that changes nothing is one, too."""
        self.assertIn("event.c", said[2])
        self.assertEqual(said[1], said[5])

    @hunt(2, "pending", *last_write(f"{D0}.shared->upcall_pending"))
    def test_a_word_of_the_shared_page_whoever_wrote_it_and_by_which_address(self, said: Session) -> None:
        self.is_last(said, "frame 0x.*was written by")

    @hunt(3, "types", f"set $frame = {D0}.paging.base.n", *last_write("frame_table.records[$frame].refs"))
    def test_a_frames_count(self, said: Session) -> None:
        self.is_last(said, r"frame\.c|paging\.c", 2)

    @hunt(3, "tables", FRAME.format(f"{D0}.paging.base.n"), f"atl last-write {D0}.paging.base", SAME, "stepi", SAME)
    def test_an_entry_of_a_page_directory(self, said: Session) -> None:
        self.assertRegex(said[2], r"frame 0x\w+ \(4096 bytes\) was written by the hypervisor")
        self.assertRegex(said[2], r"machine_write_entry|mmu\.c|paging\.c")
        self.assertIn("False", said[3])
        self.assertIn("True", said[5])

    @hunt(5, "vtime", *last_write(f"{D0}.policy.avt"))
    def test_a_domains_virtual_time(self, said: Session) -> None:
        self.is_last(said, "sched_policy.c")

    @hunt(6, "order", *last_write("domains.slots[1].rings.rings[0][0].taken"))
    def test_the_index_of_a_ring(self, said: Session) -> None:
        self.is_last(said, "ring.c")

    @hunt(7, "grow", *last_write(f"{D0}.memory.owned.count"))
    def test_how_many_frames_a_domain_has(self, said: Session) -> None:
        self.is_last(said, "frame_pool.c")

    @hunt(8, "rules", *last_write("vfr.count"))
    def test_the_number_of_rules(self, said: Session) -> None:
        self.is_last(said, "vfr.c")

    @hunt(9, "transfer", *last_write("vbd.free_io_count"))
    def test_the_number_of_requests_under_way(self, said: Session) -> None:
        self.is_last(said, "close_io")


class WhatCannotBe(unittest.TestCase):
    def test_a_machine_alive_does_not_go_on_behind_its_end(self) -> None:
        said = debug(1, "hello", "continue", "continue", "stepi", "atl domains")
        self.assertIn("about to stop", said[0])
        self.assertIn("stays so", said[1])
        self.assertIn("stays so", said[2])
        self.assertIn("domain 0", said[3])

    def test_a_machine_that_runs_has_no_past(self) -> None:
        said = debug(1, "hello", "atl position", "atl position 5", "atl last-write crash_context.call")
        for text in said.said:
            self.assertIn("only a recording knows its instructions: make gdb REVERSE=1", text)

    def test_it_says_what_it_cannot_find(self) -> None:
        said = debug(1, "hello", "continue", "atl position", "atl last-write nobody", "atl last-write hypercall_table", "atl position",
                     "atl last-write 0x100:0x1000", "atl last-write 0x100 5000", "atl last-write", "atl position 99999999999", reverse=True)
        self.assertIn('nobody: no frame, address or expression: No symbol "nobody"', said[2])
        self.assertIn("has written to", said[3])
        self.assertIn("nothing", said[3])
        self.assertEqual(said[1], said[4])
        self.assertIn("bytes 0 to 0xfff", said[5])
        self.assertIn("1 to 4096", said[6])
        self.assertIn("say: atl last-write", said[7])
        self.assertIn("the recording has", said[8])
