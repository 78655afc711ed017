# SPDX-License-Identifier: MIT
"""Linux as a domain of a test: what is booted then, and what is said where it is not built. No Linux is needed here."""

import base64
import contextlib
import io
import stat
import unittest
from unittest import mock

from atelier_grader import cli, linux, trial
from atelier_grader.emulator import Infra, NotBuilt, Run, Stop
from atelier_grader.judge import Linux
from atelier_grader.trial import Verdict

from . import fakes

VMLINUX, SMALL = b"a kernel", b"an archive"


def read_archive(data):
    """(name, mode, content) of each file, up to the trailer; and what comes behind it."""
    files, at = [], 0
    while True:
        assert at % 4 == 0 and data[at:at + 6] == b"070701"
        numbers = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        mode, size, name_size = numbers[1], numbers[6], numbers[11]
        name = data[at + 110:at + 110 + name_size]
        assert name[-1:] == b"\0"
        at += 110 + name_size + (-(110 + name_size) % 4)
        if name == b"TRAILER!!!\0":
            return files, data[at:]
        files.append((name[:-1].decode(), mode, data[at:at + size]))
        at += size + -size % 4


class Archive(unittest.TestCase):
    def test_files_come_with_their_folders_before_them(self):
        files, rest = read_archive(linux.archive({"/a/b/c": b"12345", "/a/d": b"", "/e": b"1234"}))
        self.assertEqual(files, [
            ("a", stat.S_IFDIR | 0o755, b""), ("a/b", stat.S_IFDIR | 0o755, b""),
            ("a/b/c", stat.S_IFREG | 0o755, b"12345"), ("a/d", stat.S_IFREG | 0o755, b""),
            ("e", stat.S_IFREG | 0o755, b"1234")])
        self.assertEqual(rest, b"")


class Boots(unittest.TestCase):
    """The fake lab's test `triple`, as a program for Linux."""

    def setUp(self):
        self.tree = fakes.tree(self)
        self.tree.judge("triple", settings='from atelier_grader.judge import Linux\nDOMAINS = (Linux("triple", args="how=ok"),)')
        self.write(linux.LIBRARIES / linux.LOADER, b"the loader")
        self.write(linux.LIBRARIES / linux.LIBRARY, b"the library")

    def write(self, path, content):
        (self.tree.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.tree.root / path).write_bytes(content)

    def build_linux(self):
        self.write(linux.KERNEL, VMLINUX)
        self.write(linux.INITRAMFS, SMALL)

    def boot(self, run=None):
        """What the emulator is given, and the outcome of a run that is this."""
        boots = []

        def fake(boot, folder):
            boots.append(boot)
            if run is None:
                raise Infra("enough")
            return run

        with mock.patch.dict(trial.RUNNERS, {"qemu": fake}):
            outcome = self.tree.run("triple", "qemu")
        return boots, outcome

    def test_kernel_program_library_and_input_arrive(self):
        self.build_linux()
        (boot,), _ = self.boot()
        kernel, initrd = boot.modules
        self.assertEqual((boot.command_line, kernel.content, initrd.keyword), (trial.COMMAND_LINE, VMLINUX, "initrd"))
        console, _, command = kernel.arguments.partition(" atelier.cmd=")
        self.assertEqual(console, "console=hvc0 norandmaps")
        self.assertRegex(base64.b64decode(command).decode(),
                         r"^exec /test/program magic=[0-9a-f]{32} seed=[0-9a-f]{8} domain=0 how=ok$")
        self.assertEqual(initrd.content[:16], SMALL + bytes(6))
        files = {name: content for name, _, content in read_archive(initrd.content[16:])[0]}
        self.assertEqual(files["test/program"], (fakes.built() / "fake.elf").read_bytes())
        self.assertEqual((files["lib/ld-linux.so.2"], files["lib/libc.so.6"]), (b"the loader", b"the library"))
        self.assertEqual(int.from_bytes(files["test/input"][:4], "little"), 40)
        self.assertEqual(boot.marks, ())

    def test_domain_0_has_what_it_creates_others_from(self):
        self.build_linux()
        self.write(linux.ATL, b"atl")
        self.tree.judge("triple", settings=(
            "from atelier_grader.judge import Created, Linux\n"
            'DOMAINS = (Linux("triple", memory=50000, words="ip=1", atl=True), '
            'Created(memory=30000, args="how=ok", words="ip=2", wishes=("vif = closed", "weight = 7")), Created("triple"))'))
        (boot,), _ = self.boot()
        kernel, initrd = boot.modules
        self.assertRegex(boot.command_line, f"^{trial.COMMAND_LINE} dom0_mem=50000K seed=[0-9a-f]{{64}}$")
        self.assertEqual(boot.command_line, self.boot()[0][0].command_line)
        self.assertRegex(kernel.arguments, "^console=hvc0 norandmaps ip=1 atelier.cmd=[^ ]+$")
        files = {name: content for name, _, content in read_archive(initrd.content[16:])[0]}
        self.assertEqual((files["sbin/atl"], files["boot/vmlinux"]), (b"atl", VMLINUX))
        others = {name: content for name, _, content in read_archive(files["boot/initrd"][16:])[0]}
        self.assertEqual((others["test/program"], others["test/input"]), (files["test/program"], files["test/input"]))
        name, memory, *more, command_line = files["test/domain1"].decode().splitlines()
        self.assertEqual((name, memory, more), ("name = domain1", "mem = 30000K", ["vif = closed", "weight = 7"]))
        self.assertEqual(files["boot/triple"], files["test/program"])
        self.assertRegex(files["test/domain2"].decode(), "^name = domain2\nmem = 24576K\nkernel = /boot/triple\n"
                         "initrd = /test/input\ncmdline = magic=[0-9a-f]{32} seed=[0-9a-f]{8} domain=2\n$")
        start, _, command = command_line.partition(" atelier.cmd=")
        self.assertEqual(start, "cmdline = console=hvc0 norandmaps ip=2")
        self.assertRegex(base64.b64decode(command).decode(), "^exec /test/program magic=[0-9a-f]{32} seed=[0-9a-f]{8} domain=1 how=ok$")

    def test_a_tree_without_linux_says_what_builds_it(self):
        for path, command in ((linux.KERNEL, "make linux"), (linux.INITRAMFS, "make initramfs")):
            boots, outcome = self.boot()
            self.assertEqual((boots, outcome.verdict, outcome.failed), ([], Verdict.NOT_RUN, False))
            self.assertEqual(outcome.detail, f"{path} is not there: `{command}` builds it")
            self.write(path, VMLINUX)
        self.assertNotEqual(self.boot()[1].verdict, Verdict.NOT_RUN)
        with self.assertRaises(NotBuilt):
            linux.system(self.tree.root / "nowhere", Linux("triple"), fakes.built() / "fake.elf", "", b"")

    def test_what_else_is_missing_is_infra(self):
        self.build_linux()
        (self.tree.root / linux.LIBRARIES / linux.LIBRARY).unlink()
        outcome = self.boot()[1]
        self.assertEqual((outcome.verdict, outcome.failed), (Verdict.INFRA, True))
        self.assertRegex(outcome.detail, "libc.so.6: No such file.*build it first")

    def test_a_panic_is_named(self):
        self.build_linux()
        said = b"[    1.0] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\r\n[    1.1] more\r\n"
        run = Run("qemu", Stop.OFF, "", said, bytes(4096), {}, None, None, None)
        self.assertEqual((self.boot(run)[1].verdict, self.boot(run)[1].detail), (
            Verdict.NOT_BOOTED, "shut down before its guest said anything; "
            "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b"))

    def run_tests(self, *words):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = cli.main(list(words), self.tree.root)
        return status, out.getvalue().splitlines()

    def test_not_run_counts_as_neither(self):
        status, out = self.run_tests()
        self.assertEqual(status, 0)
        line = "lab1-fake          1.1    triple               {:<6} not run: build/linux/vmlinux is not there: `make linux` builds it"
        self.assertEqual(out[:2], [line.format("qemu"), line.format("bochs")])
        self.assertEqual(out[-2:], [
            "2 not run, neither passed nor failed: build/linux/vmlinux is not there: `make linux` builds it", "1 passed, 0 failed"])

    def test_where_nothing_was_run_nothing_was_shown(self):
        status, out = self.run_tests("--test", "triple", "--emulator", "qemu")
        self.assertEqual((status, out[-1]), (1, "0 passed, 0 failed"))

    def test_nobody_waits_for_what_was_not_run(self):
        lab = self.tree.root / "labs/lab1-fake/lab.toml"
        lab.write_text(lab.read_text() + 'needs = ["1.1"]\n')
        self.tree.judge("program", factor=4)
        status, out = self.run_tests()
        self.assertEqual((status, out[-1]), (1, "0 passed, 1 failed"))
        self.assertNotIn("waits for", "\n".join(out))


if __name__ == "__main__":
    unittest.main()
