# SPDX-License-Identifier: MIT
"""What a machine does to the hypervisor that no guest can: QEMU's monitor does it while two domains take turns."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from boots import ROOT, expect

CLOCK = ROOT / "build/labs/lab2-events/tests/clock.elf"  # sets alarms of 200 us, and waits for them
GUEST = "magic=" + "0" * 32
SECONDS = 60
NMIS = 1500


def _wait_for(file: Path, text: str) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and not (file.exists() and text in file.read_text(errors="replace")):
        time.sleep(0.05)


def _qemu(folder: Path) -> subprocess.Popen:
    """Two domains that switch all the time, in `folder`; the monitor is the process's own input and output."""
    shutil.copy(CLOCK, folder / "domain")
    return subprocess.Popen(
        ["qemu-system-i386", "-M", "pc", "-m", "64", "-nodefaults", "-display", "none", "-no-reboot", "-qmp", "stdio",
         "-serial", "file:serial", "-kernel", ROOT / "build/atelier.elf", "-append", "console=com1",
         "-initrd", f"{CLOCK} {GUEST} domain=0 rounds=1000000,domain mem=4096K {GUEST} domain=1 rounds=1000000"],
        cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, start_new_session=True)  # fmt: skip


def _order(process: subprocess.Popen, what: str) -> bool:
    """Gives the monitor an order; false: the machine is gone."""
    try:
        process.stdin.write(f'{{"execute": "{what}"}}\n')
        return any("return" in line for line in iter(process.stdout.readline, ""))
    except BrokenPipeError:
        return False


def non_maskable_interrupts_disturb_nobody():
    # Each comes at whatever instruction it finds: in rings 0 and 1, and between two page tables. The clock's interrupt tells of them.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process = _qemu(folder)
        clock = threading.Timer(SECONDS, lambda: os.killpg(process.pid, signal.SIGKILL))
        clock.start()
        try:
            _wait_for(folder / "serial", "MiB free")
            given = sum(_order(process, order) for order in ("qmp_capabilities", *["inject-nmi"] * NMIS)) - 1
            time.sleep(0.5)  # several ticks
        finally:
            clock.cancel()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said = (folder / "serial").read_text(errors="replace")
    seen = [int(n) for n in re.findall(r"non-maskable interrupt came.*\((\d+) so far\)", said)]
    expect("CRASH" not in said and " dies" not in said, f"it ended: {said[-300:]}")
    expect(given == NMIS and seen and seen[-1] > NMIS / 4, f"of {NMIS} {given} were taken and {seen[-1:]} counted")
