# SPDX-License-Identifier: MIT
"""Runs a boot in Bochs, which checks segment limits and rings as the processor does, and has no BIOS
to wait for: bochs_rom.S starts the kernel.

The run ends at `xchg %bx, %bx`, which the hypervisor executes when it stops. Bochs counts no
executions; its clock is its instructions, idle time included, so a budget covers that as well.
"""

import re
import signal
import struct
import subprocess
import time
from pathlib import Path

from . import elf, emulator
from .emulator import Boot, Fault, Infra, Run, Stop

PROGRAM = "/usr/bin/bochs-bin"  # /usr/bin/bochs is a shell script around it, which a kill misses
IMAGE = "ram.bin"
ROM = "rom.bin"
LOG = "bochs.log"
MESSAGES = "bochs.txt"
INFO = 0x8000  # as in bochs_rom.S
INFO_SIZE = 0x2000
LOAD = 0x100000
POLL = 0.02  # seconds between two looks at the process
LOG_EVERY = 25  # looks at the process for one at its log
SIGNAL_EVERY = 50  # looks at the process for one signal: it forgets those that come before its orders
WALL_AFTER_SIGNAL = 30.0  # seconds for the debugger's orders

SETTINGS = f"""\
megs: {{memory}}
cpu: model=p3_katmai, ips=50000000, reset_on_triple_fault=0
romimage: file={ROM}
vgaromimage: file=/usr/share/vgabios/vgabios.bin
optramimage1: file={IMAGE}, address={LOAD:#x}
com1: enabled=1, mode=file, dev={emulator.SERIAL}
magic_break: enabled=1
display_library: rfb, options="timeout=0"
plugin_ctrl: speaker=0, gameport=0, parallel=0, extfpuirq=0
sound: driver=dummy
clock: sync=none, time0=1066521600
log: {LOG}
info: action=ignore, cpu0=report
error: action=ignore
debug: action=ignore{{debug}}
panic: action=fatal
"""

# The debugger's orders: run to the end or the budget, then show everything. `writemem` takes linear
# addresses; so before it a saved state is "restored" that has nothing but paging turned off.
ORDERS = """\
sb {budget}
c
r
sreg
creg
restore "cpu0" "."
writemem "{memory_file}" 0 {memory}
q
"""
NO_PAGING = "cpu0 = {\n  CR0 = 0x60000011\n}\n"


def rom() -> Path:
    return emulator.tool("rom.bin", "bochs_rom.S", [
        ["gcc", "-m32", "-c", "-o", "SCRATCH", "SOURCE"],
        ["objcopy", "-O", "binary", "-j", ".rom", "SCRATCH", "OUTPUT"]])


def build_image(image: elf.Elf, boot: Boot) -> tuple[bytes, list[tuple[int, int]]]:
    """Memory from 1 MiB on: the kernel, then each module on pages of its own; where those lie."""
    memory = bytearray()
    for segment in image.segments:
        at = segment.physical - LOAD
        if at < 0:
            raise Infra(f"{image.path.name} wants memory below 1 MiB")
        memory.extend(bytes(max(at + segment.size - len(memory), 0)))
        memory[at:at + len(segment.content)] = segment.content
    memory.extend(bytes(-len(memory) % emulator.PAGE))
    places = []
    for module in boot.modules:
        start = LOAD + len(memory)
        memory.extend(module.pages())
        places.append((start, LOAD + len(memory)))
    return bytes(memory), places


def build_info(boot: Boot, places: list[tuple[int, int]]) -> bytes:
    """The multiboot information (version 0.6.96, section 3.3), as it lies at INFO."""
    modules_at, map_at, strings_at = 0x100, 0x600, 0x700
    info = bytearray(INFO_SIZE)
    strings = bytearray()

    def put(text: str) -> int:
        start = INFO + strings_at + len(strings)
        strings.extend(text.encode() + b"\0")
        return start

    command_line = put(f"{emulator.KERNEL} {boot.command_line}")
    for i, (module, (start, stop)) in enumerate(zip(boot.modules, places, strict=True)):
        text = f"{module.keyword} {module.arguments}".rstrip()
        struct.pack_into("<4I", info, modules_at + 16 * i, start, stop, put(text), 0)
    ranges = [(0, 0x9f000), (LOAD, (boot.memory << 20) - LOAD)]
    for i, (start, size) in enumerate(ranges):
        struct.pack_into("<IQQI", info, map_at + 24 * i, 20, start, size, 1)
    struct.pack_into(
        "<13I", info, 0, 0x4d, 0x9f000 >> 10, (boot.memory << 10) - 1024, 0, command_line,
        len(places), INFO + modules_at, 0, 0, 0, 0, 24 * len(ranges), INFO + map_at)
    if len(boot.modules) > 80 or len(strings) > INFO_SIZE - strings_at:
        raise Infra("the strings of this test's boot modules are too long for the ROM")
    info[strings_at:strings_at + len(strings)] = strings
    return bytes(info)


def lay(boot: Boot, folder: Path) -> elf.Elf:
    """Lays what is booted into the folder, as SETTINGS names it."""
    image = emulator.prepare(folder, boot, LOG, MESSAGES)
    memory, places = build_image(image, boot)
    (folder / IMAGE).write_bytes(memory)
    words = struct.pack("<II", image.entry, LOAD + len(memory)) + build_info(boot, places)
    (folder / ROM).write_bytes(words + rom().read_bytes()[len(words):])
    return image


def run(boot: Boot, folder: Path) -> Run:
    """Boots and runs to the end. Raises Infra if the end says nothing about the hypervisor."""
    image = lay(boot, folder)
    (folder / "bochsrc").write_text(SETTINGS.format(
        memory=boot.memory, debug=", cpu0=report" if boot.exceptions else ""))
    (folder / "orders").write_text(ORDERS.format(
        budget=boot.budget, memory_file=emulator.MEMORY, memory=boot.memory << 20))

    (folder / "cpu0").write_text(NO_PAGING)

    process = emulator.spawn([PROGRAM, "-q", "-f", "bochsrc", "-rc", "orders"], folder, MESSAGES,
                             memory=boot.memory)
    try:
        deaf = _wait(boot, folder, process)
    finally:
        emulator.end(process)
    return _read(boot, folder, image, deaf, process)


def _wait(boot: Boot, folder: Path, process: subprocess.Popen) -> bool:
    """Until the end; True if the processor halted for good.

    Inside a `hlt` Bochs looks neither at interrupts that are off nor at the budget. A signal makes it go
    on with the debugger's orders, which show how much time had passed.
    """
    deadline = time.monotonic() + boot.wall_seconds()
    looks = signalled = 0
    deaf = False
    while process.poll() is None:
        time.sleep(POLL)
        looks += 1
        late = time.monotonic() > deadline
        if emulator.overflow(folder, LOG):
            return False
        if looks % LOG_EVERY == 0 and not deaf:
            deaf = "HLT instruction with IF=0" in _text(folder / LOG)
        if (deaf or late) and not signalled:
            signalled = looks
            deadline = time.monotonic() + WALL_AFTER_SIGNAL
        elif late:
            raise Infra(f"the wall clock ended the run after {boot.wall_seconds():.0f} s")
        if signalled and (looks - signalled) % SIGNAL_EVERY == 0 and _minds_signals(process):
            process.send_signal(signal.SIGINT)
    return deaf


def _minds_signals(process: subprocess.Popen) -> bool:
    """Whether it has come as far as its debugger: before, a signal would be its end."""
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)", _text(Path(f"/proc/{process.pid}/status")), re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGINT - 1) & 1)


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _read(boot: Boot, folder: Path, image: elf.Elf, deaf: bool, process: subprocess.Popen) -> Run:
    said, log = _text(folder / MESSAGES), _text(folder / LOG)
    full = emulator.overflow(folder, LOG)
    stop, detail = (Stop.OUTPUT, full) if full else _classify(boot, said, log, image, deaf, process)
    whole = stop not in (Stop.TRIPLE_FAULT, Stop.OUTPUT)  # those end Bochs
    memory = emulator.read_memory(folder / emulator.MEMORY, boot.memory << 20) if whole else b""
    if whole and len(memory) != boot.memory << 20:
        raise Infra("Bochs did not write the machine's memory")
    return Run("bochs", stop, detail, (folder / emulator.SERIAL).read_bytes(), memory,
               parse_registers(said) if whole else emulator.NO_REGISTERS,
               parse_faults(log) if boot.exceptions else None, None, None)


def _classify(boot: Boot, said: str, log: str, image: elf.Elf, deaf: bool, process: subprocess.Popen) -> tuple[Stop, str]:
    if deaf:
        return Stop.HALTED, f"at {elf.place(image, parse_registers(said).get('eip', 0))}"
    if "(0) Magic breakpoint" in said:
        return Stop.OFF, ""
    if "exception with no resolution" in log:
        at = re.findall(r"\| EIP=([0-9a-f]{8})", log)
        return Stop.TRIPLE_FAULT, f"at {elf.place(image, int(at[-1], 16))}" if at else ""
    ticks = re.findall(r"^Next at t=(\d+)", said, re.MULTILINE)
    if ticks and int(ticks[-1]) >= boot.budget:
        return Stop.BUDGET, f"at {elf.place(image, parse_registers(said).get('eip', 0))}"
    if len(ticks) > 1:  # it was signalled
        raise Infra(f"the wall clock ended the run after {boot.wall_seconds():.0f} s")
    panics = re.findall(r">>PANIC<< (.*)", said + log)
    raise emulator.gone("Bochs", process, panics[-1] if panics else "it said nothing")


def parse_registers(text: str) -> dict[str, int]:
    """What `r`, `sreg` and `creg` print: general and control registers, selectors, `gdt` and `gdt_limit`."""
    found = {"e" + name: int(value, 16) for name, value in
             re.findall(r"^r([a-z]{2}): [0-9a-f]{8}_([0-9a-f]{8})", text, re.MULTILINE)}
    found |= {name.lower(): int(value, 16) for name, value in
              re.findall(r"^(eflags|CR[034])[ =]0x([0-9a-f]+)", text, re.MULTILINE)}
    found |= {"cr2": int(value, 16) for value in re.findall(r"^CR2=.*laddr=0x([0-9a-f]+)", text, re.MULTILINE)}
    found |= {name: int(value, 16) for name, value in
              re.findall(r"^([c-gs]s):0x([0-9a-f]{4}),", text, re.MULTILINE)}
    for name, base, limit in re.findall(r"^([gi]dt)r:base=0x([0-9a-f]+), limit=0x([0-9a-f]+)", text, re.MULTILINE):
        found |= {name: int(base, 16), name + "_limit": int(limit, 16)}
    return found


def parse_faults(log: str) -> tuple[Fault, ...]:
    """The exceptions in a log with `debug: cpu0=report`. Bochs tells vector and error code."""
    found = re.findall(r"^\d+d\[CPU0 +\] exception\((0x[0-9a-f]+)\): error_code=([0-9a-f]+)", log,
                       re.MULTILINE)
    return tuple(Fault(int(vector, 16), int(error, 16), None, None, None, None) for vector, error in found)
