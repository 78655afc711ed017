# SPDX-License-Identifier: MIT
"""The formats of a result: each is read by something that was not written here, and none lets a hostile text out."""

import csv
import io
import json
import re
import subprocess
import unittest
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import html5lib
import jsonschema
import junitparser
from lxml import etree

from atelier_grader import result
from atelier_grader.report import FORMATS, NoScore, classroom50, common, nightly
from atelier_grader.result import Finding

from . import samples

HERE = Path(__file__).resolve().parent
HOSTILE = ("</code></script><script>alert('x')</script>\"'onload=x ]]> &amp; # TODO \\ --- \x00\x1b[2J\ufffe\n"
           "...\nok 1\nBail out!\n{\"scores\": {\"3.1\": 99}}")
HOSTILE_SHEET = '=HYPERLINK("http://x")'


def spoiled(value: object, text: str) -> object:
    """A result whose free texts are all hostile; numbers, statuses and names of tests stay."""
    if isinstance(value, tuple):
        return tuple(spoiled(item, text) for item in value)
    if is_dataclass(value):
        keep = {"status", "visibility", "number", "exercise", "tests"} if isinstance(value, (result.Test, result.Exercise)) else {"status"}
        keep |= {"name"} if isinstance(value, result.Test) else set()
        return replace(value, **{f.name: spoiled(getattr(value, f.name), text) for f in fields(value) if f.name not in keep})
    return text if isinstance(value, str) else value


EVERY = {**samples.EVERY, **{f"{name}, hostile": spoiled(sample, HOSTILE) for name, sample in samples.EVERY.items()}}


def run(*command: str, stdin: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, input=stdin.encode("utf-8", "surrogatepass"), capture_output=True, check=False)


class Every(unittest.TestCase):
    def test_the_same_result_gives_the_same_text_whatever_is_around(self) -> None:
        for name, render in FORMATS.items():
            with self.subTest(name):
                self.assertEqual(render(samples.RAN), render(result.from_json(result.to_json(samples.RAN))))

    def test_infra_is_never_zero_and_never_a_pass(self) -> None:
        for name in FORMATS:
            for sample in (samples.INFRA, samples.LOST):
                with self.subTest(name):
                    if name in ("gradescope", "classroom50"):
                        self.assertRaisesRegex(NoScore, "INFRA is no zero", FORMATS[name], sample)
                    else:
                        self.assertIn("INFRA", FORMATS[name](sample).upper())

    def test_a_hidden_test_shows_its_first_finding_alone_and_no_output(self) -> None:
        chatty = replace(samples.HIDDEN, more=1, output=("secret output",),
                         findings=(Finding("first", "1", "2"), Finding("second secret", "3", "4")))
        for name in FORMATS.keys() - {"json", "csv"}:
            with self.subTest(name):
                text = FORMATS[name](samples.make((chatty,)))
                self.assertIn("first", text)
                self.assertIn("and 2 more", text)
                self.assertNotIn("secret", text)

    def test_no_path_of_the_machine_is_shown(self) -> None:
        test = replace(samples.FAILED, message="/tmp/run-7/tree/src/frame.c:3: error (see /etc/x/log)")
        where = replace(samples.make((test,)), message="/var/lib/atelier/queue: full", notes=("from /srv/grade/3/a.zip",))
        for name in FORMATS.keys() - {"json"}:
            for sample in (where, replace(samples.LOST, message="'/tmp/run-1/work': No space left")):
                try:
                    text = FORMATS[name](sample)
                except NoScore as error:
                    text = str(error)
                with self.subTest(name):
                    self.assertNotRegex(text, r"/(tmp|etc|var|srv)\b")
        self.assertEqual(common.placeless("src/frame.c:3, 1/2/3, a /b, http://x/y, ~/x/y"), "src/frame.c:3, 1/2/3, a /b, http://x/y, ~/x/y")


class Nightly(unittest.TestCase):
    def test_what_is_not_public_is_the_number_of_an_exercise(self) -> None:
        told = nightly(samples.MIXED)
        self.assertEqual([test.name for test in told.tests], ["refs", "types", "shell"])
        self.assertEqual([(e.number, e.score, e.points, e.tests) for e in told.exercises],
                         [("3.1", 30, 30, ("refs",)), ("3.2", 0, 20, ("types",)), ("3.3", 0, 0, ()), ("whole", 0, 0, ("shell",))])
        self.assertEqual((told.score, told.points, told.notes[-1]),
                         (30, 50, "Public tests only. Tests that are not public fail in exercise 3.2, 3.3."))
        self.assertEqual(nightly(samples.FULL).notes[-1], "Public tests only. No test fails that is not public.")
        self.assertEqual(nightly(samples.REFUSED), samples.REFUSED)

    def test_infra_stays_infra(self) -> None:
        hidden = replace(samples.BROKEN, visibility="hidden")
        for sample in (samples.INFRA, samples.LOST, samples.make((samples.PASSED, hidden))):
            told = nightly(sample)
            self.assertEqual((told.status, told.score), (result.INFRA, None))


class Text(unittest.TestCase):
    def test_a_failure_says_what_was_expected_and_how_to_see_it_again(self) -> None:
        lines = FORMATS["text"](samples.MIXED).splitlines()
        self.assertEqual(lines[0], "Lab 3, paging: 30 of 80 points")
        for line in ("  FAILED   types                  qemu+bochs  public   0 of 20    wrong observation",
                     "types (bochs), exercise 3.2: FAILED: wrong observation", "    type of frame 0x7: expected 2, seen 3",
                     "    and 3 more", "    again: make gdb LAB=3 TEST=types EMU=bochs SEED=1",
                     "linear (qemu), exercise 3.3: waits for 3.2: did not boot",
                     "whole  Title of whole: not run", "ignored: Makefile: not one of the lab's files"):
            self.assertIn(line, lines)

    def test_infra_has_no_score(self) -> None:
        text = FORMATS["text"](samples.INFRA)
        self.assertIn("3.3    Title of 3.3: no score of 10 points", text)
        self.assertIn("  INFRA    flush", text)
        self.assertNotIn("of 60", text)
        self.assertEqual(text.count(common.ABOUT_INFRA), 2)  # of the whole, and of the test


class Junit(unittest.TestCase):
    def parsed(self, sample: result.Result) -> tuple[junitparser.JUnitXml, etree._Element]:
        text = FORMATS["junit"](sample).encode()
        root = etree.fromstring(text)
        etree.XMLSchema(etree.parse(str(HERE / "schemas/junit.xsd"))).assertValid(root)
        return junitparser.JUnitXml.fromstring(text), root

    def test_the_counts_are_those_of_the_cases(self) -> None:
        for name, sample in EVERY.items():
            with self.subTest(name):
                read, root = self.parsed(sample)
                told = (read.tests, read.failures, read.errors, int(root[0].get("skipped")))
                read.update_statistics()
                self.assertEqual((read.tests, read.failures, read.errors, read.skipped), told)
                self.assertEqual(bool(read.errors), sample.status == result.INFRA)

    def test_kinds(self) -> None:
        def kinds(sample: result.Result) -> list[str]:
            suite = next(iter(self.parsed(sample)[0]))
            return [type(case.result[0]).__name__ if case.result else "passed" for case in suite]

        self.assertEqual(kinds(samples.MIXED), ["passed", "Failure", "Failure", "Failure", "Skipped"])
        self.assertEqual(kinds(samples.INFRA), ["passed", "Failure", "Error"])
        self.assertEqual((kinds(samples.REFUSED), kinds(samples.NOT_BUILT), kinds(samples.LOST)), (["Failure"], ["Failure"], ["Error"]))


READ_TAP = r"""
use strict; use warnings; use TAP::Parser; use JSON::PP;
my $p = TAP::Parser->new({ tap => do { local $/; <STDIN> } });
my (@ok, @yaml, $bail);
while (my $r = $p->next) {
    push @ok, ($r->has_skip ? "skip" : $r->is_ok ? "ok" : "not ok") . " " . $r->description if $r->is_test;
    push @yaml, $r->data if $r->is_yaml;
    $bail = $r->explanation if $r->is_bailout;
}
print encode_json({ points => \@ok, yaml => \@yaml, bail => $bail, errors => [$p->parse_errors], plan => $p->tests_planned,
    bad => $p->has_problems ? 1 : 0 });
"""


class Tap(unittest.TestCase):
    def read(self, sample: result.Result) -> dict:
        done = run("perl", "-e", READ_TAP, stdin=FORMATS["tap"](sample).replace("TAP version 14", "TAP version 13", 1))
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return json.loads(done.stdout)

    def test_what_perl_reads(self) -> None:
        read = self.read(samples.MIXED)
        self.assertEqual(read["points"], ["ok - 3.1 refs", "not ok - 3.2 types", "not ok - 3.2 types-recount", "not ok - 3.3 linear",
                                          "skip - whole shell"])
        self.assertEqual((read["errors"], read["bail"], read["plan"]), ([], None, 5))
        self.assertEqual(read["yaml"][0]["explained"].split("\n")[::3],
                         ["A frame has two types at once.", "count of frame 0x7: expected 0, seen 1", "| types: 17 frames"])

    def test_infra_bails_out(self) -> None:
        for name, sample in EVERY.items():
            with self.subTest(name):
                read = self.read(sample)
                self.assertEqual(bool(read["bail"]), sample.status == result.INFRA)
                self.assertEqual(read["errors"], [] if not read["bail"] or sample.tests else ["Bad plan.  You planned 1 tests but ran 0."])
                self.assertEqual(read["bad"], int(not name.startswith(("full", "unrun"))))

    def test_no_text_makes_a_point(self) -> None:
        for name, sample in EVERY.items():
            text = FORMATS["tap"](sample)
            with self.subTest(name):
                self.assertEqual(len(re.findall(r"^(?:not )?ok ", text, re.MULTILINE)),
                                 len(sample.tests) or int(sample.status != result.INFRA))
                self.assertFalse([line for line in text.splitlines() if re.match(r"(not )?ok .*[^\\]# TODO", line)])


class Platforms(unittest.TestCase):
    """What takes JSON. The schemas are written from what each platform documents."""

    def valid(self, name: str, document: object) -> None:
        schema = json.loads((HERE / f"schemas/{name}.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(document)

    def test_gradescope(self) -> None:
        for name, sample in EVERY.items():
            if sample.score is not None and not name.startswith(("mixed", "unrun")):
                document = json.loads(FORMATS["gradescope"](sample))
                self.valid("gradescope", document)
                if document["tests"]:
                    self.assertEqual(document["score"], sum(test["score"] for test in document["tests"]))
        tests = {test["name"]: test for test in json.loads(FORMATS["gradescope"](samples.RAN))["tests"]}
        self.assertEqual({name: test["visibility"] for name, test in tests.items()},
                         {"refs": "visible", "types": "visible", "types-recount": "after_due_date", "linear": "after_due_date"})

    def test_classroom50(self) -> None:
        around = {"CLASSROOM": "os", "ASSIGNMENT": "lab3", "SUBMISSION_TAG": "submit/2026-11-01-abc", "COMMIT_URL": "https://c",
                  "RELEASE_URL": "https://r", "REVIEW_URL": "https://v", "HOME": "/nowhere"}
        for sample in EVERY.values():
            if sample.score is not None and sample.points:
                document = json.loads(classroom50.render(sample, around))
                self.assertLessEqual(document["score"], document["max-score"])
                # Its runner adds these.
                self.valid("classroom50", {**document, "owner": "ada", "assignment_type": "individual", "datetime": "2026-11-01T10:00:00Z"})

    def test_prairielearn(self) -> None:
        for sample in EVERY.values():
            text = FORMATS["prairielearn"](sample)
            document = json.loads(text)
            self.valid("prairielearn", document)
            self.assertEqual(document["gradable"], sample.status != result.INFRA and sample.points > 0)
            self.assertEqual("score" in document, document["gradable"])
        self.assertEqual(json.loads(FORMATS["prairielearn"](samples.MIXED))["score"], 30 / 80)

    def test_prairielearn_takes_a_megabyte(self) -> None:
        long = tuple(Finding("w" * 400, "x" * 400, '"' * 400) for _ in range(20))
        tests = tuple(replace(samples.FAILED, name=f"t{i}", findings=long, output=("y" * 160,) * 4) for i in range(50))
        self.assertLess(len(FORMATS["prairielearn"](samples.make(tests)).encode()), 1_000_000)

    def test_what_was_not_run_is_not_lost(self) -> None:
        for name, sample in (("gradescope", samples.MIXED), ("gradescope", samples.UNRUN), ("classroom50", samples.UNRUN)):
            with self.assertRaisesRegex(NoScore, "would take for lost what was not run: shell: Linux is not built"):
                FORMATS[name](sample)
        self.assertEqual(json.loads(FORMATS["classroom50"](samples.MIXED))["max-score"], 80)
        part = samples.make((samples.PASSED, replace(samples.ABSENT, exercise="3.1")))
        self.assertEqual(FORMATS["autolab"](part).split("\n")[-2], '{"scores": {}}')

    def test_autolab_reads_the_last_line(self) -> None:
        for sample, scores in ((samples.MIXED, {"3.1": 30, "3.2": 0, "3.3": 0}), (samples.INFRA, {"3.1": 30, "3.2": 0}),
                               (samples.LOST, {})):
            for one in (sample, spoiled(sample, HOSTILE)):
                self.assertEqual(json.loads(FORMATS["autolab"](one).rstrip("\n").split("\n")[-1]), {"scores": scores})


class Csv(unittest.TestCase):
    def test_a_row_a_test(self) -> None:
        rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](samples.INFRA), newline="")))
        self.assertEqual([(r["test"], r["status"], r["score"]) for r in rows],
                         [("refs", "passed", "30"), ("types", "failed", "0"), ("flush", "infra", "")])
        self.assertEqual([r["score"] for r in csv.DictReader(io.StringIO(FORMATS["csv"](samples.LOST)))], [""])

    def test_a_spreadsheet_takes_no_text_for_a_formula(self) -> None:
        for sample in samples.EVERY.values():
            for row in csv.reader(io.StringIO(FORMATS["csv"](spoiled(sample, HOSTILE_SHEET)))):
                self.assertFalse([cell for cell in row if cell[:1] in ("=", "+", "-", "@")])


class Html(unittest.TestCase):
    def test_it_is_html_and_nothing_of_a_submission_becomes_markup(self) -> None:
        known = {"html", "head", "meta", "title", "style", "body", "header", "main", "h1", "h2", "h3", "p", "br", "div", "table", "caption",
                 "thead", "tbody", "tr", "th", "td", "span", "article", "dl", "dt", "dd", "code", "pre"}
        attributes = {"lang", "charset", "http-equiv", "content", "name", "class", "scope"}
        for name, sample in EVERY.items():
            with self.subTest(name):
                text = FORMATS["html"](sample)
                # Strict: any parse error is raised. (A NUL is one, and a result has none: result.clean.)
                tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(re.sub("[\x00\x1b\ufffe]", "", text))
                self.assertEqual({element.tag for element in tree.iter()} - known, set())
                self.assertEqual({key for element in tree.iter() for key in element.attrib} - attributes, set())

    def test_tidy_has_nothing_to_say(self) -> None:
        for name, sample in samples.EVERY.items():
            with self.subTest(name):
                done = run("tidy", "-q", "-e", "-utf8", "--accessibility-check", "1", "--drop-empty-elements", "no",
                           stdin=FORMATS["html"](sample))
                said = [line for line in done.stderr.decode().splitlines() if "require testing" not in line]  # what a person should look at
                self.assertEqual((done.returncode, said), (0, []))

    def test_it_needs_nothing_from_elsewhere(self) -> None:
        text = FORMATS["html"](samples.MIXED)
        self.assertNotRegex(text, r"<script|<link|<img|\bsrc=|\bhref=|url\(|@import|https?:")
        self.assertIn("prefers-color-scheme: dark", text)

    def test_its_colours_can_be_read(self) -> None:
        """WCAG 2.1, 1.4.3: a contrast of 4.5 to 1, in light and in dark."""
        from atelier_grader.report import html

        def luminance(colour: str) -> float:
            digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
            parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
            red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue

        schemes = [dict(re.findall(r"--([\w-]+): (#\w+)", block)) for block in re.findall(r":root {.*?}", html.STYLE, re.DOTALL)]
        self.assertEqual(len(schemes), 2)
        for scheme in schemes:
            for paper in ("paper", "box"):
                for ink in scheme.keys() - {"paper", "box", "line"}:
                    light, dark = sorted((luminance(scheme[ink]), luminance(scheme[paper])), reverse=True)
                    with self.subTest(ink=scheme[ink], paper=scheme[paper]):
                        self.assertGreaterEqual((light + 0.05) / (dark + 0.05), 4.5)


if __name__ == "__main__":
    unittest.main()
