# SPDX-License-Identifier: MIT
"""grade-class: a whole class graded, killed, resumed, in parts and in parallel, and what staff get of it."""

import contextlib
import csv
import io
import json
import os
import random
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import html5lib

from atelier_grader import classcli, classrun, classtable, linux, result, similar
from atelier_grader.classrun import ClassError

from . import fake_class, samples

PROGRAM = Path(fake_class.__file__)
MANIFEST = """number = 3
name = "paging"
title = "How can a guest own its page tables without owning the machine?"
editable = ["src/frame.c"]
[[exercise]]
number = "3.1"
title = "References"
file = "src/frame.c"
functions = ["frame_get"]
[[test]]
name = "refs"
exercise = "3.1"
points = 100
visibility = "public"
emulators = ["host"]
"""
CUT = """#!/bin/sh
mkdir -p "$6/src" && cp handed-out.c "$6/src/frame.c"
"""
GIVEN = "\n".join(f"static int given_{i}(int a, int b)\n{{\n\tif (a > b)\n\t\treturn a * {i};\n\treturn b - a;\n}}\n" for i in range(20))
ADA = """int frame_get(struct domain *d, mfn_t mfn)
{
	struct frame *f = find(mfn);

	if (!f || f->owner != d->id)
		return -EPERM;
	if (f->count == COUNT_MAX)
		return -EBUSY;
	f->count++;
	for (unsigned int i = 0; i < 4; i++)
		note(d, f, i, f->count + i);
	return 0;
}
"""
COPY = re.sub(r"\bf\b", "page", ADA).replace("mfn", "number").replace("\t", "    ").replace("return 0;", "/* all mine */ return 0;")
OTHER = """static bool mine(const struct domain *who, const struct frame *what)
{
	return what && what->owner == who->id;
}

int frame_get(struct domain *d, mfn_t mfn)
{
	struct frame *f = find(mfn);
	int error = mine(d, f) ? 0 : -EPERM;

	while (!error && take(&f->count) == RETRY)
		error = again(f) ? 0 : -EBUSY;
	return error;
}
"""


class Class(unittest.TestCase):
    """A tree of a course and a folder of submissions, both made here."""

    plots = False  # they take longer than all the rest

    def setUp(self) -> None:
        if not self.plots:
            patch = mock.patch.object(classtable, "draw", return_value=[])
            patch.start()
            self.addCleanup(patch.stop)
        scratch = tempfile.TemporaryDirectory(prefix="atelier-class-")
        self.addCleanup(scratch.cleanup)
        self.place = Path(scratch.name)
        self.root, self.handed_in, self.out = self.place / "course", self.place / "handed-in", self.place / "out"
        self.file("course/labs/lab3-paging/lab.toml", MANIFEST)
        self.file("course/src/frame.c", GIVEN + OTHER)
        self.file("course/handed-out.c", GIVEN + "int frame_get(struct domain *d, mfn_t mfn)\n{\n\treturn exercise_missing();\n}\n")
        self.file("course/tools/cut", CUT).chmod(0o755)
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        self.handed_in.mkdir()
        self.log = self.place / "log"

    def file(self, name: str, text: str) -> Path:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def submit(self, name: str, marks: str, code: str = "") -> None:
        self.file(f"handed-in/{name}/marks.txt", marks + "\n")
        if code:
            self.file(f"handed-in/{name}/src/frame.c", code)

    def crowd(self, count: int, wait: str = "") -> None:
        for i in range(count):
            ends = [f"{name} {'passed' if i % (k + 2) else 'failed'}"
                    for k, name in enumerate(("refs", "types", "types-recount", "linear"))]
            self.submit(f"s{i:03}", "\n".join([f"{wait} ", *ends, f"comment {i}"]).strip())

    def command(self, *words: object, out: Path | None = None) -> list[str]:
        return ["--lab", "3", *map(str, words), str(self.handed_in), str(out or self.out)]

    def run_class(self, *words: object, out: Path | None = None) -> tuple[int, str, str]:
        return self.call(self.command(*words, out=out))

    def call(self, words: list[str]) -> tuple[int, str, str]:
        said, complained = io.StringIO(), io.StringIO()
        os.environ["FAKE_LOG"] = str(self.log)
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            status = classcli.main(words, self.root, fake_class.grade, fake_class.take, PROGRAM)
        return status, said.getvalue(), complained.getvalue()

    def graded(self, what: str = "end") -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.split()[1] for line in lines if line.startswith(what)]

    def left(self, out: Path | None = None) -> dict[str, bytes]:
        """All that follows from the results alone."""
        base = out or self.out
        files = [*base.glob("results/*/*"), base / "table.csv", base / "tests.csv"]
        return {str(path.relative_to(base)): path.read_bytes() for path in files}


class Grading(Class):
    def test_each_has_its_result_and_the_table_its_row(self) -> None:
        self.submit("ada", "refs passed\ntypes failed")
        self.submit("bob", "refs passed\ntypes passed")
        status, said, _ = self.run_class()
        self.assertEqual(status, 0)
        self.assertRegex(said, r"\[\d/2\] ada  30 of 50  \(\d\.\d s\)")
        self.assertIn("2 graded", said.splitlines()[-1])
        self.assertEqual(classrun.read_result(self.out / "results/ada/result.json").score, 30)
        self.assertIn("types", (self.out / "results/ada/report.html").read_text())
        rows = list(csv.DictReader(io.StringIO((self.out / "table.csv").read_text())))
        self.assertEqual([(r["submission"], r["status"], r["score"], r["3.1"], r["3.2"], r["types"]) for r in rows],
                         [("ada", "graded", "30", "30", "0", "0"), ("bob", "graded", "50", "30", "20", "20")])

    def test_what_is_done_is_not_done_again(self) -> None:
        self.crowd(5)
        self.run_class()
        status, said, _ = self.run_class()
        self.assertEqual((status, len(self.graded())), (0, 5))
        self.assertIn("5 of 5 were done before", said)

    def test_a_changed_submission_seed_or_test_is_graded_again(self) -> None:
        self.crowd(3)
        self.run_class()
        self.submit("s001", "refs passed")
        self.run_class()
        self.assertEqual(self.graded()[3:], ["s001"])
        self.run_class("--seed", "2")
        self.assertEqual(sorted(self.graded()[4:]), ["s000", "s001", "s002"])
        self.file("course/labs/lab3-paging/tests/refs.py", "# other\n")
        self.run_class("--seed", "2")
        self.assertEqual(len(self.graded()), 10)
        self.file("course/grader/atelier_grader/report/html.py", "# other\n")
        self.file("course/labs/lab4-other/tests/x.py", "# other\n")
        self.file("course/README.md", "other\n")
        self.run_class("--seed", "2")
        self.assertEqual(len(self.graded()), 10)

    def test_the_same_files_are_graded_once(self) -> None:
        for name in ("ada", "bob", "cyd"):
            self.submit(name, "wait 0.2\nrefs passed\ntypes failed")
        _, said, _ = self.run_class("--jobs", "3")
        self.assertEqual(len(self.graded()), 1)
        self.assertEqual(said.count("as one that was graded already"), 2)
        self.assertEqual([one.submission.name for one in classrun.results(self.out).values()], ["ada", "bob", "cyd"])

    def test_before_the_deadline_hidden_tests_are_a_number(self) -> None:
        self.submit("ada", "refs passed\ntypes failed\ntypes-recount failed\nlinear passed")
        self.run_class("--nightly")
        text = (self.out / "results/ada/report.html").read_text()
        self.assertIn("30 of 50 points", text)
        self.assertIn("Tests that are not public fail in exercise 3.2.", text)
        for word in ("types-recount", "linear", "step 1 of 9"):
            self.assertNotIn(word, text)
        self.assertEqual(classrun.results(self.out)["ada"].points, 80)
        self.run_class()
        self.assertIn("step 1 of 9", (self.out / "results/ada/report.html").read_text())

    def test_what_could_not_be_run_is_told_and_is_run_once_it_can(self) -> None:
        self.submit("ada", "refs passed\nshell not-run")
        _, said, _ = self.run_class()
        self.assertIn("not run, and no points of anybody's score: shell: Linux is not built in this tree", said)
        self.assertIn("30 of 30", said)
        self.file(f"course/{linux.KERNEL}", "")
        self.run_class()
        self.assertEqual(self.graded(), ["ada", "ada"])

    def test_a_cache_is_shared_between_runs(self) -> None:
        self.crowd(3)
        self.run_class("--cache", self.place / "cache")
        self.run_class("--cache", self.place / "cache", out=self.place / "second")
        self.assertEqual(len(self.graded()), 3)
        self.assertEqual(self.left(), self.left(self.place / "second"))

    def test_infra_is_no_score_and_is_graded_again(self) -> None:
        self.submit("ada", "refs passed\nflush infra")
        self.submit("bob", "raise")
        self.submit("cyd", "refs passed")
        status, said, _ = self.run_class()
        self.assertEqual(status, 1)
        self.assertIn("INFRA, no score, run this again: ada, bob", said)
        rows = {r["submission"]: r for r in csv.DictReader(io.StringIO((self.out / "table.csv").read_text()))}
        self.assertEqual((rows["ada"]["score"], rows["ada"]["3.3"], rows["ada"]["3.1"], rows["bob"]["score"]), ("", "", "30", ""))
        self.assertIn("the grader failed: ZeroDivisionError: in /tmp/grader\\nbob", classrun.results(self.out)["bob"].message)
        self.submit("bob", "refs passed")
        status, said, _ = self.run_class()
        self.assertEqual((status, self.graded("begin").count("ada"), self.graded("begin").count("cyd")), (1, 2, 1))

    def test_what_is_no_submission_is_named(self) -> None:
        self.submit("ada", "refs passed")
        self.submit(".bob", "refs passed")
        self.file("handed-in/notes\x1b.txt", "x")
        _, said, _ = self.run_class()
        self.assertIn("not graded: .bob, notes\\x1b.txt: a submission is a folder, a .zip or a .tar, and begins with no dot\n", said)
        self.assertEqual(list(classrun.results(self.out)), ["ada"])

    def test_long_names_are_told_apart(self) -> None:
        for last in "ab":
            self.submit("x" * 200 + last, f"refs passed\ncomment {last}")
        self.submit("y" * 100, "refs failed")
        self.assertEqual(self.run_class()[0], 0)
        names = sorted(classrun.results(self.out))
        self.assertEqual([len(name) for name in names], [99, 99, 100])
        self.assertRegex(names[0], r"^x{80}\.\.\.[0-9a-f]{16}$")

    def test_what_is_no_ordinary_mistake_is_told_to_staff(self) -> None:
        self.submit("ada", "refs breaks")
        self.submit("bob", "refs failed")
        _, said, _ = self.run_class()
        self.assertIn("no ordinary mistake, look at it: ada: refs crashed the emulator\n", said)
        self.assertRegex((self.out / "table.html").read_text(), "(?s)To be looked at.*ada.*crashed the emulator.*Scores")

    def test_a_refused_submission_has_zero_and_stops_nobody(self) -> None:
        self.submit("ada", "refuse")
        self.submit("bob", "refs passed")
        self.assertEqual(self.run_class()[0], 0)
        self.assertEqual({name: (one.status, one.score) for name, one in classrun.results(self.out).items()},
                         {"ada": ("refused", 0), "bob": ("graded", 30)})

    def test_hostile_folders_are_only_read(self) -> None:
        self.submit("ada", "refs passed")
        os.mkfifo(self.handed_in / "ada/pipe")
        (self.handed_in / "ada/link").symlink_to("/dev/zero")
        (self.handed_in / "ada/loop").symlink_to(".")
        with (self.handed_in / "ada/huge").open("wb") as file:
            file.truncate(1 << 40)
        first = classrun.digest(self.handed_in / "ada")
        (self.handed_in / "ada/link").unlink()
        (self.handed_in / "ada/link").symlink_to("/dev/null")
        second = classrun.digest(self.handed_in / "ada")
        self.assertNotEqual(second, first)
        self.file("handed-in/ada/.git/HEAD", "x")
        self.file("handed-in/ada/src/build/y.o", "x")
        self.assertEqual(classrun.digest(self.handed_in / "ada"), second)

    def test_what_makes_no_sense_is_one_line(self) -> None:
        self.submit("ada", "refs passed")
        self.file("handed-in/bob.zip", "")
        self.file("handed-in/bob.tar.gz", "")
        self.file("short", "x\n")
        for words, why in ((self.command(), "bob.tar.gz and bob.zip are both there"),
                           (["--lab", "4", "a", "b"], "there is no lab 4; this tree has 3"),
                           (["--lab", "3"], "say --lab N, the folder of submissions"),
                           (["--lab", "3", str(self.place / "none"), "b"], "No such file or directory: is this the folder of submissions?"),
                           (["--lab", "3", str(self.root / "src"), "b"], "there is no submission in it"),
                           (self.command("--slurm", "2", "--shard", "1/2"), "--slurm makes shards itself"),
                           (self.command("--key", self.place / "short"), "a key of 1 characters can be guessed"),
                           (["--diff", str(self.place), str(self.place)], "has no results/ in it")):
            if words != self.command():
                (self.handed_in / "bob.zip").unlink(missing_ok=True)
            with self.subTest(why):
                status, said, complained = self.call(words)
                self.assertEqual((status, said, complained.count("\n")), (2, "", 1))
                self.assertIn(why, complained)


    def test_each_is_graded_by_a_process_of_its_own(self) -> None:
        """grader/grade stands in: it keeps its words, and does what the submission's marks say."""
        self.file("sample.json", result.to_json(samples.MIXED))
        self.file("course/grader/grade", """#!/bin/sh
echo "$@" >>../words
while [ "$1" != -- ]; do [ "$1" = --out ] && out=$2; shift; done
. "$2/marks.txt"
""").chmod(0o755)
        self.submit("ada", f"cp {self.place}/sample.json $out; exit 0")
        self.submit("bob", "echo 'grade: no such thing' >&2; exit 2")
        self.submit("cyd", "echo nonsense >$out")
        self.submit("dan", "kill -9 $$")
        key = self.file("key", "0123456789abcdef")
        was = os.getcwd()
        self.addCleanup(os.chdir, was)
        os.chdir(self.root)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(classcli.main(self.command("--key", key), self.root), 1)
            self.assertEqual(classcli.main(self.command(out=self.place / "seeded"), self.root), 1)
        found = classrun.results(self.out)
        self.assertEqual({name: one.score for name, one in found.items()}, {"ada": 30, "bob": None, "cyd": None, "dan": None})
        for name, why in (("bob", "RuntimeError: grader/grade: grade: no such thing"), ("cyd", "ResultError: no JSON"),
                          ("dan", "no reason given")):
            self.assertIn(why, found[name].message)
        words = (self.place / "words").read_text().splitlines()
        self.assertEqual(len(words), 8)
        for line in words[:4]:
            self.assertRegex(line, rf"^--lab 3 --key {key} --jobs 1 --format json --out \S+ -- {self.handed_in}/(ada|bob|cyd|dan)$")
        for line in words[4:]:
            self.assertRegex(line, r"^--lab 3 --seed 1 --jobs 1 ")

    def test_an_interrupt_is_nobodys_result(self) -> None:
        self.file("course/grader/grade", "#!/bin/sh\nexit 130\n").chmod(0o755)
        self.submit("ada", "")
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            self.assertEqual(classcli.main(self.command(), self.root), 130)
        self.assertEqual((said.getvalue().count("\n"), classrun.results(self.out)), (1, {}))


class Journals(Class):
    def start(self, *words: str) -> subprocess.Popen:
        environment = {**os.environ, "FAKE_ROOT": str(self.root), "FAKE_LOG": str(self.log)}
        return subprocess.Popen([str(PROGRAM), *self.command(*words)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                start_new_session=True)

    def test_a_kill_at_any_moment_loses_nothing_and_doubles_nothing(self) -> None:
        self.crowd(24, "wait 0.02")
        rng, kills = random.Random(5), 0
        while True:
            process = self.start("--jobs", "3")
            enough = len(self.graded()) + rng.randrange(1, 8)
            while process.poll() is None and len(self.graded()) < enough:
                time.sleep(0.002)
            time.sleep(rng.random() * 0.03)
            if process.poll() is None and len(self.graded()) < 24:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
            complained = process.stderr.read()
            process.stderr.close()
            if process.wait() >= 0:
                break
        self.assertEqual((process.returncode, complained), (0, b""))
        self.assertGreater(kills, 2)
        lines = classrun.read_journal(self.out / "journal.jsonl")
        done = [line["name"] for line in lines if line["event"] == "done"]
        self.assertEqual(sorted(done), [f"s{i:03}" for i in range(24)])
        # Graded twice at most are those that a kill met in their grading, before they were in the cache: three a kill.
        self.assertLessEqual(len(self.graded()), 24 + 3 * kills)
        undone = self.out.with_name("at-once")
        self.run_class(out=undone)
        self.assertEqual(self.left(), self.left(undone))

    def test_at_whatever_step_it_stops_the_next_run_goes_on(self) -> None:
        """The steps of one submission, each of them the last: a write to the disk, or to the journal."""
        self.submit("ada", "refs passed")
        steps: list[int] = []

        class Killed(BaseException):
            pass

        def dying(call, after: int):
            def replacement(*args, **more):
                if len(steps) >= after:
                    raise Killed
                steps.append(1)
                return call(*args, **more)
            return replacement

        real = {name: getattr(os, name) for name in ("replace", "fsync", "write")}
        after, died = 0, True
        while died:
            out = self.place / f"out{after}"
            steps.clear()
            self.log.unlink(missing_ok=True)
            try:
                for name, call in real.items():
                    setattr(os, name, dying(call, after))
                died = False
                os.environ.pop("FAKE_LOG", None)
                with contextlib.redirect_stdout(io.StringIO()):
                    classcli.main(self.command(out=out), self.root, fake_class.grade, fake_class.take, PROGRAM)
            except Killed:
                died = True
            finally:
                for name, call in real.items():
                    setattr(os, name, call)
            in_cache = bool(list((out / "cache").glob("*.json")))
            status, _, complained = self.run_class(out=out)
            self.assertEqual((status, complained, len(self.graded())), (0, "", int(not in_cache)), f"stopped after {after} steps")
            self.assertEqual(classrun.results(out)["ada"].score, 30)
            after += 1
        self.assertGreater(after, 15)

    def test_a_torn_line_is_no_line(self) -> None:
        self.crowd(3)
        self.run_class()
        journal = self.out / "journal.jsonl"
        whole = journal.read_bytes()
        journal.write_bytes(whole[:-30])
        self.assertEqual(self.run_class()[0], 0)
        self.assertEqual(len(self.graded()), 3)
        self.assertTrue(journal.read_bytes().startswith(whole[:whole.rfind(b"\n", 0, -30)]))
        for line in journal.read_bytes().splitlines():
            json.loads(line)
        journal.write_bytes(b"nonsense\n" + whole)
        self.assertIn("journal.jsonl: line 1 is no line of a journal", self.run_class()[2])

    def test_a_damaged_result_is_made_again(self) -> None:
        self.crowd(2)
        self.run_class()
        (self.out / "results/s000/result.json").write_text("{")
        self.run_class()
        self.assertEqual(sorted(classrun.results(self.out)), ["s000", "s001"])

    def test_two_at_work_in_one_folder_are_one_too_many(self) -> None:
        self.submit("ada", "wait 3\nrefs passed")
        process = self.start()
        while not self.graded("begin"):
            time.sleep(0.05)
        self.assertIn("another grade-class is at work there", self.run_class()[2])
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()


class Parts(Class):
    def test_shards_and_pools_leave_the_same_bytes(self) -> None:
        self.crowd(11)
        self.run_class("--jobs", "1")
        serial = self.left()
        self.assertEqual(len(serial), 24)
        pooled, parted = self.place / "pooled", self.place / "parted"
        self.run_class("--jobs", "4", out=pooled)
        self.assertEqual(self.left(pooled), serial)
        self.log.unlink()
        for k in (3, 1, 2):
            self.assertEqual(self.run_class("--shard", f"{k}/3", out=parted)[0], 0)
            self.assertFalse((parted / "table.csv").exists())
        self.assertEqual(sorted(self.graded()), [f"s{i:03}" for i in range(11)])
        self.assertIn("11 of 11 were done before", self.run_class(out=parted)[1])
        self.assertEqual(self.left(parted), serial)

    def test_no_part_of_nothing(self) -> None:
        for text in ("0/3", "4/3", "1", "a/b", "1/0"):
            with self.subTest(text), self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
                self.run_class("--shard", text)


class Staff(Class):
    plots = True

    def test_the_roster_leads(self) -> None:
        self.submit("ada", "refs passed")
        self.submit("eve", "refs failed")
        roster = self.file("roster.csv", "\ufefflogin,Name,Group\nada,\"King, Ada\",=1+1\nbob,Bob,2\n")
        status, said, _ = self.run_class("--roster", roster)
        self.assertEqual(status, 0)
        self.assertIn("not on the roster: eve", said)
        rows = list(csv.reader(io.StringIO((self.out / "table.csv").read_text())))
        self.assertEqual([row[:5] for row in rows], [
            ["login", "Name", "Group", "status", "score"], ["ada", "King, Ada", "'=1+1", "graded", "30"],
            ["bob", "Bob", "2", "absent", ""], ["eve", "", "", "graded", "0"]])
        for text, why in (("", "is empty"), ("a,b\nx\n", ":2: has 1 cells, and the headings are 2"), ("a\nx\nx\n", ":3: x is there twice")):
            with self.subTest(why), self.assertRaisesRegex(ClassError, why):
                classtable.read_roster(self.file("bad.csv", text))

    def test_figures_of_the_tests(self) -> None:
        marks = [("passed", "passed", "passed"), ("passed", "passed", "failed"), ("passed", "failed", "failed"),
                 ("failed", "failed", "passed"), ("infra", "passed", "passed")]
        for i, (a, b, c) in enumerate(marks):
            self.submit(f"s{i}", f"refs passed\ntypes {b}\nlinear {c}\nflush {a}")
        self.run_class()
        found = {item.name: item for item in classtable.items([*classrun.results(self.out).values(), samples.NOT_BUILT, samples.REFUSED])}
        self.assertEqual((found["refs"].rate, found["refs"].discrimination), (1.0, None))
        self.assertEqual((found["flush"].ran, found["flush"].passed, found["flush"].infra), (4, 3, 1))
        self.assertEqual((found["types"].rate, found["types"].failures), (0.6, (("wrong observation", 2),)))
        # By hand: passed 1 1 0 0 with a rest of 50 40 40 40; means 0.5 and 42.5.
        self.assertAlmostEqual(found["types"].discrimination, 0.577, places=3)

    def test_the_page_stands_alone_and_lets_nothing_out(self) -> None:
        self.submit("<script>alert(1)<", "refs passed")
        self.submit("b", "flush infra")
        self.run_class("--roster", self.file("r.csv", "id,<b>\nb,</td><script>\n"))
        text = (self.out / "table.html").read_text()
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
        tags = {element.tag for element in tree.iter()}
        self.assertFalse(tags & {"script", "b", "link"})
        sources = [element.get("src")[:26] for element in tree.iter() if element.tag == "img"]
        self.assertEqual(sources, ["data:image/svg+xml;base64,"] * 5)

    def test_plots_are_the_same_for_the_same_figures(self) -> None:
        self.crowd(6)
        self.run_class()
        plots = {path.name: path.read_bytes() for path in (self.out / "plots").iterdir()}
        self.assertEqual(sorted(plots), ["discrimination.svg", "instructions.svg", "pass-rate.svg", "scores.svg", "time.svg"])
        self.run_class()
        self.assertEqual({path.name: path.read_bytes() for path in (self.out / "plots").iterdir()}, plots)
        for name, svg in plots.items():
            self.assertIn(b"</svg>", svg, name)

    def test_what_a_change_of_tests_changed(self) -> None:
        self.submit("ada", "refs passed\ntypes failed")
        self.submit("bob", "refs passed\ntypes passed")
        self.submit("cyd", "refs passed\ntypes passed")
        self.submit("dan", "refs passed\nflush passed")
        old, new = self.place / "old", self.place / "new"
        self.run_class(out=old)
        self.assertEqual(self.call(["--diff", str(old), str(old)]), (0, "nothing changed\n", ""))
        self.submit("ada", "refs passed\ntypes passed")
        self.submit("bob", "refs passed\ntypes failed")
        self.submit("dan", "refs passed\nflush infra")
        self.submit("eve", "refs passed")
        self.run_class(out=new)
        status, said, _ = self.call(["--diff", str(old), str(new)])
        self.assertEqual((status, said.splitlines()), (1, [
            "ada: 30 -> 50 (other files were handed in)", "    types: 0 of 20 (FAILED: wrong observation) -> 20 of 20",
            "bob: 50 -> 30 (other files were handed in)", "    types: 20 of 20 -> 0 of 20 (FAILED: wrong observation)",
            "dan: 40 -> infra (other files were handed in)", "    flush: 10 of 10 -> INFRA",
            "eve: only in the new run", "test types: changed for 2, by +0 points in all",
            "test flush: changed for 1, by +0 points in all"]))


class Similar(Class):
    def test_copies_are_found_under_other_names_and_what_was_handed_out_is_nobodys(self) -> None:
        self.submit("ada", "refs passed", GIVEN + ADA)
        self.submit("bob", "refs passed", GIVEN.replace("given_3", "given_3 ") + COPY)
        self.submit("cyd", "refs passed", GIVEN + OTHER)
        self.submit("dan", "refs passed", GIVEN)
        self.submit("eve", "refs passed")
        self.file("course/solutions/lab3-paging/wrong/no-owner.patch",
                  "--- a/src/frame.c\n+++ b/src/frame.c\n@@ -121,5 +121,5 @@\n"
                  " static bool mine(const struct domain *who, const struct frame *what)\n {\n"
                  "-\treturn what && what->owner == who->id;\n+\treturn what;\n }\n \n")
        self.file("last-year/zoe/src/frame.c", GIVEN + ADA.replace("note", "tell"))
        status, said, _ = self.run_class("--similar", "--earlier", self.place / "last-year")
        self.assertEqual(status, 0)
        rows = [tuple(row) for row in csv.reader(io.StringIO((self.out / "similar.csv").read_text()))][1:]
        self.assertEqual({(one, other, kind) for one, other, kind, *_ in rows},
                         {("ada", "bob", "submission"), ("ada", "last-year/zoe", "earlier"), ("bob", "last-year/zoe", "earlier"),
                          ("cyd", "reference", "reference"), ("cyd", "no-owner", "wrong")})
        share, back = next(row[3:] for row in rows if row[:2] == ("ada", "bob"))
        self.assertGreater(min(int(share), int(back)), 70)
        page = (self.out / "similar.html").read_text()
        self.assertIn("never a verdict", page)
        self.assertIn("5 pairs are at least 30 % alike", said)

    def test_only_lines_that_were_not_handed_out_are_ones_own(self) -> None:
        self.assertEqual(similar.own(b"a\n  b\nmine\nc\n", b"a\nb\nc\n"), b"mine\n")
        self.assertEqual(similar.own(b"b\n", b"a\nb\nc\n"), b"")
        self.assertEqual(similar.own(b"\xffx\n", b""), "\ufffdx\n".encode())

    def test_exports(self) -> None:
        self.submit("ada", "refs passed", GIVEN + ADA)
        self.submit("bob", "refs passed", GIVEN + COPY)
        _, said, _ = self.run_class("--export", "jplag", "--export", "moss")
        self.assertEqual(sorted(str(p.relative_to(self.out)) for p in self.out.glob("[jm]*s*/**/*.c") if p.is_file())
                         + sorted(str(p.relative_to(self.out)) for p in self.out.glob("jplag/**/*.c")),
                         ["moss/base/src_frame.c", "moss/submissions/ada/src_frame.c", "moss/submissions/bob/src_frame.c",
                          "moss/submissions/reference-reference/src_frame.c", "jplag/base/src/frame.c", "jplag/new/ada/src/frame.c",
                          "jplag/new/bob/src/frame.c", "jplag/old/reference-reference/src/frame.c"])
        self.assertIn(f"java -jar jplag.jar -l c --new {self.out}/jplag/new --old {self.out}/jplag/old -bc {self.out}/jplag/base", said)
        self.assertIn(f"moss -l c -d -b {self.out}/moss/base/src_frame.c", said)


if __name__ == "__main__":
    unittest.main()
