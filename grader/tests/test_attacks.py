# SPDX-License-Identifier: MIT
"""38 ways to get points, or the grader's machine, without the work. Each scores as if nothing had been written, or is refused.

attacks/NN-slug/attack.toml says what each is, what is expected, and holds the submissions (`try`) that are C on top of
lab 1's files, as handed out or solved; archives, repositories and folders of a class are made here. Around each: nobody
opens the canary, nobody calls the listener, nothing is left running, no report shows anything unescaped, and it is over in time.

The first try of each runs always; all of them, and the reference beside each, with ATELIER_ATTACKS=all.
"""

import contextlib
import csv
import ctypes
import functools
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import socket
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

from atelier_grader import build, classrun, classtable, grade, manifest, result, sandbox, similar, tree, trial
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
            return False


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
        self.first = sandbox.new_user()
        self.canary = Canary(self)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.addCleanup(self.listener.close)
        deep, shut = "(" * 60_000, ")" * 60_000
        self.places = {
            "CANARY": str(self.canary.path), "PORT": str(self.listener.getsockname()[1]), "ROOT": str(ROOT), "BASE": str(handed_out()),
            "DEEP": f"int deep = {deep}1{shut};", "LARGE": "/*" + "x" * (50 << 20) + "*/", "CRLF": "",
            "WARNINGS": "".join(f"static int unused{i};\n" for i in range(10_000))}

    def tearDown(self):
        self.nothing_left()

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
                    self.assertFalse([e for e in page.iter() if e.tag in ("script", "img", "iframe")
                                      or any(a.startswith("on") for a in e.attrib)])
                elif name == "junit":
                    etree.fromstring(text.encode())
                elif name in ("json", "gradescope", "prairielearn"):
                    json.loads(text)
                elif name == "csv":
                    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
                    self.assertFalse([cell for cell in cells if re.match(r"[=+@\t\r-]", cell) and not re.fullmatch(r"-?\d+", cell)])

    def grade(self, submission: Path, **options) -> Result:
        start = time.monotonic()
        graded = grade.grade(submission, 1, Options(**{"test": "table", "root": ROOT, "jobs": 1} | options))
        self.assertLess(time.monotonic() - start, SECONDS)
        self.assertEqual(graded.environment.sandbox, "bubblewrap")
        self.assertNotEqual(graded.status, result.INFRA, graded.message)  # that is no defence: it would be graded again
        self.safe(graded)
        return graded

    def nothing_left(self) -> None:
        """Nothing runs of the sandboxes that there were, now that nobody waits for them."""
        self.assertEqual(processes(self.first, sandbox.new_user()), [], "something is left running")

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
                self.nothing_left()

    def attempt(self, one: dict) -> None:
        folder = write(courses.folder(self), sources(one, self.places))
        options = {"test": one.get("test", "table"), "emulator": one.get("emulator")}
        cpu = {"cpu": one["cpu"]} if "cpu" in one else {}
        with mock.patch.object(grade, "PROGRAM", replace(grade.PROGRAM, **cpu)), \
                mock.patch.object(build, "LIMITS", replace(build.LIMITS, **cpu)):
            graded = self.grade(folder, **options)
        full = one.get("score") == "full"
        self.assertEqual((graded.status, graded.score), (one.get("status", result.GRADED), graded.points if full else 0),
                         (graded.message, graded.tests))
        said = "\n".join([graded.message, *(f"{t.failure}: {t.message} {t.findings} {t.output}" for t in graded.tests)])
        if not full:
            self.assertRegex(said, one["says"])
        self.assertLess(len(said), 10_000)
        if "ignored" in one:
            self.assertEqual(len(graded.submission.ignored), one["ignored"])
        if "failed_on" in one:
            self.assertEqual([test.failed_on for test in graded.tests], [one["failed_on"]])
        if one.get("twice"):
            again = self.grade(folder, **options)
            self.assertEqual(result.to_json(again), result.to_json(graded))

    # ---- 2 ----

    def test_02_recorded_transcript(self):
        lab = next(lab for lab in manifest.load_all(ROOT) if lab.number == 1)
        test = next(test for test in lab.tests if test.name == "range")
        given = trial.ask(lab, test, "host", "1").given
        right = [addr + count * (size or 1) <= 0xfc000000 for addr, count, size in given["ranges"]]
        words = [sum(bit << i for i, bit in enumerate(right[at:at + 32])) for at in range(0, len(right), 32)]
        record = (f"static const uint32_t record[] = {{ {', '.join(map(hex, words))} }};\n\nstatic bool next(void)\n{{\n"
                  "\tstatic uint32_t at;\n\n\tuint32_t i = at++ % 4000;\n\n\treturn record[i / 32] >> i % 32 & 1;\n}\n\n")
        files = sources({"file": "src/guest_copy.c"}, {})
        text = files["src/guest_copy.c"].decode().replace('#include "guest_copy.h"\n', '#include "guest_copy.h"\n\n' + record, 1)
        text = text.replace('exercise_missing("1.2");\n\treturn false;', "return next();")
        folder = write(courses.folder(self), files | {"src/guest_copy.c": text.encode()})
        self.scores(folder, test="range", seed="1")  # it is what a run of the reference says
        for options in ({"seed": "2"}, {"key": b"k" * 32}):
            self.assertEqual(self.grade(folder, test="range", **options).score, 0)

    # ---- 16, 17: archives ----

    def tar(self, *members: tuple[tarfile.TarInfo | str, bytes], mode: str = "w") -> Path:
        path = courses.folder(self) / "in.tar"
        with tarfile.open(path, mode, format=tarfile.PAX_FORMAT) as archive:
            for name, content in (*((name, content) for name, content in solution().items()), *members):
                info = tarfile.TarInfo(name) if isinstance(name, str) else name
                info.size = len(content) if content else info.size
                archive.addfile(info, io.BytesIO(content) if content else None)
        return path

    def zip(self, *members: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
        path = courses.folder(self) / "in.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in (*solution().items(), *members):
                archive.writestr(name, content)
        return path

    def special(self, name: str, kind: bytes, to: str = "", mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.mode = kind, to, mode
        return info, b""

    def test_16_archives(self):
        outside = courses.folder(self)
        out = str(outside / "out")
        climb = "../" * 12 + out[1:]
        for name in (climb, out, "src/../../x", "..\\..\\x", "C:\\x"):
            with self.subTest(name=name):
                self.refused(self.tar((name, b"x")), "leads out of the archive")
                self.refused(self.zip((name, b"x")), "leads out of the archive")
        self.refused(self.tar((FILE, b"int x;\n")), "there twice")
        self.refused(self.zip((FILE, b"int x;\n")), "there twice")
        canary = str(self.canary.path)
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
            with self.subTest(kind=kind):
                path = courses.folder(self) / "in.tar"
                with tarfile.open(path, "w") as archive:
                    archive.addfile(self.special(FILE, kind, canary)[0])
                self.refused(path, f"{FILE} is a")
        large = tarfile.TarInfo("sparse")
        large.size = 1 << 40
        path = courses.folder(self) / "in.tar"
        path.write_bytes(large.tobuf() + bytes(1 << 16))
        self.refused(path, "more than 256 MiB")
        with self.many(1_000_000 if ALL else 25_000) as path:
            self.refused(path, "more than .*20,000 files")
        twins = self.grade(self.tar(("SRC/Hypercall.c", b"int x;\n"), ("src/._hypercall.c", b"x"), (".git/config", b"[core]\n"),
                                    ("new\nline\x1b[2J", b"x"),
                                    ("p/" * 480 + "x", b"x"), self.special("setuid", tarfile.REGTYPE, mode=0o6777),
                                    self.special("out", tarfile.SYMTYPE, str(outside)), ("out/planted", b"x")))
        self.assertEqual((twins.score, twins.points), (5, 5), twins)
        self.assertIn("it is not src/hypercall.c, only nearly", [one.why for one in twins.submission.ignored])
        self.assertEqual(list(outside.iterdir()), [])
        self.refused(self.tar(("p/" * 2048 + "x", b"x")), "no file can be called")
        if ALL:
            self.scores(self.zip())

    def many(self, count: int):
        path = courses.folder(self) / "many.tgz"
        with tarfile.open(path, "w:gz", compresslevel=1) as archive:
            for i in range(count):
                archive.addfile(tarfile.TarInfo(f"f{i}"))
        return contextlib.nullcontext(path)

    def test_17_archive_bombs(self):
        folder = courses.folder(self)
        zeros = self.zip(("zeros", bytes(200 << 20)))
        self.assertLess(zeros.stat().st_size, 1 << 20)
        if ALL:
            self.scores(zeros)
            self.scores(self.zip(("inner.zip", zeros.read_bytes())))
        source = self.zip()
        self.refused(self.zip(("src/guest_copy.S", b""), ("lab1/" + FILE, b"x" * (1 << 20))), f"lab1/{FILE} has more than 256 KiB")
        with gzip.open(folder / "bomb.tgz", "wb", 9) as file:
            info = tarfile.TarInfo("zeros")
            info.size = 300 << 20
            file.write(info.tobuf())
            for _ in range(300):
                file.write(bytes(1 << 20))
        self.refused(folder / "bomb.tgz", "more than 256 MiB")
        # 1,000 entries that lie over one another, each of 200 MiB: they are no files of the lab, so nobody unpacks them.
        (folder / "over.zip").write_bytes(overlapping(zeros.read_bytes()))
        self.scores(folder / "over.zip")
        encrypted = bytearray(source.read_bytes())
        encrypted[encrypted.index(b"PK\1\2") + 8] |= 1
        for name, content, why in (
                ("encrypted.zip", bytes(encrypted), f"{FILE} is encrypted"), ("cut.zip", source.read_bytes()[:2000], "that can be read"),
                ("cut.tgz", (folder / "bomb.tgz").read_bytes()[:900], "that can be read|more than 256 MiB"),
                ("text.zip", b"PASS\n", "that can be read"), ("wrong.tar", b"\x1f\x8b\x08\0" + bytes(100), "that can be read"),
                ("empty.zip", b"", "that can be read")):
            with self.subTest(name=name):
                (folder / name).write_bytes(content)
                self.refused(folder / name, why)
        shutil.copy(source, folder / "a-zip.tar")
        if ALL:
            self.scores(folder / "a-zip.tar")

    # ---- 18: git ----

    def git(self, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
        work = write(courses.folder(self), files)
        for name, to in (links or {}).items():
            (work / name).unlink(missing_ok=True)
            (work / name).symlink_to(to)
        call = functools.partial(subprocess.run, cwd=work, check=True, capture_output=True,
                                 env={"PATH": os.defpath, "HOME": str(work), "GIT_CONFIG_NOSYSTEM": "1"})
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "x"),
                      ("clone", "-q", "--bare", ".", str(work / "bare.git"))):
            call(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words])
        return work / "bare.git"

    def test_18_git_repositories(self):
        ran = courses.folder(self)
        ran.chmod(0o777)
        evil = f"touch {ran}/ran; touch {self.canary.path}; cat"
        path = self.git(solution() | {".gitattributes": b"*.c filter=evil export-subst ident\n",
                                      ".gitmodules": f'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch {ran}/ran"\n'.encode()})
        with (path / "config").open("a") as config:
            config.write(f'[core]\n\trepositoryformatversion = 99\n\tfsmonitor = "{evil}"\n\tsshCommand = "{evil}"\n\tpager = "{evil}"\n'
                         f'\thooksPath = hooks\n\talternateRefsCommand = "{evil}"\n'
                         f'[filter "evil"]\n\tsmudge = "{evil}"\n\tclean = "{evil}"\n\tprocess = "{evil}"\n[diff]\n\texternal = "{evil}"\n'
                         f'[alias]\n\tls-tree = "!{evil}"\n\tcat-file = "!{evil}"\n[include]\n\tpath = {self.canary.path}\n'
                         f'[uploadpack]\n\tpackObjectsHook = "{evil}"\n[remote "origin"]\n\tpromisor = true\n\turl = ext::sh -c "{evil}"\n')
        for hook in ("post-checkout", "pre-auto-gc", "fsmonitor-watchman", "reference-transaction"):
            (path / "hooks").mkdir(exist_ok=True)
            (path / "hooks" / hook).write_text(f"#!/bin/sh\n{evil}\n")
            (path / "hooks" / hook).chmod(0o755)
        self.scores(path)  # the twin: read as if none of it were there
        self.assertEqual(list(ran.iterdir()), [])
        for name, to in (("link", str(self.canary.path)), ("zero", "/dev/zero")):
            with self.subTest(name=name):
                self.refused(self.git(solution(), {FILE: to}), f"{FILE} is a link")
        (path / "objects/info").mkdir(exist_ok=True)
        (path / "objects/info/alternates").write_text("/\n")
        self.refused(path, "borrows from another")
        (path / "objects/info/alternates").unlink()
        for pack in (path / "objects/pack").glob("*.pack"):
            pack.chmod(0o644)
            pack.write_bytes(pack.read_bytes()[:40] + b"\xff" * (64 << 20))
        shutil.rmtree(path / "objects/info", ignore_errors=True)
        for loose in (path / "objects").glob("??/*"):
            loose.chmod(0o644)
            loose.write_bytes(b"\xff" * 100)
        self.refused(path, "commit [0-9a-f]{12} cannot be read, or is empty")

    # ---- 19: links ----

    def test_19_links(self):
        for to in (str(self.canary.path), str(ROOT / FILE), "/dev/zero", "/proc/self/environ"):
            with self.subTest(to=to):
                folder = write(courses.folder(self), solution())
                (folder / FILE).unlink()
                (folder / FILE).symlink_to(to)
                self.refused(folder, f"{FILE} is a link")
        folder = courses.folder(self)
        (folder / "src").symlink_to(ROOT / "src")
        self.refused(folder, "none of the files")

    # ---- 27: what feedback tells ----

    def test_27_feedback_as_oracle(self):
        graded = self.grade(write(courses.folder(self), sources({}, {})), test="nest", key=b"k" * 32)
        test = graded.tests[0]
        self.assertEqual((graded.score, len(test.findings) <= 1, test.output, graded.seed), (0, True, (), ""))
        other = self.grade(write(courses.folder(self), sources({"code": "/* other */\n"}, {})), test="nest", key=b"k" * 32)
        self.assertNotEqual(other.tests[0].seed, test.seed)

    # ---- 31: the tree that is kept ----

    def test_31_poisoned_cache(self):
        before = contents(handed_out())
        self.tries(31)
        self.assertEqual(contents(handed_out()), before)
        self.scores(write(courses.folder(self), solution()), test="range")

    # ---- 32 to 34: a class ----

    def run_class(self, handed_in: Path, out: Path) -> list[classrun.Done]:
        lab = result.Lab(1, "hypercalls", "x")
        run = classrun.Run(lab, 5, out, lambda path: self.grade(path, test="range"), "decided")
        return list(classrun.grade_all(run, classrun.entries(handed_in)))

    def test_32_names(self):
        handed_in, out = courses.folder(self), courses.folder(self)
        names = ("<script>alert(1)</script>".replace("/", "\u2215"), "=cmd|' C calc'!A0", '"; touch x; "', "\u202egnp.exe", "a\nb\x1b[2J",
                 "x\\..\\..\\y", "plain")
        for name in names:
            write(handed_in / name, solution())
        (handed_in / "..tar").write_bytes(b"")  # without its suffix it would be the folder itself
        done = self.run_class(handed_in, out)
        self.assertEqual(len(done), len(names))
        self.assertEqual({path.parent for path in out.glob("results/*/")} | {out / "results"}, {out / "results"})
        for one in done:
            self.assertEqual(one.result.score, 5)
            self.safe(one.result)
        with mock.patch.object(classtable, "draw", lambda *given: []):
            classtable.write(out, "lab", [one.name for one in done], classtable.Roster())
        for page in out.rglob("*.html"):
            parsed = html5lib.parse(page.read_text(), namespaceHTMLElements=False)
            self.assertFalse([e for e in parsed.iter() if e.tag == "script"])
        for table in out.glob("*.csv"):
            self.assertFalse([c for row in csv.reader(io.StringIO(table.read_text())) for c in row if re.match("[=@\t\r\u202e]", c)])

    def test_33_state_of_a_class(self):
        handed_in, out = courses.folder(self), courses.folder(self)
        for name in ("ada", "results", "cache"):
            write(handed_in / name, sources({}, {}))
        full = replace(self.grade(write(courses.folder(self), solution()), test="range"))
        for name in ("result.json", "results/ada/result.json", "journal.jsonl", "journal.lock", ".git/index.lock"):
            write(handed_in / "ada", {name: result.to_json(full).encode()})
        self.assertEqual({one.result.score for one in self.run_class(handed_in, out)}, {0})
        # Damage to the staff's own copy is found, and graded again.
        for text in ("", "{" * 100_000, '{"format": 1, "score": 5}'):
            (out / "results/ada/result.json").write_text(text)
            for cached in (out / "cache").glob("*.json"):
                cached.write_text(text)
            self.assertEqual({one.name: one.result.score for one in self.run_class(handed_in, out)}["ada"], 0)
        with self.assertRaisesRegex(classrun.ClassError, "another grade-class is at work"):
            journal = classrun.Journal(out / "journal.jsonl")
            self.addCleanup(journal.close)
            self.run_class(handed_in, out)

    def test_34_copies(self):
        own = {"src/hypercall.c": (ROOT / FILE).read_bytes()}
        copy = {FILE: re.sub(rb"\b(args|entry|chunk|missed|done)\b", rb"my_\1", own[FILE]).replace(b"\t", b"    ")}
        starter = {FILE: (handed_out() / FILE).read_bytes()}
        other = {FILE: b"int alone(int x)\n{\n\twhile (x-- > 3)\n\t\tx ^= x << 2;\n\treturn x;\n}\n" * 9}
        pairs = similar.compare(courses.folder(self), {"ada": own, "bob": copy, "cyd": other}, {}, starter)
        self.assertEqual([{pair.one, pair.other} for pair in pairs], [{"ada", "bob"}])
        self.assertGreater(pairs[0].most, 80)


def contents(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink()}


def overlapping(data: bytes) -> bytes:
    """A zip's directory with its last entry 1,000 times, all of them over the same bytes."""
    at, end = data.rindex(b"PK\1\2"), data.rindex(b"PK\5\6")
    entry = data[at:end]
    directory = int.from_bytes(data[end + 16:end + 20], "little")
    more = b"".join(entry.replace(b"zeros", f"z{i:04}".encode()) for i in range(1000))
    size, count = end - directory + len(more), 5 + 1000
    tail = b"PK\5\6" + bytes(4) + count.to_bytes(2, "little") * 2 + size.to_bytes(4, "little") + directory.to_bytes(4, "little") + bytes(2)
    return data[:end] + more + tail


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
            if not hasattr(Attacks, f"test_{slug}"):
                setattr(Attacks, f"test_{slug}", run)


_add()

if __name__ == "__main__":
    unittest.main()
