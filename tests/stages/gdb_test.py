#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The sessions of tests/gdb in the stages of the course: in each solved tree those on tests of its own lab, and one of each
topic that came before. GDB_STAGES=all: all of all the labs that it has.

The trees are those of trees_test.py.
"""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from trees_test import QUIET, labs, put, run  # noqa: E402

SECONDS = 1800


TOPICS = {  # by the lab in which each begins
    1: (
        "domains_test.Domains.test_a_domain_at_its_first_call",
        "pagetable_test.PageTable.test_each_step_names_the_frame_that_the_guest_knows",
        "calls_test.Calls.test_entries_of_a_multicall_with_arguments_and_results",
        "frames_test.Frames.test_who_is_at_an_address",
        "why_test.Why.test_a_crash_that_was_asked_for_is_told_without_a_record_too",
        "printers_test.Printers.test_numbers_frames_and_domains",
        "unwind_test.Hypercalls.test_the_registers_outside_are_those_that_were_saved",
        "reverse_test.WhatCannotBe.test_it_says_what_it_cannot_find",
    ),
    2: (
        "traps_test.Traps.test_a_table_is_what_the_guest_asked_for",
        "events_test.Ports.test_pairs_are_those_that_the_guest_was_given",
        "events_test.Events.test_what_is_pending_and_masked_is_what_the_judge_asked_for",
        "sched_test.Timers.test_an_alarm_is_what_the_guest_set",
    ),
    3: (
        "frames_test.Frames.test_the_directory_is_held_by_who_the_builder_says",
        "check_test.Check.test_counts_and_flags",
    ),
    4: (
        "segments_test.Segments.test_a_gdt_that_a_guest_loaded",
    ),
    5: (
        "sched_test.RunQueue.test_spinners_by_weight",
    ),
    6: (
        "rings_test.Consoles.test_which_rings_there_are",
    ),
    8: (
        "network_test.Rules.test_rules_are_those_that_were_made_and_in_order",
        "network_test.Vifs.test_counters_and_addresses_are_the_judges",
    ),
}


class Sessions(unittest.TestCase):
    def held(self, tree: Path, *words: str, **more: str) -> None:
        done = subprocess.run(["/usr/bin/python3", "-m", "unittest", *words], cwd=tree / "tests/gdb", env={**QUIET, **more},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS,
                              check=False)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])
        ran, skipped = (int((re.search(word, done.stdout) or ["", "0"])[1]) for word in (r"Ran (\d+) test", r"skipped=(\d+)"))
        self.assertGreater(ran - skipped, 0, "no session was held")

    def test_every_stage_has_its_own_and_what_came_before(self) -> None:
        for number in labs():
            with self.subTest(f"lab {number}"):
                tree = put(number, "solved")
                status, said = run(tree, "make", "-j2", "build/atelier.elf", "build/atelier-debug.elf", "mini")
                self.assertEqual(status, 0, said[-2000:])
                if os.environ.get("GDB_STAGES") == "all":
                    self.held(tree, "discover", "-p", "*_test.py")
                    continue
                self.held(tree, "discover", "-p", "*_test.py", ONLY_LAB=str(number))
                if number > 1:
                    self.held(tree, *(name for lab, names in TOPICS.items() if lab < number for name in names))
