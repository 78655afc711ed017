# SPDX-License-Identifier: MIT
"""Boots the native Linux and the one on Atelier in the same emulator, with the same programs in both, and counts.

A counted run is deterministic: under -icount the emulator's time is the number of instructions, nothing
in the machine reads the host's clock, and files and folders have the same names each time. (Only where
QEMU cuts its blocks may differ on a busy host, and by a few instructions what the plugin sees of them.) So
what came out is kept under a digest of all that went in, and a run is done again only if something
of that has changed.

With a disk or a network that is not so: these take the host's time. Then the emulator's clock goes on while
the machine waits, as fast as the host's, so that no alarm of a driver comes early; instructions are counted all the
same, and whoever wants to know how far two runs differ takes several.
"""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build/bench"
RUNS = OUT / "runs"
MICRO = OUT / "micro"
PLUGIN = OUT / "plugin.so"
NULL_CALL = OUT / "null_call.elf"
INITRAMFS = OUT / "initramfs.lz4"
SMALL = ROOT / "build/initramfs/small.cpio.lz4"
HYPERVISOR = ROOT / "build/atelier.elf"
LINUX = ROOT / "build/linux/vmlinux"
LINUX_SYMBOLS = ROOT / "build/linux/vmlinux.debug"
NATIVE = ROOT / "build/linux/native/arch/x86/boot/bzImage"
NATIVE_SYMBOLS = ROOT / "build/linux/native/vmlinux"

MEMORY = 512  # MiB
KERNEL_BASE = 0xC0000000
HYPERVISOR_BASE = 0xFC000000
RESET, BOOT, OUTSIDE = "reset", "boot", "outside"  # the plugin's windows 0, 1 and 40
OUTSIDE_NUMBER = 40

QEMU = (
    "-machine", "pc", "-cpu", "pentium3", "-m", str(MEMORY), "-nodefaults", "-no-user-config", "-display", "none",
    "-monitor", "none", "-no-reboot", "-serial", "file:console",
    # With these Atelier says how the machine ended; the native Linux does not look at them.
    "-debugcon", "file:ends", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
)  # fmt: skip
FIXED = ("-rtc", "base=2003-10-19T00:00:00,clock=vm", "-seed", "1")
LINUX_WORDS = "quiet norandmaps panic=-1"
TEXT_ENDS = ("text_end", "_etext", "_einittext")  # behind them lies what has no name: firmware, programs of BPF
RUNS_KEPT = 60
WALL_LIMIT = 900  # seconds
PROGRESS_SECONDS = 10


class Failure(Exception):
    """Something a person can put right; the text is one line, with the remedy."""


@dataclass(frozen=True)
class Row:
    """What was printed: the operations of a batch, and of micro.c the time stamp counter's ticks for each batch."""

    operations: int
    ticks: tuple[int, ...]

    def typical(self) -> float:
        return median(self.ticks) / self.operations

    def least(self) -> float:
        return min(self.ticks) / self.operations


@dataclass(frozen=True)
class Block:
    """A translation block and how often a window executed it."""

    address: int
    length: int  # instructions
    executions: int


@dataclass
class Window:
    """What the plugin saw of a window. @path: the first blocks of the longest stay in the hypervisor."""

    stays: int = 0
    longest: int = 0
    cr3: int = 0
    invlpg: int = 0
    path: tuple[int, ...] = ()
    blocks: list[Block] = field(default_factory=list)

    def instructions(self, low: int = 0, high: int = 1 << 32) -> int:
        return sum(b.length * b.executions for b in self.blocks if low <= b.address < high)


@dataclass(frozen=True)
class Run:
    """One boot. @windows is empty if it was not counted."""

    rows: Mapping[str, Row]
    windows: Mapping[str, Window]
    console: str
    seconds: float  # of the host


@dataclass(frozen=True)
class System:
    """
    One side of the comparison. @kernel and @modules: name in the run's folder -> file. @devices: QEMU's words for a disk or a
    network. @images: name in the folder, file, and the file whose digest stands for it.
    """

    name: str
    kernel: tuple[str, Path]
    modules: tuple[tuple[str, str, Path], ...]  # name, the rest of the module's string, file
    append: str
    start: int  # address of the first instruction that counts as this system's own
    symbols: tuple[Path, ...]
    base: int  # where the hypervisor begins
    devices: tuple[str, ...] = ()
    images: tuple[tuple[str, Path, Path], ...] = ()

    def files(self) -> dict[str, Path]:
        return {self.kernel[0]: self.kernel[1]} | {name: path for name, _, path in self.modules}

    def sources(self) -> list[Path]:
        return [source for _, _, source in self.images]

    def words(self) -> list[str]:
        modules = ",".join(f"{name} {rest}".rstrip().replace(",", ",,") for name, rest, _ in self.modules)
        return ["-kernel", self.kernel[0], "-append", self.append, "-initrd", modules, *self.devices]


def need(path: Path) -> Path:
    if not path.exists():
        raise Failure(f"{path.relative_to(ROOT)} is missing: run `make bench`, which builds it")
    return path


def elf_entry(path: Path) -> int:
    """An ELF file's first instruction, or the one that its note for Atelier names."""
    header = run_tool("readelf", "-hW", str(need(path)))
    notes = run_tool("readelf", "-nW", str(path))
    if note := re.search(r"Atelier.*?description data: ((?:[0-9a-f]{2} ?)+)", notes, re.DOTALL):
        return int.from_bytes(bytes.fromhex(note[1])[12:16], "little")
    return int(re.search(r"Entry point address:\s+(0x[0-9a-f]+)", header)[1], 16)


def run_tool(*words: str) -> str:
    try:
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError as error:
        raise Failure(f"{words[0]} is missing: run `make deps`") from error
    except subprocess.CalledProcessError as error:
        raise Failure(f"{' '.join(words)} failed: {error.stderr.strip()[:200]}") from error


def native_linux(words: str, initramfs: Path) -> System:
    """Linux on the bare machine, from the first instruction of the unpacked kernel on. @words: for its command line."""
    return System(
        "native", ("bzImage", need(NATIVE)), (("initrd", "", initramfs),), f"console=ttyS0 {LINUX_WORDS} {words}",
        elf_entry(NATIVE_SYMBOLS), (NATIVE_SYMBOLS,), 1 << 32,
    )  # fmt: skip


def atelier_linux(words: str, initramfs: Path) -> System:
    modules = (("vmlinux", f"console=hvc0 {LINUX_WORDS} {words}", need(LINUX)), ("initrd", "", initramfs))
    return System(
        "Atelier", ("atelier.elf", need(HYPERVISOR)), modules, "console=com1", elf_entry(LINUX_SYMBOLS),
        (HYPERVISOR, LINUX_SYMBOLS), HYPERVISOR_BASE,
    )  # fmt: skip


def native(rows: tuple[str, ...]) -> System:
    """With micro.c as the first program."""
    return native_linux(f"rdinit=/micro -- {' '.join(rows)}", INITRAMFS)


def atelier(rows: tuple[str, ...]) -> System:
    return atelier_linux(f"rdinit=/micro -- {' '.join(rows)}", INITRAMFS)


def null_call() -> System:
    """null_call.c on mini, alone on Atelier."""
    return System(
        "null hypercall", ("atelier.elf", need(HYPERVISOR)), (("null_call", "", need(NULL_CALL)),), "console=com1",
        elf_entry(NULL_CALL), (HYPERVISOR, NULL_CALL), HYPERVISOR_BASE,
    )  # fmt: skip


# --- the file system that both boot into


def cpio_record(name: str, mode: int, data: bytes) -> bytes:
    """One file in the `newc` format that the kernel unpacks."""
    numbers = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + name.encode() + b"\0"
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def add_to_archive(base: Path, records: bytes, image: Path) -> None:
    """Makes @image: the archive @base and behind it, as the kernel takes several in a row, one of ours."""
    packed = subprocess.run(["lz4", "-lcq"], input=records + cpio_record("TRAILER!!!", 0, b""), stdout=subprocess.PIPE, check=True)
    whole = need(base).read_bytes() + packed.stdout
    if not image.exists() or image.read_bytes() != whole:
        image.write_bytes(whole)


def make_initramfs() -> None:
    """The small image and micro."""
    micro = cpio_record("micro", 0o100755, need(MICRO).read_bytes()) + cpio_record("tiny", 0o120777, b"/micro")
    add_to_archive(SMALL, micro, INITRAMFS)


# --- a boot


def nobody(folder: Path) -> AbstractContextManager[object]:
    return nullcontext()


def counted(system: System, take: int = 1, beside: Callable[[Path], AbstractContextManager[object]] = nobody) -> Run:
    """
    Boots under -icount with the plugin, or takes the result of the same boot from before: the @take-th, if several are wanted.
    @beside: what runs as long as the machine does; it gets the run's folder.
    """
    line = f",line={system.base:x}" if system.base < 1 << 32 else ""
    plugin = f"./plugin.so,out=counts,start={system.start:x}{line}"
    clock = f"shift=0,sleep={'on' if system.devices else 'off'}"
    words = [*QEMU, "-icount", clock, *FIXED, "-plugin", plugin, *system.words()]
    folder = RUNS / f"{digest(words, [*system.files().values(), *system.sources(), PLUGIN])}-{take}"
    if not (folder / "done").exists():
        boot(system, words, folder, beside)
        forget_old_runs()
    return read_run(folder)


def forget_old_runs() -> None:
    """Keeps some: a day of work on one row leaves hundreds of them."""
    by_age = sorted(RUNS.iterdir(), key=lambda folder: folder.stat().st_mtime)
    for folder in by_age[:-RUNS_KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def timed(system: System) -> Run:
    """Boots without counting, for the wall clock."""
    folder = RUNS / f"timed-{system.name}"
    boot(system, [*QEMU, *system.words()], folder)
    return read_run(folder)


def digest(words: list[str], files: list[Path]) -> str:
    whole = hashlib.sha256("\0".join(words).encode())
    for path in files:
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def qemu() -> str:
    """The program itself: what Debian has in /usr/bin is a shell script around it."""
    for path in ("/usr/libexec/qemu-system-i386", "/usr/bin/qemu-system-i386"):
        if Path(path).exists():
            return path
    raise Failure("QEMU is missing: run `make deps`, or install qemu-system-x86")


def boot(
    system: System, words: list[str], folder: Path, beside: Callable[[Path], AbstractContextManager[object]] = nobody
) -> None:
    """Runs the machine in @folder until it is off."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    images = {name: need(path) for name, path, _ in system.images}
    for name, path in (system.files() | images | {"plugin.so": PLUGIN}).items():
        (folder / name).symlink_to(path)
    started = time.monotonic()
    with (folder / "messages").open("wb") as messages, beside(folder):
        process = subprocess.Popen(
            [qemu(), *words], cwd=folder, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, start_new_session=True
        )
        try:
            wait(process, system, folder, started)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    seconds = time.monotonic() - started
    check_end(system, folder)
    (folder / "done").write_text(f"{seconds:.2f}\n")


def wait(process: subprocess.Popen, system: System, folder: Path, started: float) -> None:
    spoken = started
    while True:
        try:
            process.wait(timeout=0.2)
            return
        except subprocess.TimeoutExpired:
            now = time.monotonic()
        if now - started > WALL_LIMIT:
            raise Failure(f"{system.name}: not at its end after {WALL_LIMIT} s; its console: {short(folder / 'console')}")
        if now - spoken >= PROGRESS_SECONDS:
            spoken = now
            print(f"  BENCH   {system.name}: {now - started:.0f} s: {last_line(folder)[:70]}", file=sys.stderr, flush=True)


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def last_line(folder: Path) -> str:
    lines = read_text(folder / "console").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "nothing on the console yet")


def read_text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def check_end(system: System, folder: Path) -> None:
    """The guest says `end`, or it did not come to its end."""
    if re.search(r"^end\r?$", read_text(folder / "console"), re.MULTILINE):
        return
    said = re.findall(r"^(?:micro|mark|bench): .*?(?=\r?$)", read_text(folder / "console"), re.MULTILINE)
    said = said or read_text(folder / "messages").strip().splitlines()[-1:] or [last_line(folder)]
    raise Failure(f"{system.name} did not finish: {said[0][:120]} (its console: {short(folder / 'console')})")


# --- what came out


def read_run(folder: Path) -> Run:
    console = read_text(folder / "console")
    rows = {
        name: Row(int(operations), tuple(map(int, ticks.split())))
        for name, operations, ticks in re.findall(r"^row (\w+) (\d+)([\d ]*?)\r?$", console, re.MULTILINE)
    }
    windows = read_counts(folder / "counts", [RESET, BOOT, *rows])
    return Run(rows, windows, console, float(read_text(folder / "done")))


def merge(runs: list[Run]) -> Run:
    """Runs of the same rows as one that has all their batches, and the shortest time."""
    rows = {
        name: Row(row.operations, tuple(t for run in runs for t in run.rows[name].ticks)) for name, row in runs[0].rows.items()
    }
    return Run(rows, {}, runs[0].console, min(run.seconds for run in runs))


def read_counts(path: Path, names: list[str]) -> dict[str, Window]:
    """Reads what plugin.c documents."""
    if not path.exists():
        return {}
    windows = {name: Window() for name in [*names, OUTSIDE]}
    by_number = dict(enumerate(names)) | {OUTSIDE_NUMBER: OUTSIDE}
    line = ""
    with path.open() as file:
        for line in file:
            kind, *rest = line.split()
            if kind == "window":
                w = windows[by_number[int(rest[0])]]
                w.stays, w.longest, w.cr3, w.invlpg = map(int, rest[1:])
            elif kind == "path":
                windows[by_number[int(rest[0])]].path = tuple(int(word, 16) for word in rest[1:])
            elif kind == "block":
                for pair in rest[2:]:
                    number, executions = map(int, pair.split(":"))
                    windows[by_number[number]].blocks.append(Block(int(rest[0], 16), int(rest[1]), executions))
    if line.strip() != "whole":
        raise Failure(f"{short(path)} is cut short: is the disk full? Remove {short(path.parent)} and go on")
    return windows


# --- symbols


@dataclass(frozen=True)
class Symbols:
    """Functions of one or several programs that share an address space."""

    starts: tuple[int, ...]
    names: tuple[str, ...]

    def at(self, address: int) -> tuple[int, str]:
        """The function that an address belongs to: where it begins, and its name."""
        if address < KERNEL_BASE:
            return 0, "(below the kernel)"
        i = bisect_right(self.starts, address) - 1
        if i < 0 or self.names[i] in TEXT_ENDS:
            return address, "(elsewhere)"
        return self.starts[i], self.names[i]


@cache
def read_symbols(files: tuple[Path, ...]) -> Symbols:
    found: dict[int, str] = {}
    for path in files:
        for line in run_tool("nm", "-n", str(need(path))).splitlines():
            address, kind, name = line.split(maxsplit=2) if line[:1] != " " else ("0", "", "")
            if kind in tuple("tTwW"):
                found.setdefault(int(address, 16), name)
    starts = sorted(found)
    return Symbols(tuple(starts), tuple(found[start] for start in starts))


def path_names(window: Window, symbols: Symbols) -> Iterator[str]:
    """The functions of the longest stay's beginning, each once in a row."""
    before = ""
    for address in window.path:
        _, name = symbols.at(address)
        if name != before:
            yield name
        before = name
