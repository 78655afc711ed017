# SPDX-License-Identifier: MIT
"""Runs a boot in QEMU: deterministic, with counters, and with a look at the machine when it stands.

QEMU's software emulation checks no segment limits, so nothing about segmentation or ring-1 isolation
is proved here; bochs.py is for that.
"""

import json
import os
import re
import select
import socket
import struct
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from . import elf, emulator
from .emulator import Boot, Counters, Fault, Infra, Module, Run, Stop

# The real program: /usr/bin/qemu-system-i386 of Debian is a shell script around it, which a kill misses.
PROGRAMS = ("/usr/libexec/qemu-system-i386", "/usr/bin/qemu-system-i386")

# What QEMU's own code never asks of the host in such a run, and who broke into it might. Needs no privilege.
SECCOMP = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

RESULTS = "plugin.txt"
WATCHES = "watch.txt"
TEXT = "text"  # and a number
MESSAGES = "qemu.txt"
LOG = "exceptions.txt"
PROGRESS = "progress"
POLL = 0.2  # seconds between two looks at a machine that may have halted for good
DEAF_LOOKS = 2  # with interrupts off: for good
QUIT_SECONDS = 60.0
ASLEEP_LOOKS = 15  # with no instruction between them, though idle time is skipped


class Monitor:
    """QEMU's control socket (QMP), as much of it as is needed."""

    def __init__(self, line: socket.socket):
        self.line = line
        self.buffer = b""
        self.events: list[dict] = []

    def receive(self, seconds: float) -> dict | None:
        """The next message, or None if none came in time. Raises EOFError when QEMU is gone."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            self.line.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                piece = self.line.recv(65536)
            except TimeoutError:
                return None
            except OSError:
                piece = b""
            if not piece:
                raise EOFError
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(message)

    def call(self, command: str, seconds: float = 60.0, **arguments: object) -> object:
        """Executes a command; events that come before its answer are kept."""
        request = {"execute": command, "arguments": arguments}
        try:
            self.line.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise EOFError from error
        deadline = time.monotonic() + seconds
        while True:
            message = self.receive(deadline - time.monotonic())
            if message is None:
                raise Infra(f"QEMU did not answer {command} within {seconds:.0f} s")
            if "error" in message:
                raise Infra(f"QEMU refused {command}: {message['error'].get('desc')}")
            if "return" in message:
                return message["return"]
            if "event" in message:
                self.events.append(message)

    def event(self, seconds: float) -> dict | None:
        """The next event, or None if none came in time."""
        if self.events:
            return self.events.pop(0)
        message = self.receive(seconds)
        return message if message and "event" in message else None

    def registers(self) -> dict[str, int]:
        text = self.call("human-monitor-command", **{"command-line": "info registers"})
        return parse_registers(str(text))


def parse_registers(text: str) -> dict[str, int]:
    """`info registers`: general and control registers, selectors, `gdt` and `gdt_limit`, `hlt` and `cpl`."""
    found = {name.lower(): int(value, 16) for name, value in
             re.findall(r"\b(E[A-Z]{2}|CR[0-4]|CPL|HLT)=([0-9a-f]+)", text)}
    found["eflags"] = found.pop("efl")
    for name, value in re.findall(r"^([CDEFGS]S) *=([0-9a-f]{4}) ", text, re.MULTILINE):
        found[name.lower()] = int(value, 16)
    for name, base, limit in re.findall(r"^([GI]DT)= +([0-9a-f]+) ([0-9a-f]+)", text, re.MULTILINE):
        found |= {name.lower(): int(base, 16), name.lower() + "_limit": int(limit, 16)}
    return found


def program() -> str:
    for path in PROGRAMS:
        if Path(path).exists():
            return path
    raise Infra("qemu-system-i386 is missing; `make deps` installs it")


def place_modules(folder: Path, modules: tuple[Module, ...]) -> str:
    """Writes the modules and gives the argument of -initrd.

    QEMU makes the file's name the first word of a module's string, and the first word is to be the
    keyword. So modules of one keyword share a file if they are the same, and lie in numbered folders
    if not: the hypervisor looks at what follows the last slash of the first word.
    """
    taken: dict[str, bytes] = {}
    words = []
    for module in modules:
        content = module.pages()
        name, number = module.keyword, 0
        while taken.setdefault(name, content) != content:
            number += 1
            name = f"{number}/{module.keyword}"
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        words.append(f"{name} {module.arguments}".rstrip())
    return ",".join(words)


def end_on_a_page(kernel: Path) -> None:
    """Makes the kernel's memory end on a page, for the reason that Module.pages() pads."""
    data = bytearray(kernel.read_bytes())
    offset, = struct.unpack_from("<I", data, 28)
    size, count = struct.unpack_from("<HH", data, 42)
    loads = [offset + i * size for i in range(count)
             if struct.unpack_from("<I", data, offset + i * size)[0] == elf.PT_LOAD]
    last = max(loads, key=lambda at: struct.unpack_from("<I", data, at + 12))
    start, _, in_memory = struct.unpack_from("<III", data, last + 12)
    struct.pack_into("<I", data, last + 20, in_memory + -(start + in_memory) % emulator.PAGE)
    kernel.write_bytes(data)


def plugin() -> Path:
    return emulator.tool("plugin.so", "plugin.c", [[
        "gcc", "-std=gnu11", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-x", "c", "-o", "OUTPUT",
        "SOURCE"]])


def preloaded() -> str:
    """What QEMU's own calls of the C library meet first."""
    return str(plugin())


def machine(boot: Boot, initrd: str) -> list[str]:
    """The machine that is booted, in QEMU's words, but for its clock, its console, and who watches it."""
    words = [
        "-M", "pc,vmport=off", "-cpu", "pentium3", "-m", str(boot.memory),
        "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-nic", "none",
        "-global", "apic-common.vapic=off",  # an option ROM less to boot; reverse debugging needs it
        "-rtc", "base=2003-10-19T00:00:00,clock=vm", "-seed", "1",
        "-kernel", emulator.KERNEL, "-append", boot.command_line,
        "-no-reboot", "-action", "reboot=shutdown,shutdown=pause",
    ]
    return [*words, "-initrd", initrd] if initrd else words


def command(boot: Boot, initrd: str, entry: int, monitor_fd: int, tell_fd: int) -> list[str]:
    marks = "".join(f",mark={address:x}" for address in boot.marks)
    texts = "".join(f",text={text.address:x}/{TEXT}{number}" for number, text in enumerate(boot.texts))
    words = [
        program(), *machine(boot, initrd), "-sandbox", SECCOMP, "-icount", "shift=0,sleep=off", "-serial", f"file:{emulator.SERIAL}", "-S",
        "-chardev", f"socket,id=monitor,fd={monitor_fd}", "-mon", "chardev=monitor,mode=control",
        "-plugin", f"{plugin()},out={RESULTS},progress={PROGRESS},tell={tell_fd},entry={entry:x},"
                   f"budget={boot.budget},watch={WATCHES}{marks}{texts}",
    ]
    if boot.exceptions:
        words += ["-d", "int,cpu_reset", "-D", LOG]
    return words


def run(boot: Boot, folder: Path) -> Run:
    """Boots and runs to the end. Raises Infra if the end says nothing about the hypervisor."""
    image = emulator.prepare(folder, boot, RESULTS, PROGRESS, LOG)
    end_on_a_page(folder / emulator.KERNEL)
    initrd = place_modules(folder, boot.modules)
    for number, text in enumerate(boot.texts):
        (folder / f"{TEXT}{number}").write_bytes(text.content)
    (folder / WATCHES).write_text("".join(f"{a:x}\n" for a in emulator.function_addresses(image)))

    ours, theirs = socket.socketpair()
    tell, told = os.pipe()
    process = emulator.spawn(
        command(boot, initrd, image.entry, theirs.fileno(), told), folder, MESSAGES,
        (theirs.fileno(), told), boot.memory, LD_PRELOAD=preloaded())
    theirs.close()
    os.close(told)
    try:
        result = _watch(boot, folder, Monitor(ours), tell)
        if result.stop not in (Stop.BUDGET, Stop.OUTPUT):
            process.wait(QUIT_SECONDS)
    except EOFError:
        raise emulator.gone("QEMU", process, emulator.last_line(folder / MESSAGES)) from None
    except subprocess.TimeoutExpired:
        raise Infra(f"QEMU did not quit within {QUIT_SECONDS:.0f} s") from None
    finally:
        emulator.end(process)
        ours.close()
        os.close(tell)
    full = emulator.overflow(folder, LOG)
    if full:
        return replace(result, stop=Stop.OUTPUT, detail=full)
    result = _with_counters(boot, result, folder, image)
    if result.stop is Stop.RESET:
        return _explain_reset(boot, folder, image, result)
    return result


def _watch(boot: Boot, folder: Path, monitor: Monitor, tell: int) -> Run:
    if monitor.receive(60.0) is None:
        raise Infra("QEMU did not start within 60 s")
    monitor.call("qmp_capabilities")
    monitor.call("cont")
    stop = _wait(boot, folder, monitor, tell)
    registers = monitor.registers()
    monitor.call("pmemsave", val=0, size=boot.memory << 20, filename=emulator.MEMORY)
    if stop not in (Stop.BUDGET, Stop.OUTPUT):  # there the processor does not let QEMU quit
        monitor.call("quit")
    return Run("qemu", stop, "", (folder / emulator.SERIAL).read_bytes(),
               emulator.read_memory(folder / emulator.MEMORY, boot.memory << 20), registers,
               _faults(folder) if boot.exceptions else None, None, None)


def _wait(boot: Boot, folder: Path, monitor: Monitor, tell: int) -> Stop:
    deadline = time.monotonic() + boot.wall_seconds()
    looks, progress = 0, b""
    while time.monotonic() < deadline:
        if emulator.overflow(folder, LOG):
            return Stop.OUTPUT
        if not monitor.events and not monitor.buffer:
            ready, _, _ = select.select([monitor.line, tell], [], [], POLL)
            if tell in ready:
                if os.read(tell, 1):
                    return Stop.BUDGET
                raise EOFError
            if not ready:
                registers = monitor.registers()
                before, progress = progress, (folder / PROGRESS).read_bytes()
                looks = looks + 1 if registers["hlt"] and progress == before else 0
                if looks >= DEAF_LOOKS and not registers["eflags"] & 0x200:
                    return Stop.HALTED
                if looks >= ASLEEP_LOOKS:
                    return Stop.ASLEEP
                continue
        event = monitor.event(1.0)
        if event and event["event"] == "SHUTDOWN":
            return Stop.OFF if event["data"]["reason"] == "guest-shutdown" else Stop.RESET
    raise Infra(f"the wall clock ended the run after {boot.wall_seconds():.0f} s")


def _counters(words: list[str]) -> dict[str, int]:
    return {name: int(value) for name, value in (word.split("=") for word in words)}


def parse_results(text: str) -> tuple[tuple[Counters, ...], Counters, str, int, int | None]:
    """What plugin.c wrote: the marks, the end, how it ended, the address there, and where a guest's code had been changed."""
    lines = text.split("\n")
    if lines[-2:] != ["whole", ""]:
        raise Infra("the counters of QEMU's plugin are not whole")
    marks: list[tuple[dict[str, int], dict[int, int]]] = []
    how, address, changed = "", 0, None
    for line in lines[:-2]:
        words = line.split(" ")
        if words[0] == "changed":
            changed = int(words[1], 16)
            continue
        if words[0] == "count":
            marks[-1][1][int(words[1], 16)] = int(words[2])
            continue
        if words[0] == "end":
            how, address = words[1], int(words[2], 16)
        marks.append((_counters(words[3 if words[0] == "end" else 2:]), {}))
    notes = [Counters(**counters, executed=executed) for counters, executed in marks]
    return tuple(notes[:-1]), notes[-1], how, address, changed


def _with_counters(boot: Boot, result: Run, folder: Path, image: elf.Elf) -> Run:
    marks, counters, how, address, changed = parse_results((folder / RESULTS).read_text())
    detail = ""
    if how == "unstarted":
        detail = "the kernel's first instruction was never reached"
    elif result.stop is Stop.BUDGET:
        detail = f"after {counters.total():,} instructions, at {elf.place(image, address)}"
    elif result.stop in (Stop.HALTED, Stop.ASLEEP):
        detail = f"at {elf.place(image, result.registers['eip'])}"
    return replace(result, marks=marks if boot.marks else None, counters=counters, detail=detail, changed=changed)


_EXCEPTION = re.compile(
    r"^ *\d+: v=([0-9a-f]{2}) e=([0-9a-f]{4}) i=0 cpl=(\d) IP=([0-9a-f]{4}):([0-9a-f]+) .*?"
    r"(?:CR2=([0-9a-f]+)|env->.*)$", re.MULTILINE)


def parse_faults(text: str) -> tuple[Fault, ...]:
    """The exceptions in a log of `-d int`: no interrupts, no INT n."""
    return tuple(
        Fault(int(vector, 16), int(error, 16), int(cpl), int(cs, 16), int(eip, 16),
              int(address, 16) if address else None)
        for vector, error, cpl, cs, eip, address in _EXCEPTION.findall(text) if int(vector, 16) < 32)


def _faults(folder: Path) -> tuple[Fault, ...]:
    return parse_faults((folder / LOG).read_text(errors="replace"))


def _explain_reset(boot: Boot, folder: Path, image: elf.Elf, result: Run) -> Run:
    """Was it a triple fault, and of what? The same run again, with a log: it does the same."""
    if not boot.exceptions:
        again = run(replace(boot, exceptions=True), folder)
        return replace(again, faults=None)
    if "Triple fault" not in (folder / LOG).read_text(errors="replace"):
        return replace(result, detail="the machine was reset, by no triple fault")
    detail = "no exception was logged before it"
    if result.faults:
        detail = describe(_first_of_chain(result.faults), image)
    return replace(result, stop=Stop.TRIPLE_FAULT, detail=detail)


def _first_of_chain(faults: tuple[Fault, ...]) -> Fault:
    """The last faults of a log are one after the other at one address: the first of them is the cause."""
    chain = faults[-1]
    for fault in reversed(faults[-3:]):
        if fault.eip != chain.eip:
            break
        chain = fault
    return chain


EXCEPTIONS = ("#DE #DB NMI #BP #OF #BR #UD #NM #DF #9 #TS #NP #SS #GP #PF #15 #MF #AC #MC #XM").split()


def describe(fault: Fault, image: elf.Elf) -> str:
    name = EXCEPTIONS[fault.vector] if fault.vector < len(EXCEPTIONS) else f"#{fault.vector}"
    error = f"({fault.error:#x})" if fault.vector in (8, 10, 11, 12, 13, 14, 17) else ""
    where = f" of {fault.address:#010x}" if fault.address is not None else ""
    return f"{name}{error}{where} in ring {fault.cpl} at {elf.place(image, fault.eip)}"
