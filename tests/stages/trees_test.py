#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests the stages of this course: what house-style.md, section 5, promises of the 27 trees and their history.

The trees are left under build/stages/check/, where the next run builds only what changed.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import small  # noqa: E402

from cutter import history, source, stage  # noqa: E402
from small import ROOT, git  # noqa: E402

TREES = ROOT / "build/stages/check"
TELLING = 32  # characters: a shorter line is one declaration or one call, and may well be somebody's own
SIMPLE = {"list_insert(&d->sched.queue, &policy.queue);"}  # what a handed-out body does so that the machine runs at all
SECONDS = 600
BOOT_SECONDS = 120
QUIET = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}

course = lru_cache(maxsize=None)(lambda: stage.load(ROOT))
cut = lru_cache(maxsize=None)(lambda number, kind: stage.cut(course(), number, kind))


def labs() -> list[int]:
    return [lab.number for lab in course().labs]


def run(folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(list(words), cwd=folder, env=QUIET, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=SECONDS, check=False)
    return done.returncode, done.stdout


def boot(folder: Path) -> str:
    """What the console says until the first exercise is missed. Without timers, say, a guest may never end: then we end it."""
    process = subprocess.Popen(["make", "run", "GUEST=mini", "DISK=none"], cwd=folder, env=QUIET, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    clock = threading.Timer(BOOT_SECONDS, lambda: os.killpg(process.pid, signal.SIGTERM))
    clock.start()
    said = ""
    while "is not written yet" not in said and (line := process.stdout.readline()):
        said += line.decode(errors="replace")
    clock.cancel()
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    process.stdout.close()
    process.wait()
    return said


def put(number: int, kind: str) -> Path:
    folder = TREES / f"{course().lab(number).folder}-{kind}"
    stage.write(cut(number, kind), folder)
    return folder


def body(text: str, name: str, where: str) -> list[str]:
    item = source.one(text, name, where)
    lines = text.split("\n")[item.start:item.last]
    return [line.strip() for line in lines[lines.index("{") + 1:]]


def without_exercises(path: str, text: str) -> list[str]:
    """The lines of a file that are handed out: not those of its exercises, nor of the helpers that go with them."""
    lab = next((lab for lab in course().labs if path in lab.editable), None)
    if lab:
        text = stage.unsolve(course(), lab, cut(lab.number, "solved"))[path].text
        for name in (name for exercise in lab.exercises for file, name in exercise.functions if file == path):
            text = source.without(text, name)
    return [line.strip() for line in text.split("\n")]


class Texts(unittest.TestCase):
    def test_the_last_lab_solved_is_the_source_itself(self) -> None:
        tree = cut(labs()[-1], "solved")
        here = {name: file for name, file in course().files.items() if name.startswith("src/")}
        own = {name.removeprefix(stage.STUDENT) for name in course().files if name.startswith(stage.STUDENT + "src/")}
        self.assertEqual({name for name in tree if name.startswith("src/")} - own, set(here) - own)
        self.assertEqual([name for name in here if name not in own and tree[name] != here[name]], [])

    def test_the_tour_of_every_stage_leads_to_what_is_there(self) -> None:
        for n in labs():
            tree = cut(n, "step")
            said = set(source.words("\n".join(file.text for name, file in tree.items() if re.match(r"src/.*[.][chS]$", name))))
            for name in re.findall(r"`([a-z_./0-9A-Z]+)`", tree["src/TOUR.md"].text):
                there = name in said or any(path.startswith((f"src/{name}", name)) for path in tree)
                self.assertTrue(there, f"lab {n}: src/TOUR.md names {name}")

    def test_of_the_projects_own_tests_students_get_what_theirs_are_made_of(self) -> None:
        for n in labs():
            folders = {Path(path).parts[1] for path in cut(n, "step") if path.startswith("tests/")}
            self.assertLessEqual(folders, {"gdb", "host", "linux"}, n)

    def test_exercise_files_freeze_with_their_lab(self) -> None:
        for lab in course().labs:
            for kind in ("step", "solved"):
                for path in lab.editable:
                    then = cut(lab.number, kind)[path]
                    changed = [n for n in labs() if n > lab.number and cut(n, kind)[path] != then]
                    self.assertEqual(changed, [], f"{path}, {kind}")

    def test_an_exercise_file_belongs_to_one_lab(self) -> None:
        files = [path for lab in course().labs for path in lab.editable]
        self.assertEqual(sorted(files), sorted(set(files)))

    def test_no_line_of_a_solution_is_handed_out(self) -> None:
        """Lines of exercise functions, against every file of every step; what the given C says too tells nothing."""
        secret: dict[str, str] = {}
        given = {line for name, file in course().files.items() if re.match(r"(src|guestos|tests/host)/.*[chS]$", name)
                 for line in without_exercises(name, file.text)}
        for lab in course().labs:
            for exercise in lab.exercises:
                for path, name in exercise.functions:
                    for line in body(course().files[path].text, name, path):
                        if len(line) >= TELLING and line not in given | SIMPLE and not line.startswith(("*", "/*", "//")):
                            secret[line] = f"{path}: {name}"
        leaks = {(name, line.strip()): n for n in reversed(labs()) for name, file in cut(n, "step").items()
                 for line in file.data.decode(errors="replace").split("\n") if line.strip() in secret}
        self.assertFalse(leaks, "".join(f"\n{name}, from lab {n} on, has a line of {secret[line]}: {line}"
                                        for (name, line), n in sorted(leaks.items())))

    def test_no_stage_speaks_of_what_it_has_not(self) -> None:
        """No tag of a later lab, no include of a file that is not there."""
        for n in labs():
            tree = cut(n, "step")
            for name, file in tree.items():
                if not name.startswith(("src/", "guestos/mini/", "tests/host/")) or not name.endswith((".c", ".h", ".S")):
                    continue
                for included in re.findall(r'^#include "([^"]+)"', file.text, re.MULTILINE):
                    folders = [Path(name).parent, "", "src", "guestos/mini", "tests"]  # its own, and the -I of the builds
                    near = [os.path.normpath(f"{folder}/{included}".lstrip("/")) for folder in folders]
                    self.assertTrue(any(place in tree for place in near), f"lab {n}: {name} includes {included}")


class Merges(unittest.TestCase):
    """The way of students through the branches."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        history.write(course(), ROOT, cls.folder / "student", solutions=False)

    def clone(self, name: str) -> Path:
        git(self.folder, "clone", "-q", str(self.folder / "student"), name)
        git(self.folder / name, "config", "user.name", "Student")
        git(self.folder / name, "config", "user.email", "student@localhost")
        return self.folder / name

    def files(self, work: Path) -> dict[str, bytes]:
        return {name: (work / name).read_bytes() for name in git(work, "ls-files").split("\n")[:-1]}

    def test_solving_and_merging_lab_after_lab_ends_in_each_solved_tree(self) -> None:
        work = self.clone("solver")
        for lab in course().labs:
            if lab.number > 1:
                git(work, "pull", "-q", "--no-edit", "--no-rebase", "origin", lab.folder)
            for path in lab.editable:
                (work / path).write_bytes(cut(lab.number, "solved")[path].data)
            git(work, "commit", "-q", "-a", "-m", f"lab {lab.number}")
            self.assertEqual(self.files(work), {name: file.data for name, file in cut(lab.number, "solved").items()})

    def test_helpers_at_random_places_of_the_exercise_files_survive_every_merge(self) -> None:
        rng = random.Random(5)
        work = self.clone("helper")
        mine: dict[str, bytes] = {}
        for lab in course().labs:
            if lab.number > 1:
                git(work, "pull", "-q", "--no-edit", "--no-rebase", "origin", lab.folder)
            self.assertEqual({path: (work / path).read_bytes() for path in mine}, mine)
            for path in lab.editable:
                lines = (work / path).read_text().split("\n")
                for k in range(rng.randrange(3, 12)):
                    lines.insert(rng.randrange(1, len(lines)), f"/* mine {rng.random()} */ extern int helper_{lab.number}_{k};")
                (work / path).write_text("\n".join(lines))
                mine[path] = (work / path).read_bytes()
            git(work, "commit", "-q", "-a", "-m", f"lab {lab.number}")


class Built(unittest.TestCase):
    """Each of the trees by its own commands."""

    def build(self, number: int, kind: str) -> Path:
        folder = put(number, kind)
        status, said = run(folder, "make", "build/atelier.elf", "build/mini.elf")
        self.assertEqual(status, 0, f"{folder.name}: {said[-2000:]}")
        return folder

    def test_every_step_builds_boots_and_says_what_is_missing(self) -> None:
        for n in labs():
            folder = self.build(n, "step")
            with self.subTest(tree=folder.name):
                self.assertIn("exercise 1.1 is not written yet", boot(folder))

    def public_tests(self, folder: Path, number: int) -> dict[str, str]:
        """What a tree's own grader says of the tree: the tests that were run, and how they ended."""
        status, said = run(folder, "grader/grade", "--lab", str(number), "--format", "json", ".")
        self.assertIn(status, (0, 1), said[-2000:])
        return {test["name"]: test["status"] for test in json.loads(said[said.index("{"):])["tests"] if test["status"] != "not-run"}

    def test_a_fresh_tree_passes_no_test_and_a_solved_one_all(self) -> None:
        for lab in course().labs:
            public = {t.name for t in lab.tests if t.visibility == "public" and t.exercise != "whole"}
            for kind, passes in (("fresh", set()), ("solved", public)):
                with self.subTest(lab=lab.number, kind=kind):
                    tests = self.public_tests(self.build(lab.number, kind), lab.number)
                    self.assertLessEqual(public, set(tests))
                    self.assertEqual({name for name in public if tests[name] == "passed"}, passes)


if __name__ == "__main__":
    unittest.main()
