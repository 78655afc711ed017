# SPDX-License-Identifier: MIT
"""The sandbox: what a command in it sees, what it may use up, and that nothing of it is left."""

import os
import socket
import subprocess
import time
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

from atelier_grader import sandbox
from atelier_grader.emulator import Infra
from atelier_grader.sandbox import Limits, Mount

from . import course as courses

LIMITS = Limits(wall=20.0, cpu=2, memory=1 << 30, file=1 << 20, folder=4 << 20, processes=16, temporary=2 << 20)


def shell(text, *mounts, limits=LIMITS, **more):
    return sandbox.run(["/bin/sh", "-c", text], mounts, limits, **more)


class Cage(unittest.TestCase):
    def setUp(self):
        if sandbox.missing():
            self.skipTest(sandbox.missing())
        self.folder = courses.folder(self)

    def test_it_sees_the_system_and_its_mounts_alone(self):
        (self.folder / "a").write_text("one\n")
        done = shell("cat /w/a; ls /; id -u; pwd; cat /etc/passwd; ls /proc; echo x >/w/a", Mount(self.folder, "/w"))
        self.assertEqual(done.output.split(), b"one bin dev etc lib lib32 lib64 sbin tmp usr w 65534 /".split())
        self.assertEqual((self.folder / "a").read_text(), "one\n")

    def test_no_environment_and_no_path_of_the_host_gets_in(self):
        with mock.patch.dict(os.environ, {"SECRET": "secret"}):
            done = shell("cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'", Mount(self.folder, "/w"), proc=True)
        self.assertNotIn(b"secret", done.output)
        self.assertNotIn(str(self.folder).encode(), done.output)

    def test_only_what_is_mounted_for_it_can_be_written(self):
        done = shell("echo y >/w/b && echo x >/x || echo x >/usr/x", Mount(self.folder, "/w", True))
        self.assertEqual((done.status != 0, (self.folder / "b").read_text()), (True, "y\n"))

    def test_no_network(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 2)"
            self.assertIn(b"ConnectionRefusedError", sandbox.run(["/usr/bin/python3", "-c", code], [], LIMITS).errors)
        done = sandbox.run(["/usr/bin/python3", "-c", "import socket; print([n for _, n in socket.if_nameindex()])"], [], LIMITS)
        self.assertEqual(done.output, b"['lo']\n")

    def test_calls_that_nobody_needs_are_refused(self):
        # A tracer that ends leaves its tracee stopped: here the first process of the namespace, which waits for all the others.
        code = ("import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); "
                "print([(libc.syscall(n, 16, os.getppid(), 0, 0), ctypes.get_errno()) for n in (101, 310, 272, 0x40000000 | 101)])")
        done = sandbox.run(["/usr/bin/python3", "-c", code], [], LIMITS)
        self.assertEqual((done.stopped, done.output), ("", b"[(-1, 1), (-1, 1), (-1, 1), (-1, 1)]\n"))
        folder = courses.folder(self, {
            "a.c": "int ptrace(int, ...);\nint getppid(void);\nint main(void)\n{\n\treturn ptrace(16, getppid(), 0, 0) == -1;\n}\n"})
        subprocess.run(["gcc", "-m32", "-w", "-o", str(folder / "a"), str(folder / "a.c")], check=True)
        done = sandbox.run(["/w/a"], [Mount(folder, "/w")], LIMITS)
        self.assertEqual((done.stopped, done.status), ("", 1))

    def test_who_only_waits_is_ended_and_who_works_is_not(self):
        waits = replace(LIMITS, asleep=1.0)
        for text, stopped in (("sleep 100 | cat", "asleep"), ("kill -STOP $$", "asleep"), ("timeout 3 sh -c 'while :; do :; done'", ""),
                              ("sleep 0.3; sleep 0.3", "")):
            with self.subTest(text=text):
                self.assertEqual(shell(text, limits=waits).stopped, stopped)

    def test_limits(self):
        for what, text, check in (
                ("processor time", "while :; do :; done", lambda d: d.status in (-24, -9)),
                ("a file", "exec head -c 9000000 /dev/zero >/w/x", lambda d: d.status == -25 or b"too large" in d.errors),
                ("a folder", "i=0; while :; do i=$((i+1)); head -c 900000 /dev/zero >/w/$i; done", lambda d: d.stopped == "folder"),
                ("many files", "i=0; while :; do i=$((i+1)); : >/w/$i; done", lambda d: d.stopped == "folder"),
                ("/tmp", "head -c 1000000 /dev/zero >/tmp/a; head -c 1000000 /dev/zero >/tmp/b; head -c 1000000 /dev/zero >/tmp/c",
                 lambda d: b"No space left" in d.errors),
                ("output", "while :; do echo 0123456789012345678901234567890123456789; done",
                 lambda d: d.status != 0 and len(d.output) <= sandbox.CAPTURED)):
            with self.subTest(what=what), mock.patch.object(sandbox, "FILES", 500):
                folder = courses.folder(self)
                done = shell(text, Mount(folder, "/w", True))
                self.assertTrue(check(done), done)

    def test_memory_and_processes(self):
        done = sandbox.run(["/usr/bin/python3", "-c", "x = bytes(2 << 30)"], [], LIMITS)
        self.assertIn(b"MemoryError", done.errors)
        done = sandbox.run(["/usr/bin/python3", "-c", "import os\nfor i in range(100):\n\tif not os.fork(): os.pause()"], [], LIMITS)
        self.assertIn(b"Resource temporarily unavailable", done.errors)

    def test_the_wall_clock(self):
        start = time.monotonic()
        done = shell("sleep 60", limits=Limits(0.5, 2, 1 << 30, 1 << 20))
        self.assertEqual((done.stopped, time.monotonic() - start < 20), ("wall", True))

    def test_nothing_is_left_running(self):
        shell("for i in 1 2 3; do setsid sleep 987654 & done; (trap '' TERM INT HUP; sleep 987654) &")
        shell("setsid sleep 987654", limits=Limits(0.5, 2, 1 << 30, 1 << 20))
        time.sleep(0.2)
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        self.assertFalse([line for line in lines if b"987654" in line])

    def test_no_namespace_in_the_namespace(self):
        self.assertNotEqual(shell("unshare --user true").status, 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root may choose")
    def test_each_is_another_user(self):
        owners = set()
        for i in range(2):
            folder = courses.folder(self)
            shell("echo x >/w/x", Mount(folder, "/w", True))
            owners.add((folder / "x").stat().st_uid)
        self.assertEqual((len(owners), min(owners) >= sandbox.FIRST_USER), (2, True))

    def test_a_sandbox_that_does_not_start_is_infra(self):
        with self.assertRaisesRegex(Infra, "No such file"):
            shell("true", Mount(Path("/nowhere/at/all"), "/w"))
        with self.assertRaisesRegex(Infra, "a sandbox did not start: bwrap: "):
            shell("true", cwd="/nowhere")


if __name__ == "__main__":
    unittest.main()
