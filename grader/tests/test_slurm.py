# SPDX-License-Identifier: MIT
"""A class on a Slurm cluster that the test starts itself: the same bytes as alone and in a pool."""

import contextlib
import os
import unittest
from pathlib import Path
from unittest import mock

from atelier_grader import classrun

from . import slurm_node, test_class


class Slurm(test_class.Class):
    def setUp(self) -> None:
        super().setUp()
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        (self.place / "slurm").mkdir()
        around = stack.enter_context(slurm_node.cluster(self.place / "slurm"))
        # Slurm's tasks get all of our environment.
        stack.enter_context(mock.patch.dict(os.environ, {"SLURM_CONF": around["SLURM_CONF"], "FAKE_ROOT": str(self.root)}))

    def test_three_roads_lead_to_the_same_bytes(self) -> None:
        self.crowd(8)
        self.submit("refused", "refuse")
        roads = {}
        for name, words in (("serial", ("--jobs", "1")), ("pool", ("--jobs", "3")), ("slurm", ("--jobs", "2", "--slurm", "3"))):
            status, _, complained = self.run_class(*words, "--cache", self.place / f"cache-{name}", out=self.place / name)
            self.assertEqual(status, 0, complained)
            roads[name] = self.left(self.place / name)
        self.assertEqual(len(roads["serial"]), 9 * 2 + 2)
        self.assertEqual(roads["pool"], roads["serial"])
        self.assertEqual(roads["slurm"], roads["serial"])
        self.assertEqual(len(self.graded()), 8 * 3)
        journals = {path.name for path in (self.place / "slurm").glob("journal*")}
        self.assertEqual(journals, {f"journal-{k}-of-3.jsonl" for k in (1, 2, 3)})

    def test_what_a_lost_task_left_is_done_by_the_next_run(self) -> None:
        self.crowd(4)
        self.submit("s001", f"die {self.place}/dead\nrefs passed")
        status, said, complained = self.run_class("--slurm", "2")
        self.assertEqual((status, said), (2, ""))
        self.assertRegex(complained.splitlines()[-1], r"1 of 2 tasks did not come to their end, the first is 2: .*/slurm/2.log says why")
        done = set(classrun.results(self.out))
        status, said, complained = self.run_class("--slurm", "2")
        self.assertEqual(status, 0, complained)
        self.assertEqual(sorted(classrun.results(self.out)), ["s000", "s001", "s002", "s003"])
        self.assertIn("s000", done)
        once = [name for name in self.graded() if name in done]  # one that was cut off may have been graded twice
        self.assertEqual(sorted(once), sorted(done))

    def test_what_sbatch_refuses_is_one_line(self) -> None:
        self.crowd(2)
        status, said, complained = self.run_class("--slurm", "2", "--sbatch=--partition=none")
        self.assertEqual((status, said, complained.count("\n")), (2, "", 1))
        self.assertIn("grade-class: sbatch: sbatch: error: invalid partition specified: none", complained)
        with mock.patch.dict(os.environ, {"PATH": str(Path(self.place))}):
            self.assertIn("sbatch is not there", self.run_class("--slurm", "2")[2])


if __name__ == "__main__":
    unittest.main()
