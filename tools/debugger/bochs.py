# SPDX-License-Identifier: MIT
"""A machine in Bochs' own debugger, which shows what GDB on QEMU cannot: a processor that checks segment limits and rights.

Booted as the grader boots in Bochs, with no BIOS: the ROM ends at the hypervisor's first instruction, and there it stops. The names
are in files that the debugger reads (`ldsym`): the hypervisor's, and those of domain 0's guest. It keeps one name an address, so
what another domain runs has a file of its own, to be read when that domain is of interest.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atelier_grader import bochs, elf, emulator, trial
from atelier_grader.emulator import Boot, Module
from atelier_grader.manifest import Manifest
from atelier_grader.manifest import Test as Listed

from .machine import ROOT, Failure

MINI = "mini.elf"
MEMORY = 128  # MiB, for mini
SYMBOLS, ORDERS, SETTINGS, MESSAGES = "symbols", "orders", "bochsrc", "messages"

# What the grader logs and ends with, a person wants to see, and go on: why the processor refuses something is an `error` of its.
SEEN = """\
log: /dev/fd/1
logprefix: processor:
info: action=ignore, cpu0=ignore
error: action=ignore, cpu0=report
panic: action=report
"""

FIRST = """\
ldsym global "{symbols}"
pb {entry:#x}
c
d 1
"""


@dataclass(frozen=True)
class Target:
    """What is debugged. @guests: what the domains run, by name, domain 0's first."""

    boot: Boot
    guests: Mapping[str, Path]


def of_test(lab: Manifest, test: Listed, seed: str, built: trial.Built) -> Target:
    """A test of a lab, with the inputs that it is graded with."""
    try:
        asked = trial.ask(lab, test, "bochs", seed)
        boot = trial.boot_of(built, test, asked)
    except trial.FAILURES as error:
        raise Failure(f"{test.name}: {emulator.reason(error)}") from None
    guests = {}
    for guest in asked.loaded.domains:
        if isinstance(guest, trial.Guest):
            guests[guest.name] = built.tests / f"{guest.name}.elf"
        else:
            guests["linux"] = built.root / "build/linux/vmlinux"
    return Target(boot, guests)


def of_mini(kernel: Path) -> Target:
    """The system of `make run GUEST=mini`."""
    mini = ROOT / "build" / MINI
    boot = Boot(kernel, trial.COMMAND_LINE, (Module("mini", "", emulator.read_file(mini)),), MEMORY, 0)
    return Target(boot, {"mini": mini})


def debug(target: Target, place: Path, script: str = "") -> int:
    """Starts the debugger in the folder, for a person or with a script of its orders. Its status."""
    if not Path(bochs.PROGRAM).exists():
        raise Failure("Bochs is missing: run `make deps`, or install bochs")
    if script and not Path(script).is_file():
        raise Failure(f"{script}: there is no such file")
    try:
        image = bochs.lay(target.boot, place)
        others = _name(image, target, place)
    except trial.FAILURES as error:
        raise Failure(emulator.reason(error)) from None
    (place / SETTINGS).write_text(bochs.SETTINGS.format(memory=target.boot.memory, debug="") + SEEN)
    (place / ORDERS).write_text(FIRST.format(symbols=SYMBOLS, entry=image.entry))
    if not script:
        print(f"the console goes to {place / emulator.SERIAL}; `help` lists the orders, `q` ends the machine too", flush=True)
        for name, file in others.items():
            print(f'the names of {name} are not loaded: ldsym global "{file}"', flush=True)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the debugger's
    return _run(place, script)


def _run(place: Path, script: str) -> int:
    """What a script prints comes through a pipe: Bochs opens its output once more, for its log, which would cut a file short."""
    words = [bochs.PROGRAM, "-q", "-f", SETTINGS, "-rc", ORDERS]
    lines = [line for line in Path(script).read_text().splitlines() if line.strip()] if script else []
    piped = subprocess.PIPE if script else None
    with (place / MESSAGES).open("wb") as messages:
        process = subprocess.Popen(words, cwd=place, stdin=piped, stdout=piped, stderr=messages, env={**os.environ, "HOME": str(place)})
        try:
            if script:
                process.stdin.write("\n".join([*lines, "q", ""]).encode())  # an empty line would repeat the order before it
                process.stdin.close()
                shutil.copyfileobj(process.stdout, sys.stdout.buffer, 1)
                sys.stdout.flush()
            process.wait()
        finally:
            emulator.end(process)
    if process.returncode:
        raise Failure(_why(place / MESSAGES))
    return 0


def _why(messages: Path) -> str:
    """Why Bochs has ended on its own. What it calls a panic has stopped it; the exceptions before it are on the terminal."""
    panics = re.findall(r"^(?:\[.*?\]|.*>>PANIC<<) *(.+)$", messages.read_text(errors="replace"), re.MULTILINE)
    said = panics[-1] if panics else emulator.last_line(messages)
    if "exception with no resolution" in said:
        return "a triple fault: the processor refused to enter the handlers of what it says above, which is the end of the machine"
    return f"Bochs ended on its own: {said}"


def _name(image: elf.Elf, target: Target, place: Path) -> dict[str, str]:
    """Writes the files of names. Which guests' are not in the one that is loaded at once: name → file."""
    own = _names(image)
    others = {}
    for i, (guest, path) in enumerate(target.guests.items()):
        if i == 0:
            own += _names(elf.read(path))
        else:
            others[guest] = f"{SYMBOLS}-{guest}"
            (place / others[guest]).write_text(_names(elf.read(path)))
    (place / SYMBOLS).write_text(own)
    return others


def _names(image: elf.Elf) -> str:
    """`address name`, a line each, of what lies in the image: its constants are no places."""
    found = sorted((symbol.address, name) for name, symbol in image.symbols.items()
                   if any(part.virtual <= symbol.address < part.virtual + part.size for part in image.segments))
    return "".join(f"{address:#x} {name}\n" for address, name in found)
