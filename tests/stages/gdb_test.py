#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The sessions of tests/gdb in the stages of the course: in each solved tree those on tests of its own lab.

GDB_STAGES=all: of all the labs that it has. The trees are those of trees_test.py.
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


class Sessions(unittest.TestCase):
    def test_every_stage_has_its_own(self) -> None:
        for number in labs():
            with self.subTest(f"lab {number}"):
                tree = put(number, "solved")
                status, said = run(tree, "make", "-j2", "build/atelier.elf", "build/atelier-debug.elf", "mini")
                self.assertEqual(status, 0, said[-2000:])
                only = {} if os.environ.get("GDB_STAGES") == "all" else {"ONLY_LAB": str(number)}
                done = subprocess.run(
                    ["/usr/bin/python3", "-m", "unittest", "discover", "-s", "tests/gdb", "-p", "*_test.py"], cwd=tree,
                    env={**QUIET, **only}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                    timeout=SECONDS, check=False)
                self.assertEqual(done.returncode, 0, done.stdout[-3000:])
                ran, skipped = (int((re.search(word, done.stdout) or ["", "0"])[1]) for word in (r"Ran (\d+) test", r"skipped=(\d+)"))
                self.assertGreater(ran - skipped, 0, "no session was held")
