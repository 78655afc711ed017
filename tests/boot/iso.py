# SPDX-License-Identifier: MIT
"""build/atelier.iso: a PC's BIOS, GRUB and the system on it, in both emulators."""

import os
import pty
import re
import select
import subprocess
import tempfile
import time
import tty
from pathlib import Path

from boots import ROOT, expect, run, tail

ISO = ROOT / "build/atelier.iso"
SHELL = rb"root@\w+:\S*# (\x1b\[6n)?$"  # busybox asks the terminal where the cursor is


BOCHS = """\
megs: 512
cpu: model=p3_katmai, ips=50000000, reset_on_triple_fault=0
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=term, dev={com1}
port_e9_hack: enabled=1
magic_break: enabled=1
display_library: rfb, options="timeout=0"
plugin_ctrl: speaker=0, gameport=0, parallel=0, extfpuirq=0
sound: driver=dummy
clock: sync=none, time0=1066521600
log: {folder}/bochs.log
panic: action=fatal
"""


def _talk(line: int, process: subprocess.Popen, seconds: int, entry: bytes) -> bytes:
    """Picks the menu entry, waits for a prompt, asks for a sum, ends the system; returns all that came."""
    said, step, deadline = b"", 0, time.monotonic() + seconds
    steps = ((rb"GNU GRUB(?s:.*)highlighted", entry), (SHELL, b"echo sum $((40+2))\n"), (rb"sum 42\r?\n", b"/sbin/poweroff\n"))
    while process.poll() is None and time.monotonic() < deadline:
        if select.select([line], [], [], 1.0)[0]:
            try:
                said += os.read(line, 65536)
            except OSError:
                break
        if step < len(steps) and re.search(steps[step][0], said):
            for byte in steps[step][1]:
                os.write(line, bytes([byte]))
                time.sleep(0.05)  # Bochs loses what does not fit into the FIFO
            step += 1
    return said


def _boot(words_of, seconds: int, entry: bytes = b"\r") -> None:
    done = run("make", "iso", seconds=1200)
    expect(done.status == 0 and ISO.exists(), "there is no image", done)
    line, com1 = pty.openpty()
    tty.setraw(com1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = (folder / "out").open("wb")
        process = subprocess.Popen(
            words_of(folder, os.ttyname(com1)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            said = _talk(line, process, seconds, entry)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                pass
        finally:
            process.kill()
            process.wait()
            os.close(line)
            os.close(com1)
        expect(re.search(rb"sum 42\r?\n", said), f"the shell did not answer; {tail(said)}")
        ends = [p.read_text(errors="replace") for p in (folder / "ends", folder / "out") if p.exists()]
        expect("end poweroff 0" in "".join(ends), f"it was not powered off; {tail(said)}")


def _qemu(folder: Path, com1: str) -> list[str]:
    return [
        "qemu-system-i386", "-machine", "pc", "-cpu", "pentium3", "-m", "512", "-display", "none", "-monitor", "none",
        "-nodefaults", "-vga", "std", "-cdrom", str(ISO), "-chardev", f"serial,id=com1,path={com1}", "-serial", "chardev:com1",
        "-chardev", f"file,id=ends,path={folder}/ends", "-device", "isa-debugcon,iobase=0xe9,chardev=ends", "-no-reboot",
    ]  # fmt: skip


def _bochs(folder: Path, com1: str) -> list[str]:
    (folder / "bochsrc").write_text(BOCHS.format(iso=ISO, com1=com1, folder=folder))
    (folder / "orders").write_text("c\nq\n")
    return ["bochs-bin", "-q", "-f", f"{folder}/bochsrc", "-rc", f"{folder}/orders"]


def the_image_boots_linux_in_qemu():
    _boot(_qemu, 120)


def the_image_boots_linux_in_bochs():
    _boot(_bochs, 300, entry=b"\x1b[B\r")  # the second entry, with the small initramfs
