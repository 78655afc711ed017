# SPDX-License-Identifier: MIT
"""Back-traces through entries: from the hypervisor on to the guest that entered it, and from a guest's kernel on to ring 3.

Compiled code of the hypervisor and of mini has tables that say how it uses the stack. Entry code has not, but leaves the
interrupted registers in a structure whose order is known (struct regs, mini's struct frame, Linux's struct pt_regs): its
tables are made here (tables.py). Functions without tables, which is all of Linux, are read (depth.py). Whatever cannot be
followed ends the back-trace: no frame is a guess.
"""

import hashlib
import re
import tempfile
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gdb
from gdb.FrameDecorator import FrameDecorator
from gdb.unwinder import Unwinder, register_unwinder

from . import depth, session, symbols
from .command import Failure
from .executable import executable
from .model import address, hypervisor, type_of, variable
from .tables import Piece, Row, constant, evaluate, file, if_else, op, plus, register

# Where the interrupted registers lie: below EIP, the last one the highest. Above it are CS, EFLAGS and, of another ring, ESP, SS.
GENERAL = ("edi", "esi", "ebp", "", "ebx", "edx", "ecx", "eax")
REGS = ("gs", "fs", "es", "ds", *GENERAL, "", "")  # src/machine.h
FRAME = ("es", "ds", *GENERAL, "", "", "")  # guestos/mini/frame.h
PT_REGS = ("ebx", "ecx", "edx", "esi", "edi", "ebp", "eax", "ds", "es", "fs", "", "")
TSS = {"eip": 32, "eflags": 36, "eax": 40, "ecx": 44, "edx": 48, "ebx": 52, "esp": 56, "ebp": 60, "esi": 64, "edi": 68,
       "es": 72, "cs": 76, "ss": 80, "ds": 84, "fs": 88, "gs": 92}  # fmt: skip
KEPT = (*depth.KEPT, "esp", "cs", "ss", "ds", "es", "fs", "gs", "eflags")  # by a call

# A frame of entry code has its address behind EIP, CS and EFLAGS.
CORE = 12
REGS_FRAME = 4 * len(REGS) + CORE  # from the start of struct regs

# Labels of entry code, and how far above ESP the interrupted EIP lies there. (SDM 3A, 6.15: which vectors have an error code.)
ERROR_CODES = {8, 10, 11, 12, 13, 14, 17}
ENTRIES = {"entry_hypercall": 0, "entry_trap": 8, "entry_debug": 0, "entry_nmi": 0}
MINI_ENTRIES = {"frame_return": 52, "critical_start": 0, "event_entry": 0, "enter": 12, "failsafe_entry": 16}
MINI_STUB = 16
OUTERMOST = ("mapped", "mini_entry", "atelier_start", "startup_32_smp", "ret_from_fork")


@dataclass(frozen=True)
class Place:
    """A piece of code between two names."""

    name: str
    start: int
    end: int


class Names:
    """A file's names by address."""

    def __init__(self, path: str):
        self.path, image = path, executable(path)
        self.by_name = {name: symbol for name, symbol in image.symbols.items()
                        if any(s.virtual <= symbol.address < s.virtual + s.size for s in image.segments)}
        labels = {symbol.address: name for name, symbol in self.by_name.items()}
        self.labels = sorted(labels.items())
        self.functions = sorted((symbol.address, symbol.size, name) for name, symbol in self.by_name.items()
                                if symbol.function and symbol.size)

    def at(self, pc: int) -> Place | None:
        """The function, or what is between two labels where none is."""
        i = bisect_right(self.functions, (pc, 1 << 32)) - 1
        if i >= 0 and pc < sum(self.functions[i][:2]):
            start, size, name = self.functions[i]
            return Place(name, start, start + size)
        i = bisect_right(self.labels, (pc, "\x7f")) - 1
        if i < 0 or i + 1 == len(self.labels):
            return None
        return Place(self.labels[i][1], self.labels[i][0], self.labels[i + 1][0])

    def place(self, name: str) -> Place:
        if name not in self.by_name:
            raise Failure(f"there is no `{name}`")
        start = self.by_name[name].address
        found = self.at(start)
        if found is None:
            raise Failure(f"nothing is known of `{name}`")
        return Place(name, start, found.end)


    def extent(self, pc: int) -> depth.Parts:
        """The parts of the function at an address."""
        here = self.at(pc)
        return self.parts(here) if here else ()

    def parts(self, here: Place) -> depth.Parts:
        """A function and what the compiler has put elsewhere of it; of assembly, from the first label on that leads there."""
        name = here.name.removesuffix(".cold")
        if name not in self.by_name or not self.by_name[name].function:
            return ((self._first_label(here), here.end),)
        places = [self.place(part) for part in (name, f"{name}.cold") if part in self.by_name]
        return tuple((place.start, place.end) for place in places)

    def _first_label(self, here: Place) -> int:
        start = here.start
        while (before := self.at(start - 1)) and not self.by_name[before.name].function:
            if here.start not in depth.follow(depth.instructions(((before.start, here.end),)), before.start):
                break
            start = before.start
        return start


@cache
def names(path: str) -> Names:
    return Names(path)


def names_at(pc: int) -> Names | None:
    """The names of what lies at an address: the hypervisor's, or those of the guest's kernel that GDB has."""
    if pc >= symbols.LINE:
        return names(hypervisor().filename)
    return names(symbols.shown_file()) if symbols.shown_file() else None


# ---- tables: what registers lie where ----

def load(at: int) -> bytes:
    """The word so far above the frame's address."""
    return plus(at) + op("deref")


def is_ring(ring_at_least: int) -> bytes:
    """Whether it was a ring from that one on that was interrupted."""
    return load(-8) + constant(3) + op("and") + constant(ring_at_least) + op("ge")


def outside(layout: tuple[str, ...], crossing: int, *, partly: bool, known: bytes = b"") -> dict[str, bytes]:
    """How the interrupted registers are got from the frame's address.

    @crossing: the least ring from which the processor pushes ESP and SS, too. @partly: of @layout only what lies from ESP on has
    been pushed, or not yet popped. @known: whether what was interrupted can be told; by default it can."""
    found = {"eflags": load(-4), "cs": load(-8) + constant(0xFFFF) + op("and"),
             "eip": if_else(op("dup") + known, load(-CORE), constant(0)) if known else load(-CORE),
             "esp": if_else(op("dup") + is_ring(crossing), op("deref"), b""),
             "ss": if_else(op("dup") + is_ring(crossing), load(4), register("ss"))}  # fmt: skip
    for i, name in enumerate(layout):
        at = 4 * (i - len(layout)) - CORE
        if name:
            found[name] = if_else(op("dup") + plus(at) + register("esp") + op("ge"), load(at), register(name)) if partly else load(at)
    return found


def offset(member: str) -> int:
    """Of a member of a domain."""
    at, kind = 0, type_of("struct domain")
    for part in member.split("."):
        field = next(field for field in kind.fields() if field.name == part)
        at, kind = at + field.bitpos // 8, field.type
    return at


def word_at(value: gdb.Value) -> bytes:
    return constant(int(value.address)) + op("deref")


def rows(start: int, end: int, at_start: int, registers: dict[str, bytes]) -> Iterator[Row]:
    """As far as it is known where ESP is. @at_start: how far above it EIP lies at @start."""
    for place, state in sorted(depth.follow(depth.instructions(((start, end),)), start).items()):
        if state.depth is not None:
            yield Row(place, register("esp") + plus(state.depth + at_start + CORE), registers)


def behind(instruction: str, place: Place) -> int:
    """Where the instruction after the first one of that form starts."""
    code = depth.instructions(((place.start, place.end),))
    found = next((i for i in code if re.match(instruction, i["asm"])), None)
    if found is None:
        raise Failure(f"`{place.name}` is not as it was")
    return found["addr"] + found["length"]


# ---- the hypervisor's ----

def hypervisor_pieces() -> Iterator[Piece]:
    known = names(hypervisor().filename)
    partly = outside(REGS, 1, partly=True)
    saved = outside(REGS, 1, partly=False)
    # A guest's memory is there only while its page tables are the loaded ones.
    base = load(offset("paging.base") - offset("vcpu.regs") - REGS_FRAME)
    entered = outside(REGS, 1, partly=False, known=base + word_at(variable("mmu", "mmu.c")["base"]) + op("eq"))
    top = address("stack_top")
    argument = constant(top - 4) + op("deref")
    for name in known.by_name:
        vector = re.fullmatch(r"entry_(\d+)", name)
        if vector or name in ENTRIES:
            at_start = ENTRIES[name] if not vector else 4 if int(vector[1]) in ERROR_CODES else 0
            place = known.place(name)
            found = list(rows(place.start, place.end, at_start, partly))
            if name == "entry_hypercall":
                switched = behind(r"mov\s+\$\w+,%esp", place)
                first = if_else(register("esp") + constant(top) + op("eq"), register("eax"), argument)
                found.append(Row(switched, first + plus(REGS_FRAME), entered))
            if name == "entry_trap":
                switched = behind(r"mov\s+\$\w+,%esp", place)
                found = [row for row in found if row.start < switched] + [Row(switched, register("ebx") + plus(REGS_FRAME), entered)]
            yield Piece(place.start, place.end, found)
    yield leaving(Place("exit_to_guest", address("exit_to_guest"), address("exit_iret") + 1), "eax", argument, entered, saved, partly)
    yield leaving(known.place("from_hypervisor"), "ebx", b"", {}, saved, partly)
    fault = known.place("entry_double_fault")
    yield Piece(fault.start, fault.end, [Row(fault.start, constant(address("cpu_tss")), {name: load(at) for name, at in TSS.items()})])


def leaving(place: Place, holder: str, first: bytes, entered: dict, saved: dict, partly: dict) -> Piece:
    """A way out: a register says where struct regs is, until the last registers are popped from it.

    @first: where it is at the first instruction, which is also where serve_hypercall() returns to."""
    popping = behind(rf"lea\s+\w+\(%{holder}\),%esp", place)
    held = register(holder) + plus(REGS_FRAME)
    found = [Row(place.start, first + plus(REGS_FRAME) if first else held, entered if first else saved)]
    if first:
        found.append(Row(behind(r"mov", place), held, saved))
    return Piece(place.start, place.end, [*found, *rows(popping, place.end, REGS_FRAME - CORE - 16, partly)])


# ---- a guest's ----

def guest_pieces(path: str) -> Iterator[Piece]:
    known = names(path)
    for name in OUTERMOST:
        if name in known.by_name:
            place = known.place(name)
            yield Piece(place.start, place.end, [Row(place.start)])
    if "trap_stubs" in known.by_name:
        yield from mini_pieces(known)
    if "__entry_text_start" in known.by_name:
        yield from linux_pieces(known)


def mini_pieces(known: Names) -> Iterator[Piece]:
    registers = outside(FRAME, 2, partly=True)
    for name, at_start in MINI_ENTRIES.items():
        if name in known.by_name:
            place = known.place(name)
            yield Piece(place.start, place.end, list(rows(place.start, place.end, at_start, registers)))
    stubs, end = known.place("trap_stubs"), known.place("frame_return").start
    found: list[Row] = []
    for vector, start in enumerate(range(stubs.start, end, MINI_STUB)):
        at_start = 8 if vector == 14 else 4 if vector in ERROR_CODES else 0
        found += rows(start, min(start + MINI_STUB, end), at_start, registers)
    yield Piece(stubs.start, end, found)


def linux_pieces(known: Names) -> Iterator[Piece]:
    """Where it has called C, struct pt_regs is where ESP is. Elsewhere only an entry from ring 3 is told, by where the hypervisor
    or the processor put what it pushed: at the end of the stack that the guest has named."""
    start, end = (known.by_name[name].address for name in ("__entry_text_start", "__entry_text_end"))
    size = 4 * len(PT_REGS)
    saved = outside(PT_REGS, 0, partly=False)  # SAVE_ALL puts ESP and SS there, too, if they are not yet
    pushed = op("dup") + is_ring(3)
    above = op("dup") + plus(-CORE) + register("esp") + op("ge")
    below = register("esp") + op("swap") + plus(-CORE - size) + op("ge")
    from_ring_3 = outside(PT_REGS, 2, partly=True, known=pushed + op("swap") + above + op("swap") + below + op("and", "and"))
    at_end = word_at(variable("sched", "sched.c")["loaded"]) + plus(offset("vcpu.kernel_esp")) + op("deref") + plus(-8)
    found = []
    returns = False
    for instruction in depth.instructions(((start, end),)):
        found.append(Row(instruction["addr"], register("esp") + plus(size + CORE), saved) if returns else
                     Row(instruction["addr"], at_end, from_ring_3))
        returns = instruction["asm"].startswith("call")
    yield Piece(start, end, found)


# ---- GDB has them ----

@dataclass(frozen=True)
class Given:
    """Tables that GDB has."""

    table: Path
    pieces: tuple[Piece, ...]


_given: dict[str, Given] = {}  # by the file whose code they are for


@cache
def _folder() -> Path:
    """A private place for tables: the session's, which goes with it."""
    if session.current:
        return session.current.folder
    alone = tempfile.TemporaryDirectory(prefix="atelier-gdb-")
    _kept.append(alone)
    return Path(alone.name)


_kept: list[tempfile.TemporaryDirectory] = []  # as long as GDB runs


def give(path: str) -> None:
    """Gives GDB the tables for a file whose symbols it has: the hypervisor, or a guest's kernel."""
    try:
        with _code_from_files():
            pieces = list(hypervisor_pieces() if path == hypervisor().filename else guest_pieces(path))
    except Failure:
        return  # a stage of the course, or somebody's own entry code: back-traces end there
    if not pieces:
        return
    table = _folder() / f"tables-{hashlib.sha256(path.encode()).hexdigest()[:16]}"
    table.write_bytes(file(pieces))
    gdb.execute(f"add-symbol-file {table}", to_string=True)
    _given[path] = Given(table, tuple(pieces))


def take(path: str) -> None:
    if given := _given.pop(path, None):
        gdb.execute(f"remove-symbol-file {given.table}", to_string=True)


@contextmanager
def _code_from_files() -> Iterator[None]:
    """The machine may not have the code yet, or not under its address."""
    gdb.execute("set trust-readonly-sections on", to_string=True)
    try:
        yield
    finally:
        gdb.execute("set trust-readonly-sections off", to_string=True)


def _start(_event: object) -> None:
    """At the first stop there is a session."""
    gdb.events.stop.disconnect(_start)
    try:
        give(hypervisor().filename)
    except (Failure, gdb.error):
        pass


gdb.events.stop.connect(_start)
symbols.when_given.append(give)
symbols.when_taken.append(take)


# ---- functions without tables, and the end ----

class FrameId:
    def __init__(self, sp: int, pc: int):
        self.sp, self.pc = gdb.Value(sp), gdb.Value(pc)


class _Functions(Unwinder):
    def __init__(self) -> None:
        super().__init__("atelier")

    def __call__(self, pending: gdb.PendingFrame) -> gdb.UnwindInfo | None:
        try:
            return _unwind(_View(pending))
        except (Failure, gdb.error):
            return None


class _View:
    """A frame that is to be unwound: its registers, and the memory that they point to."""

    def __init__(self, pending: gdb.PendingFrame):
        self.pending = pending
        self.level = pending.level()
        self.pc, self.sp = self.register("eip"), self.register("esp")
        self.ring = self.register("cs") & 3

    def register(self, name: str) -> int:
        return int(self.pending.read_register(name)) & 0xFFFFFFFF

    def word(self, place: int) -> int:
        return int.from_bytes(gdb.selected_inferior().read_memory(place, 4).tobytes(), "little")

    def info(self, registers: dict[str, int], cfa: int, start: int) -> gdb.UnwindInfo:
        """The frame outside of this one has @registers, and of the others those that a call keeps, as this one."""
        made = self.pending.create_unwind_info(FrameId(cfa, start))
        kind = self.pending.architecture().integer_type(32, False)
        for name, value in ({name: self.register(name) for name in KEPT if name not in registers} | registers).items():
            made.add_saved_register(name, gdb.Value(value & 0xFFFFFFFF).cast(kind))
        return made

    def end(self) -> gdb.UnwindInfo:
        """There is no frame outside of this one, or none that can be known: GDB goes on to address 0, and no further."""
        return self.info({"eip": 0}, self.sp, self.pc)


def _unwind(view: _View) -> gdb.UnwindInfo | None:
    if view.ring == 3:
        return None if gdb.find_pc_line(view.pc).symtab else view.end()
    known = names_at(view.pc)
    here = known.at(view.pc) if known else None
    if here is None:
        return view.end()
    if piece := next((piece for given in _given.values() for piece in given.pieces if piece.start <= view.pc < piece.end), None):
        # GDB itself would do so for the innermost frame, too, but then take it for a signal's, and show no source.
        return None if view.level else _by_table(view, piece)
    line = gdb.find_pc_line(view.pc)
    if line.symtab and not line.symtab.filename.endswith(".S"):
        return None
    if view.level and view.pc == here.start:  # behind a call that never returns
        here = known.at(view.pc - 1) or here
    now = depth.at(known.path, known.parts(here), view.pc, known.extent, behind_call=view.level > 0)
    if now is None or (now.depth is None and now.base is None):
        return view.end()
    place = view.sp + now.depth if now.depth is not None else view.register(now.base[0]) + now.base[1]
    registers = {name: view.word(place - offset) for name, offset in now.kept}
    registers |= {"eip": view.word(place), "esp": place + 4}
    caller = names_at(registers["eip"])
    return view.info(registers, place + 4, here.start) if caller and caller.at(registers["eip"]) else view.end()


def _by_table(view: _View, piece: Piece) -> gdb.UnwindInfo:
    row = next((row for row in reversed(piece.rows) if row.start <= view.pc), None)
    if row is None or not row.cfa:
        return view.end()
    cfa = evaluate(row.cfa, [], view.word, view.register)
    registers = {name: evaluate(expression, [cfa], view.word, view.register) for name, expression in row.registers.items()}
    # The stack that was interrupted may be below this one, and GDB wants each frame's address above the one inside of it.
    return view.info(registers, 0, piece.start)


register_unwinder(None, _Functions(), replace=True)


# ---- how frames are shown ----

class _Named(FrameDecorator):
    """A frame with the name and line that GDB keeps to itself where code was interrupted, or knows from a label only.

    @mark: the ring that it runs in, and whose it is."""

    def __init__(self, base: FrameDecorator, mark: str = ""):
        super().__init__(base)
        self.mark = mark
        self.entry = self.inferior_frame().type() == gdb.SIGTRAMP_FRAME
        self.pc = self.inferior_frame().pc()
        inside = self.inferior_frame().newer()
        if self.entry and inside and inside.type() == gdb.NORMAL_FRAME:
            self.pc -= 1  # it made a call, behind which something else may begin

    def function(self) -> str | int:
        name = self.inferior_frame().name()
        if self.entry and (known := names_at(self.pc)) and (place := known.at(self.pc)):
            name = place.name
        return f"{name or '??'} [{self.mark}]" if self.mark else name or self.pc

    def line(self) -> int | None:
        return gdb.find_pc_line(self.pc).line or None if self.entry else super().line()


class _Rings:
    """Marks the first frame of each ring, and leaves out where a back-trace ends: at address 0."""

    name, enabled, priority = "rings", True, 100

    def filter(self, frames: Iterator[FrameDecorator]) -> Iterator[FrameDecorator]:
        last = 0
        for frame in frames:
            inside = frame.inferior_frame()
            if inside.pc() == 0 and inside.level() > 0:
                return
            ring = int(inside.read_register("cs")) & 3
            yield _Named(frame, _mark(ring) if ring != last else "")
            last = ring


def _mark(ring: int) -> str:
    try:
        d = symbols.loaded()
    except (Failure, gdb.error):
        d = None
    return f"ring {ring}" + (f", domain {int(d['id'])}" if ring and d else "")


gdb.frame_filters["rings"] = _Rings()
