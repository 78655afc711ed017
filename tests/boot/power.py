# SPDX-License-Identifier: MIT
"""The power fails at a random moment: nothing is lost that was acknowledged.

QEMU that is killed leaves what its guest wrote in the host's page cache, and so loses nothing. Here its disk is a server of
ours (NBD, its protocol's document doc/proto.md) which does as a drive with a write cache does: a write
is in its memory only, until a flush is answered. At a command drawn from the seed it answers no more, QEMU is
killed, and of what was not flushed each sector is lost or not, as the seed says.

CUTS=50 cuts the power that often, not a handful of times (`make check-long`).
"""

import os
import re
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from boots import console, end, expect, messages, start_linux, tail

CUTS = int(os.environ.get("CUTS", "5"))
DOMAIN_CUTS = max(CUTS // 10, 1)  # of a domain's disk: each takes longer
SECONDS = 120
SECTOR = 512

# --- the drive

GREETING = b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3)  # fixed newstyle, no zeroes
OPTION_REPLY, REQUEST, REPLY = 0x3E889045565A9, 0x25609513, 0x67446698
OPTION_EXPORT, OPTION_INFO, OPTION_GO = 1, 6, 7
ANSWER_DONE, ANSWER_INFO, ANSWER_UNKNOWN = 1, 3, 0x80000001
HAS_FLAGS_AND_FLUSH = 1 | 4
READ, WRITE, DISCONNECT, FLUSH = range(4)


class Drive(threading.Thread):
    """A disk of what is kept and what is only remembered. @cut is called when the power fails, at command @last behind arm()."""

    def __init__(self, place: Path, kept: bytearray, last: int, rng: Random, cut: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.kept = kept
        self.remembered: dict[int, bytes] = {}
        self.flushes = 0
        self._left: int | None = None
        self._last, self._rng, self._cut = last, rng, cut
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(place))
        self._listener.listen(1)

    def arm(self) -> None:
        self._left = self._last

    def run(self) -> None:
        try:
            self._peer, _ = self._listener.accept()
            self._negotiate()
            while self._serve():
                pass
        except (ConnectionError, EOFError):
            pass  # QEMU is gone

    def power_off(self) -> None:
        """What is not flushed is lost, a part of it or all of it."""
        survives = self._rng.choice((0, 0.5, 0.9))
        for sector, data in self.remembered.items():
            if self._rng.random() < survives:
                self.kept[sector * SECTOR : (sector + 1) * SECTOR] = data
        self.remembered.clear()

    def _receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self._peer.recv(count - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    def _negotiate(self) -> None:
        export = struct.pack(">QH", len(self.kept), HAS_FLAGS_AND_FLUSH)
        self._peer.sendall(GREETING)
        self._receive(4)  # the client's flags
        while True:
            _, option, length = struct.unpack(">QII", self._receive(16))
            self._receive(length)
            if option == OPTION_EXPORT:
                self._peer.sendall(export)
                return
            known = option in (OPTION_INFO, OPTION_GO)
            if known:
                self._peer.sendall(struct.pack(">QIIIH", OPTION_REPLY, option, ANSWER_INFO, 12, 0) + export)
            self._peer.sendall(struct.pack(">QIII", OPTION_REPLY, option, ANSWER_DONE if known else ANSWER_UNKNOWN, 0))
            if option == OPTION_GO:
                return

    def _serve(self) -> bool:
        """One command; false: it was the last one."""
        _, _, kind, handle, offset, length = struct.unpack(">IHHQQI", self._receive(28))
        if kind == DISCONNECT:
            return False
        body = self._receive(length) if kind == WRITE else b""
        fails = self._fails()
        if not fails or self._rng.random() < 0.5:  # it may be done when the power fails, and not have been answered
            answer = self._do(kind, offset, length, body)
        if fails:
            self._cut()
            return False
        self._peer.sendall(struct.pack(">IIQ", REPLY, 0, handle) + answer)
        return True

    def _fails(self) -> bool:
        if self._left is None:
            return False
        self._left -= 1
        return self._left <= 0

    def _do(self, kind: int, offset: int, length: int, body: bytes) -> bytes:
        first = offset // SECTOR
        if kind == READ:
            kept = (self.kept[s * SECTOR : (s + 1) * SECTOR] for s in range(first, first + length // SECTOR))
            return b"".join(self.remembered.get(first + i, data) for i, data in enumerate(kept))
        if kind == WRITE:
            for i in range(length // SECTOR):
                self.remembered[first + i] = body[i * SECTOR : (i + 1) * SECTOR]
        if kind == FLUSH:
            self.flushes += 1
            for sector, data in self.remembered.items():
                self.kept[sector * SECTOR : (sector + 1) * SECTOR] = data
            self.remembered.clear()
        return b""


# --- a machine whose power fails


def _until_the_power_fails(seed: int, image: bytearray, initramfs: str, command: str, memory: int = 128, options: str = "") -> str:
    """
    Runs @command until the power fails, some commands of the disk after it says `begin`; what the console said. @image becomes
    what is left.
    """
    rng = Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        failed = threading.Event()
        drive = Drive(folder / "drive", image, rng.randrange(1, 250), rng, failed.set)
        drive.start()
        process = start_linux(folder, "file=nbd+unix:///?socket=drive,cache=writeback", initramfs, command, memory, options)
        try:
            deadline = time.monotonic() + SECONDS
            armed = False
            while not failed.wait(0.02) and time.monotonic() < deadline and process.poll() is None:
                if not armed and "begin\n" in console(folder).replace("atelier:begin\n", ""):
                    drive.arm()
                    armed = True
        finally:
            end(process)
        said = console(folder)
        expect(failed.is_set(), f"seed {seed}: the power did not fail; {tail(said + messages(folder))}")
        drive.join()
        drive.power_off()
    return said


def _kept(said: str) -> list[int]:
    """The numbers of the records that were acknowledged. The last line may be cut off."""
    return [int(n) for n in re.findall(r"^kept (\d+)$(?=\n)", said, re.MULTILINE)]


# --- files

FILE_SYSTEM = 24 << 20

# Every fourth record has a file of its own: the folder must be there as well.
WRITE_FILES = """\
mount -t ext4 /dev/vbda /tmp
echo begin
n=0
while n=$((n+1)); do
	if [ $((n % 4)) = 0 ]; then echo record $n | dd of=/tmp/r$n conv=fsync 2>/dev/null
	else echo record $n | dd of=/tmp/log oflag=append conv=notrunc,fsync 2>/dev/null; fi && echo kept $n
done
"""


def _tool(name: str, *words: str) -> subprocess.CompletedProcess:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    return subprocess.run([name, *words], check=False, capture_output=True, text=True, env=os.environ | {"PATH": path})


def _fresh_file_system(folder: Path) -> bytearray:
    file = folder / "fresh"
    with file.open("wb") as image:
        image.truncate(FILE_SYSTEM)
    made = _tool("mke2fs", "-q", "-t", "ext4", "-O", "has_journal", str(file))
    expect(made.returncode == 0, f"mke2fs: {made.stderr}")
    return bytearray(file.read_bytes())


def what_was_synchronised_outlives_a_power_cut():
    with tempfile.TemporaryDirectory() as name:
        fresh, file = _fresh_file_system(Path(name)), Path(name) / "image"
        acknowledged = 0
        for seed in range(1, CUTS + 1):
            image = bytearray(fresh)
            kept = _kept(_until_the_power_fails(seed, image, "small", WRITE_FILES))
            acknowledged += len(kept)
            file.write_bytes(image)
            checked = _tool("e2fsck", "-p", str(file))  # and replays the journal
            expect(checked.returncode <= 1, f"seed {seed}: the file system is broken: {checked.stdout}")
            log = _tool("debugfs", "-R", "cat /log", str(file)).stdout.splitlines()
            for n in kept:
                there = _tool("debugfs", "-R", f"cat /r{n}", str(file)).stdout.splitlines() if n % 4 == 0 else log
                expect(f"record {n}" in there, f"seed {seed}: record {n} of {len(kept)} was acknowledged, and is gone")
        expect(acknowledged > CUTS, f"in {CUTS} runs only {acknowledged} records were acknowledged")


# --- a domain's disk

# The last line is typed at the domain's shell.
WRITE_SECTORS = """\
atl disk make a 4M && atl disk
atl create d --mem 24M --initrd /boot/initrd --vbd a
sleep 6
(sleep 1; cat <<'TYPED'; sleep 1000) | atl console d
echo begin; n=0; while n=$((n+1)); do echo record $n | dd of=/dev/vbda seek=$n bs=512 conv=sync,fsync 2>/dev/null && echo kept $n; done
TYPED
"""


def a_domains_sectors_outlive_a_power_cut():
    acknowledged = 0
    for seed in range(1, DOMAIN_CUTS + 1):
        image = bytearray(16 << 20)
        said = _until_the_power_fails(seed, image, "full", WRITE_SECTORS, 512, "dom0_mem=256M")
        name = image[2 * SECTOR + 56 :][:6]  # of the first entry of the table (UEFI specification 2.10, section 5.3)
        expect(image[SECTOR:].startswith(b"EFI PART") and name == b"a" + bytes(5), f"seed {seed}: the extent that was made is gone")
        listed = re.search(r"^a +0 +1 +(\d+) +\d+ +-$", said, re.MULTILINE)
        expect(listed, f"seed {seed}: the extent was not made; {tail(said)}")
        kept = _kept(said)
        acknowledged += len(kept)
        for n in kept:
            at = (int(listed[1]) + n) * SECTOR
            expect(image[at:].startswith(b"record %d\n" % n), f"seed {seed}: record {n} of {len(kept)} was acknowledged, and is gone")
    expect(acknowledged > 0, "no record was acknowledged")
