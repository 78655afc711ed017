#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Tests that a machine that sleeps and wakes leaves the same trace, however long the host keeps QEMU's processor waiting where it halts."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "grader"))

from atelier_grader import manifest, qemu, trial  # noqa: E402

# Each way out of the machine's code takes 100 us, and the main thread looks 50,000 times a second whether the processor is idle.
SLOW = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>
int ppoll(struct pollfd *files, nfds_t count, const struct timespec *timeout, const sigset_t *signals)
{
	const struct timespec soon = { .tv_nsec = 20000 };
	typeof(ppoll) *next = (typeof(ppoll) *)dlsym(RTLD_NEXT, "ppoll");

	return next(files, count, getpid() == gettid() ? &soon : timeout, signals);
}
void __longjmp_chk(sigjmp_buf place, int value)
{
	usleep(100);
	((typeof(longjmp) *)dlsym(RTLD_NEXT, "__longjmp_chk"))(place, value);
	abort();
}
"""


class Idle(unittest.TestCase):
    def test_how_long_the_host_takes_changes_nothing(self) -> None:
        lab = next(lab for lab in manifest.load_all(ROOT) if lab.number == 2)
        test = next(test for test in lab.tests if test.name == "alarm")
        with tempfile.TemporaryDirectory() as folder:
            slow = Path(folder, "slow.so")
            subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-x", "c", "-o", slow, "-"], input=SLOW, text=True, check=True)
            quickly = trial.run(ROOT, lab, test, "qemu", "1", Path(folder, "quickly"), traced=True)
            with mock.patch("atelier_grader.qemu.preloaded", return_value=f"{qemu.preloaded()}:{slow}"):
                slowly = trial.run(ROOT, lab, test, "qemu", "1", Path(folder, "slowly"), traced=True)
        self.assertFalse(quickly.failed, quickly.detail)
        self.assertIn("memory", dict(quickly.trace))
        self.assertEqual(dict(quickly.trace), dict(slowly.trace))


if __name__ == "__main__":
    unittest.main()
