# SPDX-License-Identifier: MIT
"""A drive some sectors of which can be neither read nor written: who asks for one is told so, and nobody else notices."""

import re
import subprocess
import tempfile
from pathlib import Path

from boots import console, does, end, expect, messages, start_linux, tail

SECTOR = 512
SIZE = 16 << 20
SECONDS = 180


def _bad(folder: Path, **sectors: int) -> str:
    """A drive of empty sectors, of which some fail: `read` or `write` names one. The words of -drive."""
    with (folder / "image").open("wb") as image:
        image.truncate(SIZE)
    (folder / "rules").write_text("".join(f'[inject-error]\nevent = "{what}_aio"\nerrno = "5"\nsector = "{sector}"\n'
                                          for what, sector in sectors.items()))  # fmt: skip
    return "file=blkdebug:rules:image,rerror=report,werror=report"


def _run(folder: Path, drive: str, initramfs: str, command: str, memory: int = 128, options: str = "") -> str:
    """What the console said, until the machine is off."""
    process = start_linux(folder, drive, initramfs, command, memory, options)
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"not over after {SECONDS} s; {tail(console(folder))}") from None
    finally:
        end(process)
    said = console(folder)
    expect("atelier:end 0\n" in said, f"the command did not end well; {tail(said + messages(folder))}")
    return said


# Linux reads and writes eight sectors at a time.
AROUND = """\
read() { dd if=/dev/vbda bs=512 skip=$1 count=1 of=/dev/null 2>/dev/null; echo "read $1: $?"; }
write() { echo $1 | dd of=/dev/vbda bs=512 seek=$1 conv=sync,fsync 2>/dev/null; echo "write $1: $?"; }
for s in 992 1000 1008; do read $s; done
for s in 1992 2000 2008; do write $s; done
"""


def a_sector_that_fails_is_an_error_of_its_request_alone():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        said = _run(folder, _bad(folder, read=1000, write=2000), "small", AROUND)
        done = dict(re.findall(r"^(\w+ \d+): (\d)$", said, re.MULTILINE))
        want = {"read 992": "0", "read 1000": "1", "read 1008": "0", "write 1992": "0", "write 2000": "1", "write 2008": "0"}
        expect(done == want, f"the statuses are {done}")
        image = (folder / "image").read_bytes()
        there = [s for s in (1992, 2000, 2008) if image[s * SECTOR :].startswith(b"%d\n" % s)]
        expect(there == [1992, 2008], f"of what was written {there} is there")


READ_ALL = "dd if=/dev/vbda of=/dev/null bs=4096 conv=noerror 2>&1 | tail -2; sleep 99"


def another_domains_disk_does_not_notice():
    """Both have 8,192 sectors of one drive; sector 5,000 is the first one's."""
    command = (
        "for d in a b; do atl disk make $d 4M; done; "
        f"for d in a b; do atl create $d --mem 24M --initrd /boot/initrd --vbd $d --cmdline 'console=hvc0 {does(READ_ALL)}'; done; "
        "sleep 9; for d in a b; do (sleep 1; printf '\\035') | atl console $d | grep records.in; done; atl disk; true"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        said = _run(folder, _bad(folder, read=5000), "full", command, 512, "dom0_mem=256M")
    expect(re.search(r"^a +0 +1 +2048 +4096  1$", said, re.MULTILINE), f"the first one's disk is elsewhere; {tail(said)}")
    read = re.findall(r"^(\d+)\+\d+ records in$", said, re.MULTILINE)
    expect(read == ["1023", "1024"], f"of 1024 pages each they read {read}; {tail(said)}")
