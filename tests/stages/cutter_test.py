#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests the cutter on a small course: each of its four means, and what it refuses."""

import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small  # noqa: E402

from cutter import CutError, source, stage  # noqa: E402


class Small(unittest.TestCase):
    """With a course under self.root."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = small.make(Path(folder.name) / "course")

    def cut(self, number: int, kind: str) -> dict[str, str]:
        return {name: file.text for name, file in stage.cut(stage.load(self.root), number, kind).items()}

    def refused(self, text: str, number: int = 1, kind: str = "step") -> None:
        with self.assertRaises(CutError) as caught:
            self.cut(number, kind)
        self.assertIn(text, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))


class Files(Small):
    def test_a_file_of_a_later_lab_is_its_stand_in_or_absent(self) -> None:
        tree = self.cut(1, "solved")
        self.assertEqual(tree["src/two.c"], "int two_do(int a) { return 0; }\n")
        self.assertNotIn("src/two.h", tree)
        self.assertIn("src/two.h", self.cut(2, "step"))

    def test_a_later_lab_s_handout_and_pictures_are_absent(self) -> None:
        small.commit(self.root, {f"handouts/{name}": "\n" for name in ("lab1-one.md", "lab2-two.md", "pictures/lab2-how.svg", "style.md")})
        self.assertEqual({n for n in self.cut(1, "fresh") if n.startswith("handouts/")}, {"handouts/lab1-one.md", "handouts/style.md"})
        self.assertIn("handouts/pictures/lab2-how.svg", self.cut(2, "step"))

    def test_no_student_gets_what_is_the_staff_s(self) -> None:
        for kind in stage.KINDS:
            names = set(self.cut(2, kind))
            self.assertFalse([n for n in names if re.search("starter|before|student|notes.txt|course.toml", n)])
            self.assertIn("README.md", names)

    def test_only_public_tests_and_what_they_are_made_of_are_handed_out(self) -> None:
        tests = {n for n in self.cut(2, "solved") if n.startswith("labs/lab2-two/tests/")}
        self.assertEqual({Path(n).name for n in tests}, {"open-two.c", "open-two.py", "shared-open.h"})
        self.assertFalse([n for n in self.cut(1, "solved") if n.startswith("labs/lab2")])

    def test_solved_is_the_tree_itself(self) -> None:
        tree, all_files = self.cut(2, "solved"), small.files()
        for name in ("src/one.c", "src/two.c", "src/shared.c", "Makefile"):
            self.assertEqual(tree[name], all_files[name])

    def test_a_pattern_that_names_nothing_is_refused(self) -> None:
        small.commit(self.root, {"labs/course.toml": 'staff = ["gone/"]\n'})
        self.refused("labs/course.toml: staff names gone/")


class Lines(Small):
    def test_a_tagged_line_is_absent_before_its_lab(self) -> None:
        self.assertNotIn("2,", self.cut(1, "solved")["src/shared.c"])
        self.assertIn("2,\t/* lab 2 */", self.cut(2, "step")["src/shared.c"])
        self.assertEqual(self.cut(1, "step")["Makefile"], "all:\n")

    def test_a_tag_within_a_line_is_text(self) -> None:
        text = b"a /* lab 2 */ b\n'# lab 2'\n"
        self.assertEqual(stage.untag(text, 1), text)


class Functions(Small):
    def test_step_and_fresh_and_solved_differ_by_who_is_solved(self) -> None:
        unsolved = {kind: [name for name in ("one", "two") if "exercise_missing" in self.cut(2, kind)[f"src/{name}.c"]]
                    for kind in stage.KINDS}
        self.assertEqual(unsolved, {"step": ["one", "two"], "fresh": ["two"], "solved": []})

    def test_an_exercise_takes_its_helpers_with_it(self) -> None:
        text = self.cut(1, "step")["src/one.c"]
        self.assertEqual(text, '// SPDX-License-Identifier: MIT\n#include "one.h"\n\n/* ---- the call ---- */\n\n'
                         '/*\n * Exercise 1.1. What it must do.\n */\nint one_do(int a)\n{\n\treturn exercise_missing("1.1");\n}\n\n'
                         '/* Given. */\nint one_given(void)\n{\n\treturn 1;\n}\n')

    def test_a_function_that_is_not_there_once_is_refused(self) -> None:
        small.commit(self.root, {"src/one.c": "int other(void)\n{\n\treturn 0;\n}\n"})
        self.refused("labs/lab1-one/lab.toml: exercise 1.1: src/one.c has no one_do")

    def test_a_starter_without_the_function_or_its_contract_is_refused(self) -> None:
        name = "labs/lab1-one/starter/src/one.c"
        small.commit(self.root, {name: "int one_do(int a)\n{\n\treturn 0;\n}\n"})
        self.refused(f"{name}: one_do has no comment")
        small.commit(self.root, {name: "int x;\n"})
        self.refused(f"{name}: exercise 1.1: has no one_do")

    def test_what_drop_names_must_be_there(self) -> None:
        small.commit(self.root, {"src/one.c": small.files()["src/one.c"].replace("SECRET", "OPEN")})
        self.refused("labs/lab1-one/lab.toml: drop names SECRET, which none of its files define")


class Source(unittest.TestCase):
    def test_an_item_is_found_with_its_comment(self) -> None:
        text = ("int a;\n\n/* ---- part ---- */\n/*\n * Why.\n */\nstatic struct {\n\tint x;\n} pair;\n\n"
                "int f(int a,\n      int b)\n{\n\treturn a;\n}\n")
        pair = source.one(text, "pair", "x.c", ("variable",))
        self.assertEqual((pair.first, pair.start, pair.last), (3, 6, 8))
        f = source.one(text, "f", "x.c")
        self.assertEqual((f.first, f.last), (10, 14))

    def test_helpers_go_one_after_another_and_callers_of_given_ones_stay(self) -> None:
        text = ("static int a(void)\n{\n\treturn 0;\n}\n\nstatic int b(void)\n{\n\treturn a();\n}\n\n"
                "static int c(void)\n{\n\treturn 1; /* b() */\n}\n\n"
                "static int table = 1;\n\nint d(void)\n{\n\treturn c() + table;\n}\n")
        self.assertEqual([item.name for item in source.items(source.prune(text, frozenset()))], ["c", "table", "d"])

    def test_one_that_calls_itself_is_not_called(self) -> None:
        text = "static int a(int n);\n\nstatic int a(int n)\n{\n\treturn n ? a(n - 1) : 0;\n}\n\nint b;\n"
        self.assertEqual(source.prune(text, frozenset()), "int b;\n")


if __name__ == "__main__":
    unittest.main()
