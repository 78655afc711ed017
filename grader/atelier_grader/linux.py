# SPDX-License-Identifier: MIT
"""Linux as a domain of a test: the ported kernel, the small initramfs, and what is laid over that.

Over it lie the test's program, the C library that it was linked with, unmodified, and what the judge
drew. The kernel's command line has the program run instead of a shell (guestos/linux/init);
tests/linux/program.h is the other side: it observes, and powers the machine off.
"""

import base64
import stat
from dataclasses import dataclass
from pathlib import Path

from .emulator import NotBuilt, read_file

KERNEL = Path("build/linux/vmlinux")
INITRAMFS = Path("build/initramfs/small.cpio.lz4")
BUILT_BY = {KERNEL: "make linux", INITRAMFS: "make initramfs"}
LIBRARIES = Path("build/guestos/glibc")
END_OF_LZ4 = bytes(4)  # a block of length 0; Linux skips zeros between archives
LOADER, LIBRARY = "ld-linux.so.2", "libc.so.6"

PROGRAM = "/test/program"  # in the initramfs
INPUT = "/test/input"


@dataclass(frozen=True)
class System:
    """What is booted: contents of two modules, and the kernel's command line."""

    kernel: bytes
    command_line: str
    initramfs: bytes


def system(root: Path, program: Path, line: str, told: bytes) -> System:
    """Linux that runs a program with these arguments and this input. NotBuilt where the tree has no Linux."""
    for path, command in BUILT_BY.items():
        if not (root / path).exists():
            raise NotBuilt(f"{path} is not there: `{command}` builds it")
    over = archive({
        f"/lib/{LOADER}": read_file(root / LIBRARIES / LOADER),
        f"/lib/{LIBRARY}": read_file(root / LIBRARIES / LIBRARY),
        PROGRAM: read_file(program),
        INPUT: told,
    })
    command = base64.b64encode(f"exec {PROGRAM} {line}".encode()).decode()
    return System(read_file(root / KERNEL), f"console=hvc0 atelier.cmd={command}",
                  on_words(read_file(root / INITRAMFS) + END_OF_LZ4) + over)


def on_words(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def archive(files: dict[str, bytes]) -> bytes:
    """An archive of programs (`newc`, Documentation/driver-api/early-userspace/buffer-format.rst of Linux), with
    their folders. Linux unpacks such archives one after the other, each from a multiple of 4 bytes on."""
    folders = sorted({str(parent) for name in files for parent in Path(name).parents} - {"/"})
    records = [_record(name, stat.S_IFDIR | 0o755, b"") for name in folders]
    records += [_record(name, stat.S_IFREG | 0o755, content) for name, content in files.items()]
    return b"".join(records) + _record("TRAILER!!!", 0, b"")


def _record(name: str, mode: int, content: bytes) -> bytes:
    """One file; all are root's, and have no inode in common."""
    word = name.lstrip("/").encode() + b"\0"
    numbers = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(word), 0)
    return on_words(b"070701" + b"".join(b"%08X" % n for n in numbers) + word) + on_words(content)
