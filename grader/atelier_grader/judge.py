# SPDX-License-Identifier: MIT
"""What a lab's test is, and how it is judged.

A test is two files side by side: labs/labN-name/tests/X.c, the guest (or a program of the host, if
lab.toml runs it on the "host", or for Linux, if DOMAINS says so), and X.py, the judge, a module with

    EXERCISE = "1.1"            the exercise that a finding points at
    MEMORY = 32                 of the machine, in MiB
    DOMAINS = (Guest("X"),)     what is booted: domain 0 first; Linux("X") is Linux with the program X, Created()
                                a domain that it creates
    DIES = {1}                  domains that are meant to die: they need not end their observations
    EXCEPTIONS = True           log the processor's exceptions (slow with many)
    MARKS = True                note the counters at each observe_mark()
    def inputs(rng) -> dict     what this run asks for; the same seed asks for the same
    def encode(given) -> bytes  how the guest is told; observe.encode if it is left out
    def devices(given) -> list  the machine's own, in boot modules: a Disk or two, a wire.Wire; none if left out
    def judge(given, seen, outside) -> Iterator[Finding]
                                a finding for each thing that is wrong; none at all is a pass

All but EXERCISE and judge may be left out; judge may leave `outside` out of its arguments. EMULATORS,
KIND and BUDGET belong to lab.toml; a judge that repeats them must say the same.
"""

import hmac
import importlib.util
import inspect
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Protocol

from . import elf, emulator, observe
from .emulator import PAGE, Counters, Fault, Infra, Memory, Module, Run
from .manifest import Test
from .observe import Seen, Unseen

MAX_FINDINGS = 20  # of one test: more help nobody


class JudgeError(Exception):
    """A judge is wrong, not what it judges. One line: file and remedy."""


@dataclass(frozen=True)
class Finding:
    exercise: str
    what: str
    want: object
    got: object


def show(value: object) -> str:
    """What was expected or seen, for a reader."""
    text = f"{value} ({value:#x})" if isinstance(value, int) and value > 0xffff else repr(value) \
        if isinstance(value, (bytes, str)) else str(value)
    return text if len(text) <= 120 else text[:117] + "..."


@dataclass(frozen=True)
class Guest:
    """One domain of a test: a guest of the same folder, built from NAME.c."""

    name: str
    memory: int = 4096  # KiB; domain 0 has what the others leave
    args: str = ""


@dataclass(frozen=True)
class Linux:
    """One domain of a test that is Linux, and runs a program of the same folder, built from NAME.c."""

    name: str
    memory: int = 24576  # KiB; domain 0 has what the others leave, unless it has atl
    args: str = ""
    words: str = ""  # more of the kernel's command line
    atl: bool = False  # domain 0 has atl, and in /boot and /test what to create domains from (linux.py)


@dataclass(frozen=True)
class Created:
    """One domain of a test that domain 0 creates with atl, by a file of wishes, /test/domainN: Linux with the same program."""

    guest: str = ""  # not Linux, but this guest of the same folder
    memory: int = 24576  # KiB
    args: str = ""
    words: str = ""  # more of the kernel's command line
    wishes: tuple[str, ...] = ()  # more of the file


class Device(Protocol):
    """A device that lies in a boot module: Disk, wire.Wire."""

    def module(self) -> Module: ...


@dataclass(frozen=True)
class Disk:
    """A disk of the machine, in a boot module: src/pc/ramdisk.c has the arguments."""

    content: bytes  # whole pages
    args: str = ""
    log: int = 4  # pages, for 255 records the first and 256 each other

    def module(self) -> Module:
        return Module("disk", f"log={self.log} {self.args}".rstrip(), self.content + bytes(self.log * PAGE))


@dataclass(frozen=True)
class DiskRecord:
    """What a disk did: a transfer began, was done, or failed."""

    event: str  # "begun", "done", "failed"
    kind: str  # "read", "write", "flush"
    first: int
    count: int
    word: int  # the first one that was moved; 0 unless done


DISK_EVENTS, DISK_KINDS = ("", "begun", "done", "failed"), ("read", "write", "flush")


@dataclass(frozen=True)
class Outside:
    """What the machine looked like from outside, after it had stopped. No guest can forge it."""

    emulator: str
    serial: bytes
    memory: Memory
    registers: Mapping[str, int]  # as they stand after the stop: CR3 says something, EIP does not
    image: elf.Elf  # the hypervisor
    _faults: tuple[Fault, ...] | None
    _counters: Counters | None
    _marks: tuple[Counters, ...] | None

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The exceptions that the processor raised, in order, if the test has EXCEPTIONS = True."""
        if self._faults is None:
            raise JudgeError("outside.faults needs EXCEPTIONS = True")
        return self._faults

    @property
    def counters(self) -> Counters:
        """Executed instructions by place, and changes into the hypervisor. QEMU only."""
        if self._counters is None:
            raise JudgeError(f"{self.emulator} counts nothing: let this judge ask on QEMU only")
        return self._counters

    @property
    def marks(self) -> tuple[Counters, ...]:
        """The counters as they were at each observe_mark(), in order, if the test has MARKS = True. QEMU only."""
        if self._marks is None:
            raise JudgeError("outside.marks needs MARKS = True, and QEMU")
        return self._marks

    def count(self, function: str, mark: int | None = None) -> int:
        """How often a function of the hypervisor was entered, in all or until a mark. QEMU only."""
        counters = self.counters if mark is None else self.marks[mark]
        return counters.executed.get(self._symbol(function).address, 0)

    def read(self, address: int, size: int) -> bytes:
        """Physical memory. Bytes that the machine has not are left out."""
        return self.memory[address:address + size]

    def word(self, address: int) -> int:
        return int.from_bytes(self.read(address, 4), "little")

    def variable(self, name: str, size: int = 4) -> bytes:
        """A variable of the hypervisor, as it stands in memory."""
        return self.read(self.image.physical(self._symbol(name).address), size)

    def _disk_place(self, number: int) -> tuple[int, int, int, int]:
        return struct.unpack_from("<4I", self.variable("ramdisk_places", 16 * (number + 1)), 16 * number)

    def disk(self, number: int = 0) -> bytes:
        """What a disk holds."""
        start, sectors, _, _ = self._disk_place(number)
        return self.read(start, sectors * 512)

    def disk_log(self, number: int = 0) -> tuple[DiskRecord, ...]:
        """What it did, as far as its log had room."""
        _, _, log, pages = self._disk_place(number)
        found = []
        for i in range(1, min(self.word(log) + 1, pages * 256)):
            event, kind, first, count, word = struct.unpack("<HHIII", self.read(log + 16 * i, 16))
            found.append(DiskRecord(DISK_EVENTS[event & 3], DISK_KINDS[kind % 3], first, count, word))
        return tuple(found)

    def translate(self, address: int, directory: int | None = None) -> int | None:
        """Where a virtual address lies, by the loaded page directory or that at `directory`; or None."""
        top = (self.registers["cr3"] if directory is None else directory) & ~4095
        entry = self.word(top + (address >> 22) * 4)
        if not entry & 1:
            return None
        if entry & 0x80:
            return (entry & 0xffc00000) | (address & 0x3fffff)
        entry = self.word((entry & ~4095) + (address >> 12 & 1023) * 4)
        return (entry & ~4095) | (address & 4095) if entry & 1 else None

    def _symbol(self, name: str) -> elf.Symbol:
        if name not in self.image.symbols:
            raise JudgeError(f"{self.image.path.name} has no symbol {name}")
        return self.image.symbols[name]


def outside_of(run: Run, image: elf.Elf) -> Outside:
    return Outside(run.emulator, run.serial, run.memory, run.registers, image, run.faults, run.counters,
                   run.marks)


@dataclass(frozen=True)
class Judge:
    """A loaded X.py."""

    path: Path
    exercise: str
    memory: int
    domains: tuple[Guest | Linux | Created, ...]
    dies: frozenset[int]
    exceptions: bool
    marks: bool
    inputs: Callable[[Random], dict]
    encode: Callable[[dict], bytes]
    devices: Callable[[dict], Iterable[Device]]
    judge: Callable[[dict, Seen, Outside | None], Iterable[Finding]]


def named(path: Path) -> str:
    """A judge's path as a person writes it."""
    return "/".join(path.parts[-4:])


def load(path: Path, test: Test) -> Judge:
    """Loads a judge and holds it against its line in lab.toml."""
    try:
        spec = importlib.util.spec_from_file_location(f"judge_{path.stem.replace('-', '_')}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except FileNotFoundError:
        raise JudgeError(f"{named(path)} is missing; lab.toml lists the test {test.name}") from None
    except Exception as error:  # whatever a test's author wrote
        raise JudgeError(f"{named(path)}: cannot be loaded: {type(error).__name__}: {error}") from error

    found = vars(module)
    for name in ("EXERCISE", "judge"):
        if name not in found:
            raise JudgeError(f"{named(path)}: has no {name}")
    for name, want in (("EXERCISE", test.exercise), ("EMULATORS", test.emulators), ("BUDGET", test.budget),
                       ("KIND", "host" if test.emulators == ("host",) else "guest")):
        got = found.get(name, want)
        if (tuple(got) if isinstance(got, list) else got) != want:
            raise JudgeError(f"{named(path)}: {name} is {got!r}, and lab.toml has {want!r}")
    domains = tuple(found.get("DOMAINS", (Guest(test.name),)))
    return Judge(
        path, found["EXERCISE"], found.get("MEMORY", 32), domains, frozenset(found.get("DIES", ())),
        found.get("EXCEPTIONS", False), found.get("MARKS", False), found.get("inputs", lambda rng: {}),
        found.get("encode", observe.encode), found.get("devices", lambda given: ()), _with_outside(found["judge"]))


def _with_outside(judge: Callable) -> Callable:
    if len(inspect.signature(judge).parameters) == 2:
        return lambda given, seen, outside: judge(given, seen)
    return judge


def derive(seed: str, *names: str) -> bytes:
    """32 bytes that follow from a seed and a purpose, and tell nothing about each other."""
    return hmac.digest(seed.encode(), "/".join(names).encode(), "sha256")


def draw(judge: Judge, seed: str, *names: str) -> tuple[dict, bytes]:
    """What this run asks for, and how the guest is told. The same on every emulator."""
    rng = Random(int.from_bytes(derive(seed, "inputs", *names), "big"))
    try:
        given = judge.inputs(rng)
        return given, judge.encode(given)
    except Infra:
        raise  # what a test boots may be missing
    except Exception as error:  # whatever a test's author wrote
        raise JudgeError(f"{named(judge.path)}: inputs: {type(error).__name__}: {error}") from error


def findings(judge: Judge, given: dict, seen: Seen, outside: Outside | None) -> list[Finding]:
    """What the judge finds wrong. An observation that never came is a finding too, and the last."""
    found: list[Finding] = []
    try:
        for finding in islice(judge.judge(given, seen, outside), MAX_FINDINGS):
            found.append(finding)
    except Unseen as unseen:
        found.append(Finding(judge.exercise, str(unseen), "one observation", "none or several"))
    except JudgeError as error:
        raise JudgeError(f"{named(judge.path)}: {error}") from error
    except Exception as error:  # whatever a test's author wrote
        raise JudgeError(f"{named(judge.path)}: judge: {type(error).__name__}: {error} "
                         f"({_line_in(error, judge.path)})") from error
    return found


def _line_in(error: BaseException, path: Path) -> str:
    """The line of a judge that an exception came out of."""
    line = 0
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line}"
