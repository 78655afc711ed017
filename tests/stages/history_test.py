#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests the repositories that the cutter writes: their ids, their corrections, and that students' work merges."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small  # noqa: E402

from cutter import history, stage  # noqa: E402
from small import git  # noqa: E402


class Repositories(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.root = small.make(self.folder / "course")
        self.dest = self.folder / "student"

    def write(self, dest: Path | None = None, solutions: bool = False) -> dict[str, bool]:
        return history.write(stage.load(self.root), self.root, dest or self.dest, solutions)

    def tips(self, dest: Path) -> dict[str, str]:
        return dict(reversed(line.split()) for line in git(dest, "for-each-ref", "--format=%(objectname) %(refname:short)").splitlines())

    def correct(self) -> None:
        small.commit(self.root, {"src/one.h": "int one_do(int a);\nint one_given(void);\n"})

    def test_each_branch_stands_on_the_one_before_and_holds_its_step(self) -> None:
        self.assertEqual(self.write(), {"lab1-one": True, "lab2-two": True})
        self.assertEqual(git(self.dest, "rev-parse", "lab2-two^"), git(self.dest, "rev-parse", "lab1-one"))
        self.assertEqual(set(git(self.dest, "ls-tree", "-r", "--name-only", "lab2-two").split()),
                         set(stage.cut(stage.load(self.root), 2, "step")))
        self.assertEqual(git(self.dest, "symbolic-ref", "HEAD").strip(), "refs/heads/lab1-one")

    def test_the_same_input_gives_the_same_ids(self) -> None:
        self.write()
        self.write(self.folder / "other")
        self.assertEqual(self.tips(self.dest), self.tips(self.folder / "other"))

    def test_staff_have_the_students_commits_and_fresh_and_solved_on_them(self) -> None:
        self.write()
        self.write(self.folder / "staff", solutions=True)
        staff = self.tips(self.folder / "staff")
        self.assertEqual({name: staff[name] for name in ("lab1-one", "lab2-two")}, self.tips(self.dest))
        self.assertEqual(git(self.folder / "staff", "rev-parse", "lab2-two-fresh^", "lab2-two-solved^").split(), [staff["lab2-two"]] * 2)

    def test_cutting_again_without_a_change_does_nothing(self) -> None:
        self.write()
        before = self.tips(self.dest)
        self.assertEqual(self.write(), {"lab1-one": False, "lab2-two": False})
        self.assertEqual(self.tips(self.dest), before)

    def test_a_correction_is_a_commit_on_each_branch_and_nothing_is_rewritten(self) -> None:
        self.write()
        old = self.tips(self.dest)
        self.correct()
        self.assertEqual(self.write(), {"lab1-one": True, "lab2-two": True})
        new = self.tips(self.dest)
        self.assertEqual(git(self.dest, "rev-parse", "lab1-one^").strip(), old["lab1-one"])
        self.assertEqual(git(self.dest, "rev-parse", "lab2-two^1", "lab2-two^2").split(), [old["lab2-two"], new["lab1-one"]])
        git(self.dest, "merge-base", "--is-ancestor", old["lab2-two"], new["lab2-two"])
        self.assertIn("one_given", git(self.dest, "show", "lab2-two:src/one.h"))

    def test_a_correction_of_the_second_lab_leaves_the_first(self) -> None:
        self.write()
        old = self.tips(self.dest)
        small.commit(self.root, {"src/two.h": "int two_do(int b);\n"})
        self.assertEqual(self.write(), {"lab1-one": False, "lab2-two": True})
        self.assertEqual(git(self.dest, "rev-list", "--parents", "-1", "lab2-two").split()[1:], [old["lab2-two"]])

    def test_a_finished_lab_takes_the_next_and_later_corrections_without_conflict(self) -> None:
        self.write()
        git(self.folder, "clone", "-q", str(self.dest), "work")
        work = self.folder / "work"
        mine = "int mine(void);\n" + (work / "src/one.c").read_text().replace('exercise_missing("1.1")', "a + 41")
        (work / "src/one.c").write_text(mine)
        git(work, "commit", "-q", "-a", "-m", "lab 1")
        self.correct()
        self.write()
        git(work, "pull", "-q", "--no-edit", "--no-rebase", "origin", "lab2-two")
        self.assertEqual((work / "src/one.c").read_text(), mine)
        self.assertIn("one_given", (work / "src/one.h").read_text())
        self.assertIn("exercise_missing", (work / "src/two.c").read_text())


if __name__ == "__main__":
    unittest.main()
