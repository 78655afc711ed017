# SPDX-License-Identifier: MIT
"""Linux as a domain of a test: the ported kernel, the small initramfs, and what is laid over that.

Over it lie the test's program, the C library that it was linked with, unmodified, and what the judge
drew. The kernel's command line has the program run instead of a shell (guestos/linux/init);
tests/linux/program.h is the other side: it observes, and powers the machine off. tests/linux/domains.h is
for a domain 0 that creates other domains with atl.
"""

import base64
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from .emulator import NotBuilt, read_file
from .judge import Created, Linux

KERNEL = Path("build/linux/vmlinux")
INITRAMFS = Path("build/initramfs/small.cpio.lz4")
DEBIAN = Path("build/disk/small.ext4")  # a file system, for a judge that lays it on a disk
BUILT_BY = {KERNEL: "make linux", INITRAMFS: "make initramfs", DEBIAN: "make disk"}
LIBRARIES = Path("build/guestos/glibc")
ATL = Path("build/atl")
# Of the kernel's command line. QEMU translates code once more for each address at which it finds it, which takes longer than to run
# most of it: no program and no library is to lie elsewhere each time.
WORDS = "console=hvc0 norandmaps"
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


def built(root: Path, what: Path) -> Path:
    """Where one of BUILT_BY lies. NotBuilt if this tree does not have it."""
    if not (root / what).exists():
        raise NotBuilt(f"{what} is not there: `{BUILT_BY[what]}` builds it")
    return root / what


def system(root: Path, guest: Linux, program: Path, line: str, told: bytes,
           created: Mapping[int, tuple[Created, str]] = MappingProxyType({})) -> System:
    """Linux that runs a program with these arguments and this input; with atl, what it creates others from is there as well.

    `created` is, by number, what domain 0 is to create, and the arguments there. NotBuilt where the tree has no Linux.
    """
    kernel, small = read_file(built(root, KERNEL)), read_file(built(root, INITRAMFS))
    over = {
        f"/lib/{LOADER}": read_file(root / LIBRARIES / LOADER),
        f"/lib/{LIBRARY}": read_file(root / LIBRARIES / LIBRARY),
        PROGRAM: read_file(program),
        INPUT: told,
    }
    initramfs = _over(small, over)
    if guest.atl:
        over |= {"/sbin/atl": read_file(root / ATL), "/boot/vmlinux": kernel, "/boot/initrd": initramfs}
        over |= {f"/test/domain{n}": _wishes(n, *what) for n, what in created.items()}
        over |= {f"/boot/{g.guest}": read_file(program.with_name(f"{g.guest}.elf")) for g, _ in created.values() if g.guest}
        initramfs = _over(small, over)
    return System(kernel, _command_line(guest, line), initramfs)


def _command_line(guest: Linux | Created, line: str) -> str:
    command = base64.b64encode(f"exec {PROGRAM} {line}".encode()).decode()
    return " ".join(word for word in (WORDS, guest.words, f"atelier.cmd={command}") if word)


def _wishes(number: int, guest: Created, line: str) -> bytes:
    """What `atl create --config` reads."""
    wishes = [f"name = domain{number}", f"mem = {guest.memory}K", *guest.wishes]
    if guest.guest:
        wishes += [f"kernel = /boot/{guest.guest}", f"initrd = {INPUT}", f"cmdline = {line}"]
    else:
        wishes += [f"cmdline = {_command_line(guest, line)}"]
    return "".join(f"{wish}\n" for wish in wishes).encode()


def _over(small: bytes, files: dict[str, bytes]) -> bytes:
    return on_words(small + END_OF_LZ4) + archive(files)


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
