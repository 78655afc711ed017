# SPDX-License-Identifier: MIT
"""grader/run-tests: what it prints, and its exit status."""

import contextlib
import io
import unittest
from random import Random

from atelier_grader import cli, judge

from . import fakes


class Command(unittest.TestCase):
    def setUp(self):
        self.tree = fakes.tree(self)

    def run_tests(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(list(words), self.tree.root)
        return status, out.getvalue(), err.getvalue()

    def test_all_pass(self):
        status, out, _ = self.run_tests()
        self.assertEqual(status, 0)
        self.assertEqual(out.splitlines()[-1], "3 passed, 0 failed")

    def test_a_failure_says_what_where_and_how_to_see_it_again(self):
        self.tree.judge("triple", factor=4)
        status, out, _ = self.run_tests("--test", "triple", "--emulator", "qemu", "--seed", "9")
        self.assertEqual(status, 1)
        self.assertIn("FAILED  wrong observation", out)
        self.assertRegex(out, r"three times -?\d+: expected -?\d+, seen -?\d+")
        self.assertIn("and 15 more", out)
        self.assertIn("| (atelier) a fake", out)
        self.assertIn("again: grader/run-tests --lab 1 --test triple --emulator qemu --seed 9", out)
        self.assertEqual(out.splitlines()[-1], "0 passed, 1 failed")

    def test_infra_is_counted_and_named(self):
        (self.tree.root / "build/labs/lab1-fake/tests/program").unlink()
        status, out, _ = self.run_tests("--emulator", "host")
        self.assertEqual(status, 1)
        self.assertIn("1 of the failures are INFRA", out)
        self.assertEqual(out.splitlines()[-1], "0 passed, 1 failed")

    def test_a_judge_that_is_wrong_is_named_with_its_line(self):
        for more, why in (("x = 1 // 0", "ZeroDivisionError: integer division or modulo by zero (line 23)"),
                          ("outside.faults", "outside.faults needs EXCEPTIONS = True"),
                          ("outside.marks", "outside.marks needs MARKS = True, and QEMU"),
                          ("seen.one('echo').size", "the guest's tag 'echo' has no field 'size'")):
            self.tree.judge("triple", more=more)
            _, out, _ = self.run_tests("--test", "triple", "--emulator", "bochs")
            self.assertIn(f"labs/lab1-fake/tests/triple.py: ", out)
            self.assertIn(why, out)

    def test_judge_and_manifest_must_agree(self):
        self.tree.judge("program", settings='EMULATORS = ("qemu",)')
        _, out, _ = self.run_tests("--test", "program")
        self.assertIn("program.py: EMULATORS is ('qemu',), and lab.toml has ('host',)", out)

    def test_those_that_boot_linux_can_be_left_out_or_run_alone(self):
        (self.tree.root / "labs/lab1-fake/tests/triple.c").write_text("// SPDX-License-Identifier: MIT\n/* Linux test */\n")
        for which, names in (("none", ["program"]), ("only", ["triple", "triple"])):
            _, out, _ = self.run_tests("--list", "--linux", which)
            self.assertEqual([line.split()[2] for line in out.splitlines()], names)

    def test_a_test_waits_for_the_exercise_it_needs(self):
        lab = self.tree.root / "labs/lab1-fake/lab.toml"
        lab.write_text(lab.read_text() + 'needs = ["1.1"]\n')
        self.tree.judge("program", factor=4)
        self.assertNotIn("waits", self.run_tests("--emulator", "host")[1])
        self.tree.judge("triple", factor=4)
        self.assertIn("waits for 1.1, which failed too", self.run_tests()[1])

    def test_what_makes_no_sense_is_one_line(self):
        for words, why in ((("--lab", "4"), "there is no lab 4; this tree has 1"),
                           (("--test", "x"), "no test fits; --list shows all")):
            status, out, err = self.run_tests(*words)
            self.assertEqual((status, out, err), (2, "", f"run-tests: {why}\n"))

    def test_the_list(self):
        _, out, _ = self.run_tests("--list")
        self.assertEqual([line.split() for line in out.splitlines()], [
            ["lab1-fake", "1.1", "triple", "qemu", "public", "50"],
            ["lab1-fake", "1.1", "triple", "bochs", "public", "50"],
            ["lab1-fake", "1.2", "program", "host", "hidden", "50"]])

    def test_each_test_is_run_with_each_seed(self):
        status, out, _ = self.run_tests("--emulator", "host", "--seeds", "3")
        self.assertEqual((status, out.splitlines()[-1]), (0, "3 passed, 0 failed"))
        self.assertIn("ok      3 seeds, ", out)
        self.assertEqual(self.run_tests("--seeds", "0")[0], 2)

    def test_the_seeds_that_fail_are_named(self):
        firsts = [Random(int.from_bytes(judge.derive(seed, "inputs", "lab1-fake", "program"), "big")).randrange(-10000, 10000)
                  for seed in "123456"]
        self.tree.judge("program", more=f"if given['numbers'][0] in {[firsts[1], firsts[4]]}: yield Finding(EXERCISE, 'x', 1, 2)")
        status, out, _ = self.run_tests("--emulator", "host", "--seeds", "6")
        self.assertEqual((status, out.splitlines()[-1]), (1, "4 passed, 2 failed"))
        self.assertIn("FAILED  with 2 of 6 seeds: 2 (wrong observation), 5 (wrong observation)", out)
        for seed in (2, 5):
            self.assertIn(f"again: grader/run-tests --lab 1 --test program --emulator host --seed {seed}\n", out)

    def test_equal_seeds_leave_equal_traces(self):
        status, out, _ = self.run_tests("--seeds", "2", "--twice")
        self.assertEqual(status, 0)
        self.assertEqual(out.splitlines()[-2:], ["3 run twice with one seed, 0 of them not the same", "6 passed, 0 failed"])

    def test_a_trace_that_differs_is_a_failure(self):
        for where, name, what in (("qemu", "triple", "memory, counters"), ("bochs", "triple", "memory"), ("host", "program", "output")):
            self.tree.judge(name, size="__import__('os').getpid() % 3000")
            status, out, _ = self.run_tests("--emulator", where, "--twice", "--seed", "7")
            self.assertEqual(status, 1)
            self.assertIn(f"FAILED  seed 7 once more differs in {what}", out)
            self.assertIn(f"--lab 1 --test {name} --emulator {where} --seed 7 --twice --keep", out)
            self.assertEqual(out.splitlines()[-2:], ["1 run twice with one seed, 1 of them not the same", "1 passed, 0 failed"])

    def test_a_tree_without_a_cutter_has_no_solved_ones(self):
        said = "run-tests: this tree has no tools/cut, which makes the solved trees of labs\n"
        self.assertEqual(self.run_tests("--solved"), (2, "", said))

    def test_files_are_kept_where_asked(self):
        keep = self.tree.root / "kept"
        self.run_tests("--keep", str(keep), "--emulator", "qemu")
        self.assertTrue((keep / "lab1-fake" / "triple-qemu" / "serial.txt").exists())


if __name__ == "__main__":
    unittest.main()
