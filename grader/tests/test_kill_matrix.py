# SPDX-License-Identifier: MIT
"""tools/kill-matrix: what a solution's patch must say, what is run of a right one, and what is said of it then."""

import importlib.util
import unittest
from importlib.machinery import SourceFileLoader

from atelier_grader.emulator import ROOT
from atelier_grader.trial import Outcome, Verdict

from . import fakes

LOADER = SourceFileLoader("kill_matrix", str(ROOT / "tools" / "kill-matrix"))


class RightOnes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tool = importlib.util.module_from_spec(importlib.util.spec_from_loader("kill_matrix", LOADER))
        LOADER.exec_module(cls.tool)

    def setUp(self):
        self.tree = fakes.tree(self)
        self.lab = self.tree.lab()

    def solution(self, folder, text):
        path = self.tree.root / "solutions" / "lab1-fake" / folder / "slug.patch"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n\n--- a/src/fake.c\n+++ b/src/fake.c\n", encoding="utf-8")
        return self.tool.read_solution(path, self.lab)

    def right(self):
        return self.solution("different", "Exercise: 1.1\nDesign: by adding")

    def line(self, *verdicts, broken=()):
        tests = [(test, where) for test in self.lab.tests for where in test.emulators]
        outcomes = [Outcome(self.lab, test, where, "1", v) for (test, where), v in zip(tests, verdicts, strict=False)]
        return self.tool.describe_right(self.right(), outcomes, list(broken))

    def test_a_right_one_names_its_design_and_a_wrong_one_its_tests(self):
        self.assertTrue(self.right().right)
        wrong = self.solution("wrong", "Exercise: 1.2\nCaught-by: triple, program\nMistake: none")
        self.assertEqual((wrong.right, wrong.named), (False, ("triple", "program")))
        for folder, text, why in (("different", "Exercise: 1.1", "no line 'Design'"),
                                  ("wrong", "Exercise: 1.1\nDesign: by adding", "no line 'Caught-by'"),
                                  ("different", "Exercise: 1.7\nDesign: by adding", "no exercise 1.7")):
            with self.subTest(why), self.assertRaisesRegex(self.tool.Failure, why):
                self.solution(folder, text)

    def test_a_right_one_runs_against_all_everywhere(self):
        ran = [(test.name, where) for test, where in self.tool.tests_for(self.right(), False)]
        self.assertEqual(ran, [("triple", "qemu"), ("triple", "bochs"), ("program", "host")])

    def test_all_points(self):
        good, text = self.line(Verdict.PASSED, Verdict.PASSED, Verdict.PASSED)
        self.assertTrue(good)
        self.assertTrue(text.endswith("100 of 100"), text)

    def test_who_refuses_it_is_named_once(self):
        good, text = self.line(Verdict.WRONG, Verdict.BUDGET, Verdict.PASSED)
        self.assertFalse(good)
        self.assertTrue(text.endswith("50 of 100; REFUSED by triple"), text)

    def test_what_could_not_be_run_is_no_pass(self):
        good, text = self.line(Verdict.PASSED, Verdict.PASSED, Verdict.NOT_RUN)
        self.assertFalse(good)
        self.assertTrue(text.endswith("50 of 100; not run: program"), text)

    def test_what_does_not_build_has_no_points(self):
        self.assertEqual(self.line(broken=["does not build: error"])[0], False)
        self.assertTrue(self.line(broken=["does not build: error"])[1].endswith("1.1  does not build: error"))


if __name__ == "__main__":
    unittest.main()
