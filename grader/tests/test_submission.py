# SPDX-License-Identifier: MIT
"""Reading a submission: what is taken, what is left aside, what is refused, whatever it is packed in."""

import io
import os
import stat
import subprocess
import tarfile
import unittest
import zipfile
from base64 import b64decode
from pathlib import Path
from unittest import mock

from atelier_grader import grade, submission
from atelier_grader.submission import Refused

from . import course as courses

WANTED = ["src/first.c", "src/first.h"]
TEXT = "int first;\n"


class Reading(unittest.TestCase):
    def setUp(self):
        self.folder = courses.folder(self)

    def read(self, path):
        told = submission.read(path, WANTED)
        return {name: b64decode(content).decode() for name, content in told["taken"].items()}, {
            name: why for name, why, _ in told["aside"]}

    def refused(self, path, why):
        with self.assertRaisesRegex(Refused, why) as caught:
            submission.read(path, WANTED)
        self.assertNotIn("\n", str(caught.exception))

    def tar(self, *members, mode="w:gz"):
        path = self.folder / "submission.tgz"
        with tarfile.open(path, mode) as archive:
            for member in members:
                name, content = member if isinstance(member, tuple) else (member, None)
                info = tarfile.TarInfo(name) if isinstance(name, str) else name
                data = content.encode() if isinstance(content, str) else b""
                if data:
                    info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return path

    def zip(self, *members):
        path = self.folder / "submission.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                archive.writestr(name, content)
        return path

    def special(self, name, kind, link=""):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        return info

    def test_a_tree_is_found_in_each_packing(self):
        files = (("lab1/src/first.c", TEXT), ("lab1/Makefile", "all:\n"))
        inside = courses.folder(self, {"lab1/src/first.c": TEXT, "lab1/Makefile": "all:\n"})
        for path in (self.tar(*files), self.zip(*files), inside, inside / "lab1"):
            with self.subTest(path=path):
                taken, aside = self.read(path)
                self.assertEqual(taken, {"src/first.c": TEXT})
                self.assertEqual(aside, {"Makefile": "it is not a file that is yours to change"})

    def test_other_compressions(self):
        for mode in ("w", "w:bz2", "w:xz"):
            self.assertEqual(self.read(self.tar(("src/first.c", TEXT), mode=mode))[0], {"src/first.c": TEXT})

    def test_names_that_lead_out_are_refused(self):
        for name in ("../src/first.c", "/src/first.c", "a/../../src/first.c", "..\\src\\first.c", "C:/src/first.c"):
            with self.subTest(name=name):
                self.refused(self.tar(("src/first.c", TEXT), (name, TEXT)), "leads out of the archive")
                self.refused(self.zip(("src/first.c", TEXT), (name, TEXT)), "leads out of the archive")

    def test_links_and_devices_are_never_followed(self):
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            with self.subTest(kind=kind):
                self.refused(self.tar(self.special("src/first.c", kind, "/etc/passwd")), "src/first.c is a")
                taken, aside = self.read(self.tar(("src/first.c", TEXT), self.special("else", kind, "/etc/passwd")))
                self.assertEqual((taken, list(aside)), ({"src/first.c": TEXT}, ["else"]))
        (self.folder / "src").mkdir()
        (self.folder / "src/first.c").symlink_to("/etc/passwd")
        self.refused(self.folder, "src/first.c is a link")
        link = zipfile.ZipInfo("src/first.c")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        self.refused(self.zip((link, "/etc/passwd")), "src/first.c is a link")

    def test_a_folder_that_is_a_link_is_not_looked_into(self):
        elsewhere = courses.folder(self, {"first.c": TEXT})
        (self.folder / "src").symlink_to(elsewhere)
        os.mkfifo(self.folder / "pipe")
        self.assertEqual(self.read(self.folder), ({}, {"src": "it is a link", "pipe": "it is a device, or no plain file"}))

    def test_a_file_through_a_link_is_only_bytes(self):
        path = self.tar(self.special("src", tarfile.SYMTYPE, "/etc"), ("src/first.c", TEXT))
        self.assertEqual(self.read(path)[0], {"src/first.c": TEXT})

    def test_twice_is_refused(self):
        self.refused(self.tar(("src/first.c", TEXT), ("src/first.c", "other")), "src/first.c is there twice")
        self.refused(self.tar(("src/first.c", TEXT), ("./src//first.c", "other")), "src/first.c is there twice")
        self.refused(self.tar(("a/src/first.c", TEXT), ("b/src/first.c", TEXT)), "a/ and b/ both look like a tree")

    def test_the_outermost_tree_is_taken(self):
        taken, aside = self.read(self.tar(("a/src/first.c", TEXT), ("a/old/src/first.c", "old")))
        self.assertEqual((taken, aside), ({"src/first.c": TEXT}, {"old/src/first.c": "another folder's is taken"}))

    def test_what_looks_like_a_name_is_not_it(self):
        for name in ("src/First.c", "SRC/first.c", "src/\uff46irst.c", "src/fir\u017ft.c"):
            with self.subTest(name=name):
                self.assertEqual(self.read(self.zip(("src/first.h", ""), (name, TEXT)))[1], {name: "it is not src/first.c, only nearly"})

    def test_traces_of_archivers_are_no_news(self):
        self.assertEqual(self.read(self.zip(("src/first.c", TEXT), ("__MACOSX/src/._first.c", ""), (".DS_Store", "")))[1], {})

    def test_limits(self):
        self.refused(self.tar(("src/first.c", "x" * (submission.MAX_FILE + 1))), "has more than 256 KiB")
        self.refused(self.zip(("src/first.c", "x" * (submission.MAX_FILE + 1))), "has more than 256 KiB")
        bomb = tarfile.TarInfo("zeros")
        bomb.size = 1 << 40
        path = self.folder / "bomb.tar"
        path.write_bytes(bomb.tobuf() + bytes(10240))
        self.refused(path, "more than 256 MiB or 20,000 files")
        with mock.patch.object(submission, "MAX_ENTRIES", 3):
            self.refused(self.tar(*((f"f{i}", "x") for i in range(5))), "more than .* 3 files")
            self.refused(courses.folder(self, {f"f{i}": "" for i in range(5)}), "more than 3 files")
        with mock.patch.object(submission, "MAX_ARCHIVE", 100):
            self.refused(self.tar(("src/first.c", TEXT), mode="w"), "the archive has more than")

    def test_a_zip_bomb_is_not_unpacked(self):
        taken, aside = self.read(self.zip(("src/first.c", TEXT), ("zeros", bytes(100 << 20))))
        self.assertEqual((taken, list(aside)), ({"src/first.c": TEXT}, ["zeros"]))

    def test_what_is_no_archive_is_refused(self):
        for content in (b"", b"PASS", b"PK\3\4 and no more", b"\x1f\x8b\x08 cut off", b"BZh9", b"x" * 1024):
            with self.subTest(content=content[:8]):
                (self.folder / "file").write_bytes(content)
                self.refused(self.folder / "file", "^no tar or zip archive that can be read: ")
        whole = self.tar(("src/first.c", os.urandom(5000).hex())).read_bytes()
        (self.folder / "cut").write_bytes(whole[:len(whole) // 2])
        self.refused(self.folder / "cut", "no tar or zip archive that can be read")

    def test_an_encrypted_file_is_refused(self):
        path = self.zip(("src/first.c", TEXT))
        data = bytearray(path.read_bytes())
        data[data.index(b"PK\1\2") + 8] |= 1
        path.write_bytes(data)
        self.refused(path, "src/first.c is encrypted")

    # ---- git ----

    def git(self, files, bare=True):
        work = courses.folder(self, files)
        environment = {"PATH": os.defpath, "HOME": str(work), "GIT_CONFIG_NOSYSTEM": "1"}

        def call(*words, cwd=work):
            subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=cwd, env=environment, check=True,
                           stdout=subprocess.DEVNULL)

        call("init", "-q", "-b", "main")
        call("add", "-A")
        call("commit", "-q", "-m", "all")
        if not bare:
            return work
        call("clone", "-q", "--bare", ".", str(self.folder / "bare"))
        return self.folder / "bare"

    def test_a_bare_repository_is_read_at_its_head(self):
        self.assertEqual(self.read(self.git({"src/first.c": TEXT, "x": "y"})), (
            {"src/first.c": TEXT}, {"x": "it is not a file that is yours to change"}))

    def test_a_repository_without_a_checkout(self):
        work = self.git({"src/first.c": TEXT}, bare=False)
        (work / "src/first.c").unlink()
        (work / "src").rmdir()
        self.assertEqual(self.read(work)[0], {"src/first.c": TEXT})

    def test_a_checkout_is_a_folder(self):
        work = self.git({"src/first.c": TEXT}, bare=False)
        (work / "src/first.c").write_text("changed\n")
        self.assertEqual(self.read(work)[0], {"src/first.c": "changed\n"})

    def test_nothing_of_a_repository_runs(self):
        path = self.git({"src/first.c": TEXT, ".gitattributes": "*.c filter=evil\n"})
        ran = self.folder / "ran"
        evil = f"touch {ran}; cat"
        with (path / "config").open("a") as config:
            # (git would refuse a repository of version 99.)
            config.write(f'[core]\n\trepositoryformatversion = 99\n\tfsmonitor = "{evil}"\n\tsshCommand = "{evil}"\n'
                         f'\thooksPath = hooks\n\tpager = "{evil}"\n'
                         f'[filter "evil"]\n\tsmudge = "{evil}"\n\tclean = "{evil}"\n[alias]\n\tls-tree = "!{evil}"\n')
        (path / "hooks").mkdir(exist_ok=True)
        (path / "hooks/post-checkout").write_text(f"#!/bin/sh\n{evil}\n")
        (path / "hooks/post-checkout").chmod(0o755)
        self.assertEqual(self.read(path)[0], {"src/first.c": TEXT})
        self.assertFalse(ran.exists())

    def test_a_link_in_a_repository_is_refused(self):
        work = courses.folder(self)
        (work / "src").mkdir()
        (work / "src/first.c").symlink_to("/etc/passwd")
        environment = {"PATH": os.defpath, "HOME": str(work)}
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "x"), ("clone", "-q", "--bare", ".", "bare")):
            subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=work, env=environment, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.refused(work / "bare", "src/first.c is a link")

    def test_repositories_that_are_none(self):
        path = self.git({"src/first.c": TEXT})
        head = (path / "HEAD").read_text()
        for text, why in (("ref: ../../etc/passwd", "names no branch"), ("ref: refs/heads/none", "has no commit"),
                          ("0" * 40, "cannot be read"), ("--help", "has no commit")):
            (path / "HEAD").write_text(text + "\n")
            self.refused(path, why)
        (path / "HEAD").write_text(head)
        (path / "objects/info").mkdir(exist_ok=True)
        (path / "objects/info/alternates").write_text("/\n")
        self.refused(path, "borrows from another one")

    def test_a_git_file_leads_nowhere(self):
        (self.folder / ".git").write_text("gitdir: /etc\n")
        (self.folder / "src").mkdir()
        (self.folder / "src/first.c").write_text(TEXT)
        self.assertEqual(self.read(self.folder)[0], {"src/first.c": TEXT})

    # ---- in its sandbox ----

    def test_in_the_sandbox_the_same_is_read(self):
        self.assertEqual(grade.read(self.zip(("src/first.c", TEXT)), WANTED).files, {"src/first.c": TEXT.encode()})
        self.assertEqual(grade.read(self.git({"src/first.c": TEXT}), WANTED).files, {"src/first.c": TEXT.encode()})
        with self.assertRaisesRegex(Refused, "leads out"):
            grade.read(self.tar(("../x", TEXT)), WANTED)
        with self.assertRaisesRegex(Refused, "is not there"):
            grade.read(Path("/nowhere/at/all"), WANTED)

    def test_a_closed_folder_is_read_as_its_owner(self):
        closed = courses.folder(self, {"src/first.c": TEXT})
        closed.chmod(0o700)
        (closed / "src/first.c").chmod(0o600)
        self.assertEqual(grade.read(closed, WANTED).files, {"src/first.c": TEXT.encode()})


if __name__ == "__main__":
    unittest.main()
