# SPDX-License-Identifier: MIT
"""Whose names an address has: `atl symbols`, `atl break D LOCATION`, `atl program FILE`, and the function `$domain()`.

All domains live at the same addresses, so GDB has one guest kernel's symbols at a time: those of the domain whose page tables
are loaded. Which file that is, the domain's memory tells: it is compared with the files that the session may boot. At each
stop that is looked at again. While there is a breakpoint by name in a guest, or one that waits for its name, it is looked at
whenever the hypervisor loads another domain, too: so it is hit by whoever runs that kernel, and by nobody else.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gdb

from . import session
from .command import Failure, command, number, say, table, words
from .executable import executable
from .model import PAGE, address, domain_numbers, domains, function_at, name_of, physical, running, variable

LINE = 0xFC000000  # ATELIER_LINE: guests lie below
SAMPLES = 8  # pages of a kernel that are compared: all of mini, some of Linux
ALIKE = 0.9  # of their bytes: Linux changes a few of its instructions as it starts
CHECKED = 32  # bytes, at each stop
PRESENT = 1
RELOCATABLE = 3  # ET_DYN


@dataclass(frozen=True)
class Kernel:
    """A file that a domain may run."""

    path: str
    start: int  # of its text
    text: bytes


_shown: Kernel | None = None  # whose symbols GDB has
_found: dict[tuple[int, int], Kernel] = {}  # by a domain's number and shared page
_programs: dict[str, str] = {}  # by path: where it was said to lie
when_given: list[Callable[[str], None]] = []  # what to do with a file of symbols that GDB has got, and that it is to lose
when_taken: list[Callable[[str], None]] = []


@cache
def _kernel(path: str) -> Kernel | None:
    try:
        segment = executable(path).segments[0]
    except Failure:
        return None
    return Kernel(path, segment.virtual, segment.content)


def _kernels() -> Iterator[Kernel]:
    for path in session.current.kernels if session.current else ():
        if kernel := _kernel(path):
            yield kernel


def symbol_file(kernel: Kernel) -> str:
    """Where a kernel's symbols are: Linux is booted without, and has them beside it."""
    return str(_symbol_file(kernel).resolve())


def _symbol_file(kernel: Kernel) -> Path:
    beside = Path(f"{kernel.path}.debug")
    return beside if beside.exists() else Path(kernel.path)


def shown_file() -> str:
    """The file that GDB has a guest kernel's symbols from now, or nothing."""
    return symbol_file(_shown) if _shown else ""


# ---- which file a domain runs ----

def _entry(frame: int, index: int) -> int:
    return struct.unpack("<I", physical(frame + 4 * index, 4))[0]


def _page(base: int, va: int) -> bytes:
    """A page of a domain, by its own tables; nothing where there is none."""
    entry = _entry(base * PAGE, va >> 22)
    if entry & PRESENT:
        entry = _entry(entry & -PAGE, va >> 12 & 1023)
    return physical(entry & -PAGE, PAGE) if entry & PRESENT else b""


def _likeness(kernel: Kernel, pages: dict[int, bytes], base: int) -> float:
    """How much of a kernel's text a domain has: 0.0 to 1.0. @pages: those of the domain that were read already."""
    count = len(kernel.text) // PAGE + 1
    same = compared = 0
    for i in {i * (count - 1) // (SAMPLES - 1) for i in range(SAMPLES)}:
        va = kernel.start + i * PAGE
        if va not in pages:
            pages[va] = _page(base, va)
        want = kernel.text[i * PAGE:(i + 1) * PAGE]
        compared += len(want)
        same += sum(a == b for a, b in zip(want, pages[va]))
    return same / compared if compared else 0.0


def kernel_of(d: gdb.Value) -> Kernel | None:
    """The file whose text a domain has in its memory."""
    base = int(d["paging"]["base"]["n"])
    if base == 0xFFFFFFFF:
        return None
    key = (int(d["id"]), int(d["shared_frame"]["n"]))
    if (known := _found.get(key)) and _page(base, known.start)[:CHECKED] == known.text[:CHECKED]:
        return known
    _found.pop(key, None)
    pages: dict[int, bytes] = {}
    rated = [(_likeness(kernel, pages, base), kernel) for kernel in _kernels()]
    likeness, best = max(rated, key=lambda pair: pair[0], default=(0.0, None))
    if best is None or likeness < ALIKE:
        return None
    _found[key] = best
    return best


# ---- GDB has the symbols of the loaded one ----

def loaded() -> gdb.Value | None:
    """Whose page tables the processor has: the running domain, the last one that ran, or the one that it is about to run."""
    base = int(variable("mmu", "mmu.c")["base"]["n"])
    pointer = variable("sched", "sched.c")["loaded"]
    if int(pointer) and int(pointer.dereference()["paging"]["base"]["n"]) == base:
        return pointer.dereference()
    return next((d for d in domains() if int(d["paging"]["base"]["n"]) == base), None)


def _show(kernel: Kernel | None) -> bool:
    """Gives GDB a kernel's symbols, in the place of the last one's. False: it has them."""
    global _shown
    if kernel == _shown:
        return False
    if _shown:
        path = symbol_file(_shown)
        _shown = None
        for tell in when_taken:
            tell(path)
        _quietly(f"remove-symbol-file {path}")
    if kernel:
        path = symbol_file(kernel)
        _quietly(f"add-symbol-file {path}")
        _shown = kernel
        for tell in when_given:
            tell(path)
    return True


def _quietly(order: str) -> None:
    gdb.execute(order, to_string=True)


def _follow(_event: object) -> None:
    """At a stop."""
    try:
        d = loaded()
        if not _show(kernel_of(d) if d else None):
            return
        frame = gdb.newest_frame()
        if frame.pc() < LINE and function_at(frame.pc()):
            # GDB has said where it stopped, without these names.
            say(f"domain {int(d['id'])} runs {Path(_shown.path).name}")
            gdb.execute("frame 0")
    except (Failure, gdb.error):
        pass  # the hypervisor is starting, or its tables are broken: which is no reason to be in the way


class _Switch(gdb.Breakpoint):
    """At vcpu_switch_in(d), when its page tables have just been loaded. Going backwards, the last domain's are about to be."""

    def stop(self) -> bool:
        try:
            back = "everse" in gdb.execute("show exec-direction", to_string=True)
            last = variable("sched", "sched.c")["loaded"]
            d = (last.dereference() if int(last) else None) if back else loaded()
            _show(kernel_of(d) if d else None)
        except (Failure, gdb.error):
            pass
        return False


_switch: _Switch | None = None


def _waits(breakpoint_: gdb.Breakpoint) -> bool:
    """Whether a breakpoint hangs on which kernel's symbols GDB has."""
    if not breakpoint_.is_valid() or breakpoint_.number < 0 or not breakpoint_.enabled or not breakpoint_.location:
        return False
    if breakpoint_.location.startswith("*"):
        return False
    return breakpoint_.pending or any(place.address < LINE for place in breakpoint_.locations)


def _look_at_breakpoints(changed: gdb.Breakpoint) -> None:
    """_Switch costs a stop a switch, so it is there while something waits for it."""
    global _switch
    if changed.number < 0:
        return
    try:
        wanted = any(_waits(b) for b in gdb.breakpoints() if b is not changed or b.is_valid())
        if wanted and _switch is None:
            _switch = _Switch(f"*{address('vcpu_switch_in'):#x}", internal=True)
        elif _switch and _switch.enabled != wanted:
            _switch.enabled = wanted
    except (Failure, gdb.error):
        pass  # without it, symbols still change where GDB stops


gdb.events.stop.connect(_follow)
for happening in (gdb.events.breakpoint_created, gdb.events.breakpoint_modified, gdb.events.breakpoint_deleted):
    happening.connect(_look_at_breakpoints)
_quietly("set breakpoint pending on")
_quietly("set debuginfod enabled off")


class _Domain(gdb.Function):
    """$domain(): the number of the domain that runs; -1 while none does. `break LOCATION if $domain() == 2`"""

    def __init__(self) -> None:
        super().__init__("domain")

    def invoke(self) -> int:
        try:
            d = running()
            return -1 if d is None else int(d["id"])
        except (Failure, gdb.error):
            return -1


_Domain()


# ---- commands ----

@command("symbols")
def show_symbols(given: list[str]) -> None:
    """Which file each domain's kernel is, and whose symbols GDB has now.

    atl symbols

    A domain's memory is compared with the files that this session may boot. GDB has one guest kernel's symbols at a time,
    marked by a star: those of the domain that runs, or ran last. They change by themselves. Breakpoints by name stay, and are
    hit in every domain that runs that kernel: `help atl break` for one domain only."""
    words(given, "symbols", 0)
    rows = []
    for d in domains():
        kernel = kernel_of(d)
        rows.append((int(d["id"]), name_of(d), "*" if kernel and kernel == _shown else "",
                     shorter(_symbol_file(kernel)) if kernel else "no file of this session"))
    if rows:
        table(("D", "NAME", "", "SYMBOLS"), rows, "a")
    for path, at in _programs.items():
        say(f"a program: {shorter(path)}{' at ' + at if at else ''}")
    if not rows and not _programs:
        say("there is no domain yet: the hypervisor is starting")


def shorter(path: str | Path) -> str:
    """A path as seen from the tree, if it is in it."""
    root = Path(__file__).resolve().parents[2]
    return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else str(path)


@command("break", domain_numbers)
def break_in(given: list[str]) -> None:
    """A breakpoint in one domain: a place in its kernel, or in a program of its.

    atl break D LOCATION

    LOCATION is what GDB's `break` takes: a function, file:line, *address. It need not be known yet, nor need the domain be
    there. What the hypervisor does on the domain's behalf is left out: `break LOCATION if $domain() == D` for that."""
    words(given, "break D LOCATION", 2)
    wanted = number(given[0], "domain")
    gdb.execute(f"break {given[1]} if $domain() == {wanted} && ($cs & 3) != 0")


@command("program")
def program(given: list[str]) -> None:
    """Adds the symbols of a program that runs in ring 3, or takes them away; without a word, lists them.

    atl program [FILE [ADDRESS | off]]

    A program that is linked to be anywhere (PIE) needs the ADDRESS at which it was loaded. Programs of different domains and
    processes share addresses: `atl break D LOCATION` stops in one domain. Nothing in the file is executed."""
    words(given, "program [FILE [ADDRESS | off]]", 0, 2)
    if not given:
        for path, at in _programs.items():
            say(f"{shorter(path)}{' at ' + at if at else ''}")
        if not _programs:
            say("no program's symbols were given")
        return
    path = str(Path(given[0]).expanduser().resolve())
    if given[1:] == ["off"]:
        if path not in _programs:
            raise Failure(f"{given[0]}: GDB has no symbols of it: `atl program` lists those that it has")
        _quietly(f"remove-symbol-file {path}")
        del _programs[path]
        return
    if path in _programs:
        raise Failure(f"{given[0]}: GDB has its symbols: atl program {given[0]} off")
    at = given[1] if given[1:] else ""
    _add_program(path, at)
    _programs[path] = at


def _add_program(path: str, at: str) -> None:
    executable(path)  # it is one
    with Path(path).open("rb") as file:
        relocatable = struct.unpack("<H", file.read(18)[16:])[0] == RELOCATABLE
    if relocatable and not at:
        raise Failure(f"{path} may be loaded anywhere: say where it was, atl program {path} ADDRESS")
    if at and not relocatable:
        raise Failure(f"{path} lies where it was linked to: leave the address out")
    offset = f" -o {number(at, 'address'):#x}" if at else ""
    _quietly(f"add-symbol-file {path}{offset}")
