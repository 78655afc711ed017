# SPDX-License-Identifier: MIT
"""From runs to points: emulators that must agree, who waits for whom, what an exercise comes to."""

import unittest
from pathlib import Path

from atelier_grader import result, score
from atelier_grader.manifest import Exercise, Manifest
from atelier_grader.manifest import Test as Listed
from atelier_grader.score import Seen
from atelier_grader.trial import Verdict


def listed(name, exercise, needs=(), points=10, emulators=("qemu",), visibility="public"):
    return Listed(name, exercise, points, visibility, emulators, 1, tuple(needs))


def lab(*tests):
    numbers = sorted({test.exercise for test in tests} - {"whole"})
    return Manifest(Path("labs/lab1-x/lab.toml"), 1, "x", "X?", (), (), (), 0,
                    tuple(Exercise(number, f"title {number}", ()) for number in numbers), tests)


def rows(manifest, failed):
    return score.with_waits([score.test(manifest, test, [Seen("qemu", "1", Verdict.WRONG if test.name in failed else Verdict.PASSED)])
                             for test in manifest.tests], manifest)


class Waits(unittest.TestCase):
    def waits(self, failed, *tests):
        return {t.name: t.waits_for for t in rows(lab(*tests), failed) if t.status == result.WAITS}

    def test_who_leans_on_what_failed_waits(self):
        tests = listed("a", "1.1"), listed("b", "1.2", ["1.1"]), listed("c", "1.3")
        self.assertEqual(self.waits("abc", *tests), {"b": ("1.1",)})
        self.assertEqual(self.waits("b", *tests), {})

    def test_who_waits_is_waited_for(self):
        tests = listed("a", "1.1"), listed("b", "1.2", ["1.1"]), listed("c", "1.3", ["1.2"])
        self.assertEqual(self.waits("abc", *tests), {"b": ("1.1",), "c": ("1.2",)})

    def test_in_a_ring_the_first_has_failed(self):
        tests = listed("a", "1.1", ["1.2"]), listed("b", "1.2", ["1.1"]), listed("c", "whole", ["1.1", "1.2"])
        self.assertEqual(self.waits("abc", *tests), {"b": ("1.1",), "c": ("1.1",)})

    def test_an_exercise_with_a_failure_of_its_own(self):
        tests = listed("a", "1.1", ["1.2"]), listed("b", "1.2", ["1.1"]), listed("d", "1.2")
        self.assertEqual(self.waits("abd", *tests), {"a": ("1.2",)})

    def test_a_test_never_waits_for_another_of_its_exercise(self):
        tests = listed("a", "1.1"), listed("b", "1.1")
        self.assertEqual(self.waits("ab", *tests), {})


class Tests(unittest.TestCase):
    TEST = listed("a", "1.1", emulators=("qemu", "bochs"))

    def row(self, *verdicts, test=TEST):
        return score.test(lab(test), test, [Seen(where, "s", verdict, "why") for where, verdict in zip(("qemu", "bochs"), verdicts)])

    def test_emulators_must_agree(self):
        self.assertEqual(self.row(Verdict.PASSED, Verdict.PASSED).score, 10)
        failed = self.row(Verdict.PASSED, Verdict.BUDGET)
        self.assertEqual((failed.score, failed.failed_on, failed.failure), (0, "bochs", "budget used up"))
        self.assertEqual(failed.reproduce, "make gdb LAB=1 TEST=a SEED=s EMU=bochs")

    def test_infra_is_no_zero_and_no_pass(self):
        row = self.row(Verdict.PASSED, Verdict.INFRA)
        self.assertEqual((row.status, row.score, row.reproduce), (result.INFRA, None, ""))
        self.assertEqual(self.row(Verdict.WRONG, Verdict.INFRA).status, result.FAILED)
        self.assertEqual(score.total([row, self.row(Verdict.PASSED, Verdict.PASSED)]), (None, 20))
        self.assertIsNone(score.exercises(lab(self.TEST), [row])[0].score)

    def test_what_could_not_be_run_counts_for_nothing(self):
        rows = [self.row(Verdict.NOT_RUN, Verdict.NOT_RUN), self.row(Verdict.PASSED, Verdict.PASSED)]
        self.assertEqual((rows[0].status, rows[0].score, score.total(rows)), (result.NOT_RUN, None, (10, 10)))
        self.assertEqual(score.exercises(lab(self.TEST), rows)[0].points, 10)

    def test_every_verdict_has_words(self):
        for verdict in Verdict:
            if verdict not in (Verdict.PASSED, Verdict.NOT_RUN, Verdict.INFRA):
                self.assertIn(verdict, score.MEANING)
                self.assertTrue(self.row(verdict).message)

    def test_output_is_shown_of_public_tests_alone(self):
        for visibility, shown in (("public", ("said",)), ("hidden", ()), ("hostile", ())):
            test = listed("a", "1.1", visibility=visibility)
            self.assertEqual(score.test(lab(test), test, [Seen("qemu", "1", Verdict.WRONG, output=("said",))]).output, shown)

    def test_exercises_add_up(self):
        manifest = lab(listed("a", "1.1"), listed("b", "1.1", points=5), listed("c", "whole", points=7))
        found = score.exercises(manifest, rows(manifest, "b"))
        self.assertEqual([(e.number, e.score, e.points, e.tests) for e in found], [
            ("1.1", 10, 15, ("a", "b")), ("whole", 7, 7, ("c",))])


if __name__ == "__main__":
    unittest.main()
