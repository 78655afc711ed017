# SPDX-License-Identifier: MIT
"""The command grader/grade: its words, its reports, its status."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
import unittest
from unittest import mock

from atelier_grader import emulator, grade, gradecli, result

from . import course as courses
from . import fakes
from .course import FIRST


class Command(unittest.TestCase):
    def setUp(self):
        self.course = courses.course(self)
        self.submission = courses.folder(self, {"src/first.c": FIRST})

    def call(self, *words):
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            status = gradecli.main([*map(str, words), str(self.submission)], self.course.root)
        return status, out.getvalue(), errors.getvalue()

    def test_text_and_json(self):
        status, out, errors = self.call("--lab", 1, "--test", "program")
        self.assertEqual((status, out.split("\n")[0]), (0, "Lab 1, fake: 50 of 50 points"))
        self.assertIn("program: passed", errors)
        status, out, _ = self.call("--lab", 1, "--test", "program", "--format", "json", "--seed", "7")
        graded = result.from_json(out)
        self.assertEqual((status, graded.score, graded.seed), (0, 50, "7"))

    def test_a_file(self):
        to = self.submission / "out.xml"
        self.assertEqual(self.call("--lab", 1, "--test", "program", "--format", "junit", "--out", to)[:2], (0, ""))
        self.assertTrue(to.read_text().startswith("<?xml"))

    def test_a_key(self):
        key = self.submission / "key"
        key.write_text("0123456789abcdef0123456789abcdef\n")
        graded = result.from_json(self.call("--lab", 1, "--test", "program", "--format", "json", "--key", key)[1])
        self.assertEqual((graded.score, graded.seed, len(graded.tests[0].seed)), (50, "", 16))

    def test_what_makes_no_sense_is_one_line(self):
        for words, why in ((("--lab", 9), "there is no lab 9"), (("--lab", 1, "--test", "x"), "no test that fits"),
                           (("--format", "json"), "--format json is for one lab: add --lab N"),
                           (("--lab", 1, "--key", "/nowhere"), "/nowhere: No such file"),
                           (("--lab", 1, "--test", "program", "--out", "/nowhere/out"), "/nowhere/out: No such file")):
            with self.subTest(words=words):
                status, out, errors = self.call(*words)
                self.assertEqual((status, out), (2, ""))
                self.assertRegex(errors.strip().split("\n")[-1], f"^grade: .*{why}")

    def test_infra_has_a_status(self):
        with mock.patch.object(grade, "_run_program", side_effect=emulator.Infra("broken")):
            status, out, _ = self.call("--lab", 1, "--test", "program")
        self.assertEqual(status, 1)
        self.assertRegex(out, "INFRA")

    def test_told_to_end_it_leaves_nothing(self):
        (self.submission / "src/first.c").write_text(FIRST.replace("\treturn", "\tfor (;;)\n\t\t;\n\treturn"))
        words = ["--lab", "1", "--test", "program", str(self.submission)]
        code = (f"import sys; from pathlib import Path; from atelier_grader import gradecli; "
                f"sys.exit(gradecli.main({words!r}, Path({str(self.course.root)!r})))")
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with self.subTest(number=number):
                place = courses.folder(self)
                process = subprocess.Popen([sys.executable, "-B", "-c", code], cwd=fakes.HERE.parent, stderr=subprocess.PIPE, text=True,
                                           env=os.environ | {"TMPDIR": str(place)}, start_new_session=True)
                self.addCleanup(process.kill)
                while process.poll() is None and not list(place.glob("atelier-grade-*/*/run/output")):
                    time.sleep(0.1)
                process.send_signal(number)
                said = process.communicate(timeout=30)[1]
                self.assertEqual((process.returncode, list(place.iterdir())), (130, []), said)
                self.assertRegex(said, r"(?s)\n.*grade: interrupted\n\Z")
                self.assertNotIn("Traceback", said)

    def test_every_lab(self):
        status, out, _ = self.call("--emulator", "qemu")
        self.assertEqual((status, "Lab 1, fake: 50 of 50" in out, "Lab 2, more" in out), (0, True, True))


if __name__ == "__main__":
    unittest.main()
