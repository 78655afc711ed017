# SPDX-License-Identifier: MIT
"""The result model: what is written can be read again, and nothing else can."""

import json
import unittest

from atelier_grader import result
from atelier_grader.result import Environment, Exercise, Finding, Ignored, Lab, Result, Submission, Test, Tool

WHOLE = Result(
    Lab(3, "paging", "Who owns a page table?"),
    Submission("ada.zip", "00" * 32, ("src/frame.c",), (Ignored("Makefile", "it is not yours to change"),)),
    "1", Environment("bubblewrap", (Tool("qemu", "7.2.22"),)), result.GRADED, "", 4, 9,
    (Exercise("3.1", "Types", 9, 4, ("types", "types-all")),),
    (Test("types", "3.1", "qemu+bochs", "public", 4, 4, result.PASSED, instructions=123456, seed="1"),
     Test("types-all", "3.1", "host", "hidden", 5, 0, result.FAILED, "wrong observation", "host", "A frame has two types.",
          (Finding("type of frame 7", "2", "3"),), 4, (), None, (), "1", "make gdb LAB=3 TEST=types-all SEED=1")))


class ResultTest(unittest.TestCase):
    def test_what_is_written_is_read_again(self) -> None:
        self.assertEqual(result.from_json(result.to_json(WHOLE)), WHOLE)

    def test_the_format_comes_first_and_is_checked(self) -> None:
        text = result.to_json(WHOLE)
        self.assertTrue(text.startswith('{\n  "format": 1,'))
        with self.assertRaisesRegex(result.ResultError, "no result of format 1"):
            result.from_json(text.replace('"format": 1', '"format": 2'))

    def test_what_is_no_result_is_refused_in_one_line(self) -> None:
        def changed(change) -> str:
            value = json.loads(result.to_json(WHOLE))
            change(value)
            return json.dumps(value)

        for why, text in (
                ("no JSON", "["),
                ("no JSON", "[" * 100_000),
                ("result.score has the wrong type", changed(lambda v: v.update(score="4"))),
                ("result.score has the wrong type", changed(lambda v: v.update(score=True))),
                ("result: notes is missing", changed(lambda v: v.pop("notes"))),
                ("result.lab: x is missing, or unknown", changed(lambda v: v["lab"].update(x=1))),
                (r"result.tests\[1\].findings is no list", changed(lambda v: v["tests"][1].update(findings={}))),
                ("a status is none", changed(lambda v: v["tests"][0].update(status="fine")))):
            with self.subTest(why=why), self.assertRaisesRegex(result.ResultError, why) as caught:
                result.from_json(text)
            self.assertNotIn("\n", str(caught.exception))

    def test_no_text_can_steer_a_terminal(self) -> None:
        self.assertEqual(result.clean("a\x1b[2J\r\n\u202eb\udc80"), "a\\x1b[2J\\r\\n\\u202eb\\udc80")
        self.assertEqual(result.clean("x" * 50, 10), "x" * 7 + "...")


if __name__ == "__main__":
    unittest.main()
