#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests what staff's grader says of each stage, hidden tests and Linux among them: the solution has every point, the starter none."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "grader")]

from cutter import stage  # noqa: E402

SECONDS = 1200
QUIET = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


class Graded(unittest.TestCase):
    def setUp(self) -> None:
        self.course = stage.load(ROOT)
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def grade(self, number: int, kind: str) -> dict:
        """The result of a stage, handed in."""
        tree = self.folder / f"{number}-{kind}"
        stage.write(stage.cut(self.course, number, kind), tree)
        done = subprocess.run(["grader/grade", "--lab", str(number), "--format", "json", str(tree)], cwd=ROOT, env=QUIET,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])
        return json.loads(done.stdout)

    def test_a_solution_has_every_point_and_a_starter_none(self) -> None:
        for lab in self.course.labs:
            names = {test.name: test.points for test in lab.tests}
            for kind, points in (("solved", names), ("fresh", dict.fromkeys(names, 0))):
                with self.subTest(lab=lab.number, kind=kind):
                    tests = self.grade(lab.number, kind)["tests"]
                    self.assertEqual({test["name"]: test["score"] for test in tests}, points)


if __name__ == "__main__":
    unittest.main()
