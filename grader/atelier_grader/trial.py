# SPDX-License-Identifier: MIT
"""One test, run once: boots it (or starts it on the host), classifies the end, has it judged."""

import hashlib
import re
import resource
import signal
import subprocess
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from . import bochs, elf, emulator, judge, linux, observe, qemu
from .emulator import Boot, Infra, Memory, Module, NotBuilt, Run, Stop, Text
from .judge import Created, Finding, Guest, Judge, JudgeError, Linux
from .manifest import Manifest, Test
from .observe import Malformed, Seen

MAGIC = 16  # bytes
RUNNERS = {"qemu": qemu.run, "bochs": bochs.run}
TESTED = "atelier-debug.elf"  # the build that answers debug_op
COMMAND_LINE = "console=com1 scrub=late"  # what a domain observed is read from memory after its end
HOST_CPU_SECONDS = 60  # processor time of a program of the host
HOST_WALL_SECONDS = 600.0
HOST_ENVIRONMENT = {"LC_ALL": "C", "ASAN_OPTIONS": "detect_leaks=0"}
# QEMU lets the processor go on for a moment when the machine is off: its registers but those that only ring 0 sets.
RUN_ON = frozenset("eax ebx ecx edx esi edi ebp esp eip eflags hlt".split())
MESSAGES_READ = 65536  # bytes, of its messages the last
# How the hypervisor's report on itself begins, how it tells that a domain had to die (crash.c), and how Linux gives up.
CRASH = re.compile(rb"^\(atelier\) CRASH: (.*?)\r?$", re.MULTILINE)
DEATH = rb"^\(atelier\) (domain %d \(.*\) dies: .*?)\r?$"
PANIC = re.compile(rb"(Kernel panic - not syncing: [^\r\n]*)")


class Verdict(Enum):
    """How a test ended, in the order in which it is found out."""

    PASSED = "passed"
    NOT_RUN = "not run"  # its system is not built in this tree: neither a pass nor a failure
    INFRA = "INFRA"
    CRASHED = "crashed"
    EMULATOR = "crashed the emulator"  # each time, and what is right does not
    NOT_BOOTED = "did not boot"
    TRIPLE_FAULT = "triple fault"
    RESET = "reset"
    HALTED = "halted with interrupts off"
    ASLEEP = "asleep for ever"
    OUTPUT = "too much output"
    BUDGET = "budget used up"
    CHANGED = "changed the test guest"
    UNSTEADY = "differs from run to run"
    UNREADABLE = "unreadable observations"
    CUT_SHORT = "cut short"
    WRONG = "wrong observation"


BAD_STOPS = {
    Stop.TRIPLE_FAULT: Verdict.TRIPLE_FAULT,
    Stop.RESET: Verdict.RESET,
    Stop.HALTED: Verdict.HALTED,
    Stop.ASLEEP: Verdict.ASLEEP,
    Stop.OUTPUT: Verdict.OUTPUT,
    Stop.BUDGET: Verdict.BUDGET,
}


@dataclass(frozen=True)
class Outcome:
    lab: Manifest
    test: Test
    emulator: str
    seed: str
    verdict: Verdict
    detail: str = ""
    findings: tuple[Finding, ...] = ()
    tail: tuple[str, ...] = ()  # the last lines of output, for a reader
    seconds: float = 0.0
    trace: tuple[tuple[str, str], ...] = ()  # a digest of each thing that the run left, by name, if it was asked for

    @property
    def failed(self) -> bool:
        return self.verdict not in (Verdict.PASSED, Verdict.NOT_RUN)


@dataclass(frozen=True)
class End:
    """How a run ended, and what is wrong with what it observed."""

    verdict: Verdict
    detail: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A test's judge, and what follows from the seed of a run."""

    loaded: Judge
    seed: str
    magic: bytes
    given: dict
    told: bytes  # how the guest is told

    def words(self) -> list[str]:
        """The arguments of a program of the host."""
        return guest_line(self.magic, self.seed, 0, self.loaded.domains[0]).split(" ")


@dataclass(frozen=True)
class Built:
    """Where the built things lie that a test starts."""

    kernel: Path
    tests: Path  # guests and programs of the lab
    root: Path  # the tree that has Linux


@dataclass(frozen=True)
class Ran:
    """What a program of the host left."""

    status: int  # that of a signal is negative
    output: bytes
    said: bytes


def run(root: Path, lab: Manifest, test: Test, where: str, seed: str, folder: Path, traced: bool = False) -> Outcome:
    """Runs a test of a built tree on "qemu", "bochs" or the "host". Leaves its files in `folder`."""
    start = time.monotonic()
    output, left = b"", None
    built = Built(root / "build" / TESTED, root / "build" / "labs" / lab.folder / "tests", root)
    try:
        asked = ask(lab, test, where, seed)
        if where == "host":
            left = _on_host(built.tests / test.name, asked, folder)
            end, output = judge_program(asked, left), left.said
        else:
            boot = boot_of(built, test, asked)
            left = RUNNERS[where](boot, folder)
            end, output = judge_run(asked, left, boot.kernel), left.serial
    except FAILURES as error:
        end = infra(error)
    return Outcome(lab, test, where, seed, end.verdict, end.detail, end.findings,
                   () if end.verdict is Verdict.PASSED else tail(output), time.monotonic() - start,
                   trace_of(left) if traced and left else ())


def trace_of(left: Run | Ran) -> tuple[tuple[str, str], ...]:
    """What has to be the same whenever the seed is."""
    parts = vars(left)
    if isinstance(left, Run):
        parts = parts | {"registers": {name: value for name, value in left.registers.items() if name not in RUN_ON}}
    return tuple((name, hashlib.sha256(what if isinstance(what, Memory) else repr(what).encode()).hexdigest())
                 for name, what in parts.items())


# What may keep a run from saying anything about the hypervisor.
FAILURES = (Infra, JudgeError, elf.ElfError, OSError)


def infra(error: Exception) -> End:
    return End(Verdict.NOT_RUN if isinstance(error, NotBuilt) else Verdict.INFRA, emulator.reason(error))


def ask(lab: Manifest, test: Test, where: str, seed: str) -> Asked:
    """Loads the judge and draws what this run asks for."""
    loaded = judge.load(lab.path.parent / "tests" / f"{test.name}.py", test)
    magic = judge.derive(seed, "magic", lab.folder, test.name, where)[:MAGIC]
    return Asked(loaded, seed, magic, *judge.draw(loaded, seed, lab.folder, test.name))


def tail(output: bytes) -> tuple[str, ...]:
    lines = output.decode(errors="backslashreplace").replace("\r", "").split("\n")
    return tuple("".join(c if c.isprintable() else "?" for c in line[:160]) for line in lines if line)[-4:]


def guest_line(magic: bytes, seed: str, number: int, guest: Guest | Linux | Created) -> str:
    """What every test guest finds on its command line."""
    word = judge.derive(seed, "seed", str(number))[:4].hex()
    return f"magic={magic.hex()} seed={word} domain={number} {guest.args}".rstrip()


def boot_of(built: Built, test: Test, asked: Asked) -> Boot:
    """What an emulator is to boot."""
    loaded, told = asked.loaded, asked.told
    modules: list[Module] = []
    marks = set()
    texts: list[Text] = []
    lines = [guest_line(asked.magic, asked.seed, number, guest) for number, guest in enumerate(loaded.domains)]
    created = {n: (guest, lines[n]) for n, guest in enumerate(loaded.domains) if isinstance(guest, Created)}
    for number, guest in enumerate(loaded.domains):
        if isinstance(guest, Created):
            continue
        path, line = built.tests / f"{guest.name}.elf", lines[number]
        if isinstance(guest, Linux):
            system = linux.system(built.root, guest, path, line, told, created)
            kernel, line, initrd = system.kernel, system.command_line, system.initramfs
        else:
            image = elf.read(path)
            if loaded.marks and "observe_mark" in image.symbols:
                marks.add(image.symbols["observe_mark"].address)
            texts += [Text(segment.virtual, segment.content) for segment in image.segments if segment.code]
            kernel, initrd = path.read_bytes(), told
        if number == 0:
            modules.append(Module(guest.name, line, kernel))
        else:
            modules.append(Module("domain", f"mem={guest.memory}K {line}", kernel))
        if initrd:
            modules.append(Module("initrd", "", initrd))
    modules += [device.module() for device in loaded.devices(asked.given)]
    mini = all(isinstance(guest, Guest) for guest in loaded.domains)  # Linux changes its own code
    first = loaded.domains[0]
    options = COMMAND_LINE
    if isinstance(first, Linux) and first.atl:
        # Without random bytes it and what it creates would spend most of their time on making some.
        options += f" dom0_mem={first.memory}K seed={judge.derive(asked.seed, 'random', test.name).hex()}"
    return Boot(built.kernel, options, tuple(modules), loaded.memory, test.budget,
                loaded.exceptions, tuple(sorted(marks)), tuple(dict.fromkeys(texts)) if mini else ())


def judge_run(asked: Asked, result: Run, kernel: Path) -> End:
    """Classifies what an emulator's run left, and has it judged. @kernel: the file that was booted."""
    crash = CRASH.search(result.serial)
    if crash:
        return End(Verdict.CRASHED, crash[1].decode(errors="backslashreplace"))
    try:
        pages = observe.find_pages(result.memory, asked.magic)
        stop = BAD_STOPS.get(result.stop)
        if not pages and (stop is None or result.memory):
            why = f"{result.stop.value} {result.detail}" if stop else "shut down before its guest said anything"
            return End(Verdict.NOT_BOOTED, why.rstrip() + _panic(result.serial))
        if stop:
            return End(stop, result.detail)
        if result.changed is not None:
            return End(Verdict.CHANGED, f"what was executed at {result.changed:#010x} is not the guest's code")
        seen = observe.parse(pages)
    except Malformed as error:
        return End(Verdict.UNREADABLE, str(error))
    return _judge(asked, seen, judge.outside_of(result, elf.read(kernel)))


def _judge(asked: Asked, seen: Seen, outside: judge.Outside | None) -> End:
    """The rest, once it is known that the run came to its end and what was observed can be read."""
    loaded = asked.loaded
    domains = set(range(len(loaded.domains)))
    strangers = {o.domain for o in seen.observations} - domains
    if strangers:
        return End(Verdict.UNREADABLE, f"there are observations of domain {min(strangers)}")
    missing = sorted(domains - loaded.dies - seen.ended)
    if missing:
        return End(Verdict.CUT_SHORT, _last_words(seen, missing[0], outside))
    found = judge.findings(loaded, asked.given, seen, outside)
    return End(Verdict.WRONG, f"exercise {loaded.exercise}", tuple(found)) if found else End(Verdict.PASSED)


def _last_words(seen: Seen, domain: int, outside: judge.Outside | None) -> str:
    """Why a domain did not come to the end of its test, as far as it is known."""
    death = re.search(DEATH % domain, outside.serial, re.MULTILINE) if outside else None
    if death:
        return death[1].decode(errors="backslashreplace")
    last = next((o for o in reversed(seen.observations) if o.domain == domain), None)
    return (f"domain {domain} did not come to the end of its test; "
            + (f"it last observed {last.tag} {last.key}" if last else "it observed nothing")
            + (_panic(outside.serial) if outside else ""))


def _panic(serial: bytes) -> str:
    """Linux's own last words, if it had any, to be added to what is known."""
    panic = PANIC.search(serial)
    return f"; {panic[1].decode(errors='backslashreplace')}" if panic else ""


def _on_host(program: Path, asked: Asked, folder: Path) -> Ran:
    """A program of the host reads the input and writes pages; its messages go to a file of their own."""
    if not program.exists():
        raise Infra(f"{program} is not there; build it first (make)")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "input").write_bytes(asked.told)
    with (folder / "input").open("rb") as source, (folder / "output").open("wb") as output, \
            (folder / "messages").open("wb") as messages:
        process = subprocess.Popen(
            [str(program), *asked.words()], cwd=folder, stdin=source, stdout=output, stderr=messages,
            start_new_session=True, preexec_fn=_host_limits, env=HOST_ENVIRONMENT)
        try:
            status = process.wait(HOST_WALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise Infra(f"the wall clock ended the program after {HOST_WALL_SECONDS:.0f} s") from None
        finally:
            emulator.end(process)
    return Ran(status, (folder / "output").read_bytes(), (folder / "messages").read_bytes()[-MESSAGES_READ:])


def judge_program(asked: Asked, ran: Ran) -> End:
    """Classifies what a program of the host left, and has it judged."""
    if ran.status:
        return _classify_host(ran.status, ran.said)
    try:
        seen = observe.parse(observe.split_output(ran.output, asked.magic))
    except Malformed as error:
        return End(Verdict.UNREADABLE, str(error))
    return _judge(asked, seen, None)


def _host_limits() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (HOST_CPU_SECONDS, HOST_CPU_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (emulator.LOG_LIMIT, emulator.LOG_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _classify_host(status: int, said: bytes) -> End:
    if -status in (signal.SIGXCPU, signal.SIGKILL):
        return End(Verdict.BUDGET, f"the program used {HOST_CPU_SECONDS} s of processor time")
    lines = said.decode(errors="backslashreplace").split("\n")
    reason = next((line.strip() for line in lines if "ERROR:" in line or "error:" in line or "assert" in line),
                  f"exit status {status}" if status > 0 else signal.Signals(-status).name)
    return End(Verdict.CRASHED, reason)
