# SPDX-License-Identifier: MIT
"""38 ways to get points, or the grader's machine, without the work. Each scores as if nothing had been written, or is refused.

attacks/NN-slug/attack.toml says what each is, what is expected, and holds the submissions (`try`) that are C on top of
lab 1's files, as handed out or solved; archives, repositories and folders of a class are made here. Around each: nobody
opens the canary, nobody calls the listener, nothing is left running, no report shows anything unescaped, and it is over in time.

The first try of each runs always; all of them, and the reference beside each, with ATELIER_ATTACKS=all.
"""

import csv
import ctypes
import gzip
import hashlib
import html
import io
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import tarfile
import time
import tomllib
import unittest
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest import mock

import html5lib
from lxml import etree

from atelier_grader import classrun, classtable, grade, judge, manifest, result, sandbox, tree, trial
from atelier_grader.grade import Options
from atelier_grader.report import FORMATS, NoScore
from atelier_grader.result import Result

from . import course as courses
from .fakes import HERE

ROOT = HERE.parent.parent
ALL = os.environ.get("ATELIER_ATTACKS") == "all"
FILE = "src/hypercall.c"
FILES = (FILE, "src/hypercall.h", "src/guest_copy.c", "src/guest_copy.h")
SECONDS = 400.0  # no attack may take longer, on a busy machine
SECRET = "nobody-may-read-this-4711"
# Where an attack's code is called from, in the files as handed out and as solved.
CALLS = {
    (FILE, False): ('\texercise_missing("1.1");', "\tattack();"),
    (FILE, True): ("\thypercalls.rows = rows;", "\thypercalls.rows = rows;\n\tattack();"),
    ("src/guest_copy.c", False): ('\texercise_missing("1.2");', "\tattack();"),
    ("src/guest_copy.c", True): ("\treturn addr.n <=", "\tattack();\n\treturn addr.n <="),
}


def attacks() -> dict[int, tuple[str, dict]]:
    found = {}
    for path in sorted((HERE / "attacks").glob("*/attack.toml")):
        found[int(path.parent.name.split("-")[0])] = (path.parent.name, tomllib.loads(path.read_text()))
    return found


@cache
def handed_out() -> Path:
    """Lab 1 as it is handed out, built."""
    base = tree.base(ROOT, 1, 2, lambda text: None)
    base.release()
    return base.path


class Canary:
    """A file that nobody may open, watched by the kernel whatever namespace who opens it is in."""

    OPENED = 0x20 | 0x2 | 0x1  # IN_OPEN, IN_MODIFY, IN_ACCESS

    def __init__(self, case: unittest.TestCase):
        self.path = courses.folder(case) / "canary.h"
        self.path.write_text(f'#error "{SECRET}"\n')
        libc = ctypes.CDLL(None, use_errno=True)
        self.watch = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self.watch >= 0 and libc.inotify_add_watch(self.watch, os.fsencode(self.path), self.OPENED) >= 0
        case.addCleanup(os.close, self.watch)

    def touched(self) -> bool:
        try:
            return bool(os.read(self.watch, 4096))
        except BlockingIOError:
            return self.path.read_text() != f'#error "{SECRET}"\n'


def fill(text: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        text = text.replace(f"@{name}@", value)
    return text


def sources(one: dict, places: dict[str, str]) -> dict[str, bytes]:
    """The files of a submission."""
    name, solved = one.get("file", FILE), one.get("solved", False)
    files = {file: ((ROOT if solved else handed_out()) / file).read_text() for file in FILES}
    text, code = files[name], one.get("code", "")
    for old, new in one.get("change", ()):
        assert old in text, old
        text = text.replace(old, new, 1)
    if "void attack(void)\n" in code:
        old, new = CALLS[name, solved]
        assert old in text
        at = text.rindex("#include")
        text = (text[:at] + '#include "crash.h"\n#include "console.h"\n' * (name == FILE) + text[at:]).replace(
            '#include "machine.h"\n', '#include "machine.h"\n\nvoid attack(void);\n', 1).replace(old, new, 1)
        if "void attack(void);\n" not in text:
            text = text.replace('#include "guest_copy.h"\n', '#include "guest_copy.h"\n\nvoid attack(void);\n', 1)
    files[name] = text + "\n" + fill(code, places)
    content = {file: text.encode() for file, text in files.items()}
    if "@CRLF@" in code:
        content[name] = text.replace("\n", "\r\n").encode()
    content[name] = content[name].replace(b"@LATIN1@", b"\xe4\xff").replace(b"@ESC@", b"\x1b").replace(b"@NUL@", b"int \0x;")
    return content | {file: fill(text, places).encode() for file, text in one.get("files", ())}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def solution() -> dict[str, bytes]:
    return {name: (ROOT / name).read_bytes() for name in FILES}


class Attacks(unittest.TestCase):
    def setUp(self):
        self.canary = Canary(self)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.addCleanup(self.listener.close)
        deep = "(" * 200000
        self.places = {
            "CANARY": str(self.canary.path), "PORT": str(self.listener.getsockname()[1]), "ROOT": str(ROOT), "BASE": str(handed_out()),
            "DEEP": f"int deep = {deep}1{')' * 200000};", "LARGE": "/*" + "x" * (50 << 20) + "*/", "CRLF": "",
            "WARNINGS": "".join(f"static int unused{i};\n" for i in range(10_000))}

    # ---- what holds for every one of them ----

    def safe(self, graded: Result) -> None:
        """Nothing of the machine is in a report, and nothing that a reader would obey."""
        self.assertFalse(self.canary.touched(), "the canary was opened")
        with self.assertRaises(BlockingIOError):
            self.listener.accept()
        for name, render in FORMATS.items():
            try:
                text = render(graded)
            except NoScore:
                continue
            with self.subTest(report=name):
                self.assertNotIn(SECRET, text)
                self.assertNotIn("SEEN", text)
                self.assertRegex(text, r"\A[\n\r -~\u00a0-\uffff]*\Z")
                if name == "html":
                    page = html5lib.parse(text, namespaceHTMLElements=False)
                    self.assertFalse([e for e in page.iter() if e.tag in ("script", "img", "iframe") or any(a.startswith("on") for a in e.attrib)])
                elif name == "junit":
                    etree.fromstring(text.encode())
                elif name in ("json", "gradescope", "prairielearn"):
                    json.loads(text)
                elif name == "csv":
                    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
                    self.assertFalse([cell for cell in cells if re.match(r"[=+@\t\r-]", cell) and not re.fullmatch(r"-?\d+", cell)])

    def grade(self, submission: Path, **options) -> Result:
        first, start = sandbox.new_user(), time.monotonic()
        graded = grade.grade(submission, 1, Options(**{"test": "table", "root": ROOT, "jobs": 1} | options))
        self.assertLess(time.monotonic() - start, SECONDS)
        self.assertEqual(processes(first, sandbox.new_user()), [], "something is left running")
        self.safe(graded)
        return graded

    def scores(self, submission: Path, **options) -> None:
        graded = self.grade(submission, **options)
        self.assertEqual((graded.status, graded.score), (result.GRADED, graded.points), (graded.message, graded.tests))

    def refused(self, submission: Path, why: str) -> None:
        graded = self.grade(submission)
        self.assertEqual((graded.status, graded.score), (result.REFUSED, 0))
        self.assertRegex(graded.message, why)

    # ---- those that are C ----

    def tries(self, number: int) -> None:
        """The first try, or all of them."""
        for one in attacks()[number][1]["try"][:None if ALL else 1]:
            with self.subTest(one["name"]):
                if ALL:
                    with ThreadPoolExecutor() as pool:
                        beside = pool.submit(grade.grade, write(courses.folder(self), solution()), 1,
                                             Options(test="range", root=ROOT, jobs=1))
                        self.attempt(one)
                        self.assertEqual(beside.result().score, beside.result().points)
                else:
                    self.attempt(one)

    def attempt(self, one: dict) -> None:
        folder = write(courses.folder(self), sources(one, self.places))
        options = {"test": one.get("test", "table"), "emulator": one.get("emulator")}
        limits = replace(grade.PROGRAM, cpu=one["cpu"]) if "cpu" in one else grade.PROGRAM
        with mock.patch.object(grade, "PROGRAM", limits):
            graded = self.grade(folder, **options)
        status = one.get("status", "any")
        if status != "any":
            self.assertEqual(graded.status, status, graded.message)
        if one.get("score") == "full":
            self.assertEqual((graded.status, graded.score), (result.GRADED, graded.points), (graded.message, graded.tests))
        elif not (one.get("status") == "any"):
            self.assertIn(graded.score, (0, None), graded.tests)
        said = "\n".join([graded.message, *(f"{t.failure}: {t.message} {t.findings} {t.output}" for t in graded.tests)])
        self.assertRegex(said, one.get("says", "."))
        self.assertLess(len(said), 10_000)
        if "ignored" in one:
            self.assertEqual(len(graded.submission.ignored), one["ignored"])
        if "failed_on" in one:
            self.assertEqual([test.failed_on for test in graded.tests], [one["failed_on"]])
        if one.get("twice"):
            again = self.grade(folder, **options)
            self.assertEqual(result.to_json(again), result.to_json(graded))


def processes(first: int | None, last: int | None) -> list[str]:
    """What runs of the users that sandboxes were from one new_user() to another; nothing if we may not choose them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline") if first is not None else ():
        try:
            if first <= path.stat().st_uid < last:
                found.append(path.read_text(errors="replace"))
        except OSError:
            continue
    return found


def _add() -> None:
    for number, (name, about) in attacks().items():
        if about.get("try"):
            def run(self, number=number):
                self.tries(number)

            slug = name.replace("-", "_")
            run.__doc__ = f"{about['what']}: {about['expected']}"
            setattr(Attacks, f"test_{slug}", run)


_add()

if __name__ == "__main__":
    unittest.main()
