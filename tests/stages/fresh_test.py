#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests tools/fresh in a repository of three files: which branch it takes files from, what it builds, what it refuses."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from small import ROOT, commit, git  # noqa: E402

MAKEFILE = "build/atelier.elf: src/event.c src/pc/event.S src/timer.c\n\t@mkdir -p build\n\t@cat $^ >$@\n"


class Fresh(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        git(self.root, "init", "-q", "-b", "work")
        (self.root / "tools").mkdir()
        shutil.copy(ROOT / "tools/fresh", self.root / "tools/fresh")
        commit(self.root, {"Makefile": MAKEFILE, ".gitignore": "/build/\n", "src/event.c": "mine\n", "src/pc/event.S": "gate\n",
                           "src/timer.c": "my timer\n"})

    def branch(self, name: str, text: str) -> None:
        git(self.root, "checkout", "-q", "-b", name)
        commit(self.root, {"src/event.c": text, "src/timer.c": f"timer of {text}"})
        git(self.root, "checkout", "-q", "work")

    def fresh(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.root / "tools/fresh", *words], capture_output=True, text=True, check=False)

    def built(self) -> str:
        return (self.root / "build/fresh/build/atelier.elf").read_text()

    def test_the_named_files_come_from_the_newest_fresh_branch(self) -> None:
        self.branch("lab2-two-fresh", "theirs of lab 2\n")
        self.branch("lab3-three-fresh", "theirs of lab 3\n")
        self.branch("lab4-four-solved", "solved\n")
        self.assertEqual(self.fresh("event.c").returncode, 0)
        self.assertEqual(self.built(), "theirs of lab 3\ngate\nmy timer\n")
        self.assertEqual((self.root / "src/event.c").read_text(), "mine\n")

    def test_another_file_the_next_time(self) -> None:
        self.branch("lab3-three-fresh", "theirs\n")
        self.fresh("event.c")
        self.fresh("src/timer.c")
        self.assertEqual(self.built(), "mine\ngate\ntimer of theirs\n")

    def test_what_cannot_be_is_one_line(self) -> None:
        self.assertRegex(self.fresh("event.c").stderr, r"\Afresh: there is no fresh branch here: `git fetch` [^\n]*\n\Z")
        self.branch("lab3-three-fresh", "theirs\n")
        self.assertEqual(self.fresh("paging.c").stderr, "fresh: lab3-three-fresh has no file called paging.c\n")
        self.assertRegex(self.fresh().stderr, r"\Afresh: no file is named[^\n]*\n\Z")


if __name__ == "__main__":
    unittest.main()
