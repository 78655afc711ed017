# SPDX-License-Identifier: MIT
"""With 128 domains that live, beside Linux in domain 0, each command takes less than a second of the processor."""

import unittest

from sessions import ROOT, needs_lab, system

COMMANDS = ("domains", "domain 100", "frame 0x1000", "frames 100", "pagetable 100 0xc0000000", "gdt 100", "ldt 100", "traps 100",
            "events 100", "ports 100", "runq", "timers", "ring 0 vbd", "vif 0", "rules", "vbd 0", "disk", "calls 256", "check", "why",
            "who 0xc0000000", "symbols")  # fmt: skip
CROWD = "for i in $(seq 128); do atl create m$i --kernel /boot/mini --mem 1M >/dev/null || exit 1; done"


@needs_lab(9)
@unittest.skipUnless((ROOT / "build/initramfs/full.cpio.lz4").exists() and (ROOT / "tools/initramfs").exists(), "Linux is not built")
class Crowd(unittest.TestCase):
    def test_each_command_is_fast(self) -> None:
        said = system("break do_shutdown", "continue", "python import time", *[
            f"python s = time.process_time(); t = gdb.execute('atl {name}', to_string=True); print(time.process_time() - s, "
            "max(map(len, t.splitlines())), len(t))" for name in COMMANDS], "atl check",
            more=(f"--cmd={CROWD}", "--disk=none", "--net=none", "--hypervisor=build/atelier-debug.elf"), seconds=400)  # fmt: skip
        self.assertIn("129 domains: all counts are right", said.said[-1])
        for name, text in zip(COMMANDS, said.said[3:-1], strict=True):
            with self.subTest(name):
                if not text.startswith("error: "):
                    seconds, widest, _ = text.split()
                    self.assertLess(float(seconds), 1.0)
                    self.assertLessEqual(int(widest), 80)
