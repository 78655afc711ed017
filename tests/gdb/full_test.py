# SPDX-License-Identifier: MIT
"""With every table full, of 160 domains and all else, each listing takes less than a second of the processor, and fits a terminal."""

import unittest

from sessions import debug, needs_lab

LISTINGS = {"runq": 160, "timers": 160, "events 0": 512, "ports 0": 511, "traps 0": 256, "ring 0": 2, "ring 0 vif-rx": 128, "vif 0": 4,
            "rules": 512, "vbd 0": 64, "disk": 130, "domains": 160}  # and how many lines there are at least
TRIES = 3


@needs_lab(9)
class Full(unittest.TestCase):
    def test_all_listings_are_fast(self) -> None:
        said = debug(9, "read-write", "break disk_done", "continue", "source tests/gdb/full_tables.py",
                     *[f"python timed('{name}', {TRIES})" for name in LISTINGS])
        self.assertNotIn("error:", said.whole)
        for (name, least), printed in zip(LISTINGS.items(), said.said[3:], strict=True):
            with self.subTest(name):
                seconds, lines, widest = printed.split()
                self.assertLess(float(seconds), 1.0)
                self.assertGreaterEqual(int(lines), least)
                self.assertLessEqual(int(widest), 80)
