# SPDX-License-Identifier: MIT
"""A boot of the hypervisor with guests, and what came out of it: the part that both emulators share.

qemu.py and bochs.py each have one function `run(boot, folder)`. Both give the same bytes for the same
boot, on a loaded machine too: file names and folder are fixed, nothing in the machine reads the
host's clock, limits are counted in instructions. The wall clock stands behind that, for an emulator
that hangs; a stop by it is Infra, no result.
"""

import mmap
import os
import resource
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType

from . import elf

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOLS = ROOT / "build" / "grader"  # where plugin.so and rom.bin are built

KERNEL = "atelier.elf"  # fixed: the name is part of the command line that the hypervisor sees
PAGE = 4096
SERIAL = "serial.txt"
MEMORY = "memory.bin"

WALL_FLOOR = 60.0  # seconds that any run may take
INSTRUCTIONS_A_SECOND = 2_000_000  # of the slowest machine, very busy: how the wall clock grows with a budget
OUTPUT_LIMIT = 4 << 20  # bytes of output on the serial line; a line that floods is slower than it looks
LOG_LIMIT = 64 << 20  # bytes of logged exceptions


Memory = bytes | mmap.mmap  # of a machine; a slice is bytes


class Infra(Exception):
    """The machinery failed, not the hypervisor: never zero points, never a pass. One line."""


def reason(error: Exception) -> str:
    """One line, also of what the system refused: a full disk, no more processes."""
    return f"{error.filename or 'the system'}: {error.strerror}" if isinstance(error, OSError) else str(error)


class Crashed(Infra):
    """An emulator ended on its own. Whose fault that is, one such run does not tell (grade.py). One line."""


class NotBuilt(Infra):
    """What a test boots is not built in this tree, and a tree may be without it. One line, with the command."""


class Stop(Enum):
    """How a run ended."""

    OFF = "shut down"
    TRIPLE_FAULT = "triple fault"
    RESET = "reset"
    HALTED = "halted with interrupts off"
    ASLEEP = "asleep for ever"
    OUTPUT = "too much output"
    BUDGET = "budget used up"


@dataclass(frozen=True)
class Module:
    """A boot module. Its string is the keyword, a blank and the arguments.

    The machine gets the content in whole pages, padded with zeros: QEMU would show it what its own heap
    happens to hold behind a module's end, which differs from run to run.
    """

    keyword: str
    arguments: str
    content: bytes

    def pages(self) -> bytes:
        return self.content + bytes(-len(self.content) % PAGE)


@dataclass(frozen=True)
class Text:
    """The code of a guest, where it executes it."""

    address: int
    content: bytes


@dataclass(frozen=True)
class Boot:
    kernel: Path
    command_line: str
    modules: tuple[Module, ...]
    memory: int  # MiB
    budget: int  # instructions from the kernel's first on
    exceptions: bool = False  # log them: slow with many
    marks: tuple[int, ...] = ()  # virtual addresses at whose execution the counters are noted
    texts: tuple[Text, ...] = ()  # where one lies, nothing is to be executed but what one of them has there; QEMU only

    def wall_seconds(self) -> float:
        return WALL_FLOOR + self.budget / INSTRUCTIONS_A_SECOND


@dataclass(frozen=True)
class Fault:
    """An exception that the processor raised. What Bochs does not tell is None there."""

    vector: int
    error: int
    cpl: int | None
    cs: int | None
    eip: int | None
    address: int | None  # of a page fault; None for others


@dataclass(frozen=True)
class Counters:
    """Executed instructions by place, changes into the hypervisor, and executions by address."""

    user: int
    guest: int
    hypervisor: int
    entered: int
    executed: Mapping[int, int]

    def total(self) -> int:
        return self.user + self.guest + self.hypervisor


@dataclass(frozen=True)
class Run:
    """What came out. `detail` says where and why a bad stop happened, as far as it is known."""

    emulator: str
    stop: Stop
    detail: str
    serial: bytes
    memory: Memory  # physical, from 0; empty where it could not be read
    registers: Mapping[str, int]
    faults: tuple[Fault, ...] | None  # None: not logged
    counters: Counters | None  # None: the emulator cannot count
    marks: tuple[Counters, ...] | None  # None: not noted
    changed: int | None = None  # the first address of a text of the boot at which other code was executed; None on Bochs


NO_REGISTERS: Mapping[str, int] = MappingProxyType({})


def prepare(folder: Path, boot: Boot, *results: str) -> elf.Elf:
    """Puts the kernel into the run's folder under its fixed name; results of an earlier run go.

    What no loader can carry is Infra.
    """
    for text in (boot.command_line, *(module.arguments for module in boot.modules)):
        if "," in text or not text.isprintable() or not text.isascii():
            raise Infra(f"a command line holds printable characters and no comma, not {text!r}")
    folder.mkdir(parents=True, exist_ok=True)
    for name in (SERIAL, MEMORY, *results):
        (folder / name).unlink(missing_ok=True)
    (folder / KERNEL).write_bytes(read_file(boot.kernel))
    image = elf.read(folder / KERNEL)
    size = max(s.physical + s.size for s in image.segments) + sum(len(m.pages()) for m in boot.modules) + PAGE
    if size > boot.memory << 20:
        raise Infra(f"kernel and modules need more than the {boot.memory} MiB of this test")
    return image


def read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Infra(f"{path}: {error.strerror}; build it first (make)") from error


def read_memory(path: Path, most: int) -> Memory:
    """What a dump holds, up to so many bytes. Little of it is wanted, so it is not copied: nobody may write to the file any more."""
    with path.open("rb") as file:
        size = min(os.fstat(file.fileno()).st_size, most)
        return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b""


def overflow(folder: Path, log: str) -> str:
    """What a run has written too much of, or nothing. That it has does not depend on when one looks."""
    for name, limit, what in ((SERIAL, OUTPUT_LIMIT, "output"), (log, LOG_LIMIT, "logged exceptions")):
        path = folder / name
        if path.exists() and path.stat().st_size > limit:
            return f"more than {limit >> 20} MiB of {what}"
    return ""


def last_line(path: Path) -> str:
    """The last words of an emulator that died."""
    lines = path.read_text(errors="replace").split("\n") if path.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def spawn(command: list[str], folder: Path, output: str, fds: tuple[int, ...] = (),
          memory: int = 0, **environment: str) -> subprocess.Popen:
    """Starts an emulator in its folder, with no input, its messages in a file, no endless output."""
    limit = max(OUTPUT_LIMIT, LOG_LIMIT, memory << 20) + PAGE

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    with (folder / output).open("wb") as messages:
        try:
            return subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages,
                pass_fds=fds, preexec_fn=limits, start_new_session=True,
                restore_signals=False,  # a file that is full fails to be written, and ends nothing
                env={"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C"} | environment)
        except FileNotFoundError as error:
            raise Infra(f"{command[0]} is missing; `make deps` installs it") from error


def gone(what: str, process: subprocess.Popen, said: str) -> Infra:
    """What it means that an emulator is not there any more, though nobody ended it."""
    try:
        status = process.wait(10.0)
    except subprocess.TimeoutExpired:
        return Infra(f"{what} does not answer any more: {said}")
    if status == -signal.SIGKILL:  # no emulator does that to itself: the kernel does, when memory is short
        return Infra(f"{what} was killed")
    return Crashed(f"{what} ended on its own: {said}")


def end(process: subprocess.Popen) -> None:
    """Ends an emulator that we started, for good."""
    if process.poll() is None:
        process.kill()
    process.wait()


def tool(name: str, source: str, commands: list[list[str]]) -> Path:
    """A built helper of the runner; made again when its source is newer.

    In the commands, SOURCE and OUTPUT stand for the files, SCRATCH for one between them.
    """
    made, made_from = TOOLS / name, HERE / source
    if made.exists() and made.stat().st_mtime >= made_from.stat().st_mtime:
        return made
    TOOLS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
        names = {"SOURCE": str(made_from), "SCRATCH": f"{scratch}/scratch", "OUTPUT": f"{scratch}/output"}
        for command in commands:
            try:
                done = subprocess.run([names.get(word, word) for word in command],
                                      capture_output=True, text=True, check=False)
            except FileNotFoundError as error:
                raise Infra(f"{command[0]} is missing; `make deps` installs it") from error
            if done.returncode:
                words = [line for line in done.stderr.splitlines() if "error" in line] or [command[0]]
                raise Infra(f"{source} does not build: {words[0]}")
        Path(names["OUTPUT"]).replace(made)  # at once: another run may be looking for it
    return made


def function_addresses(image: elf.Elf) -> list[int]:
    return sorted({s.address for s in image.symbols.values() if s.function})
