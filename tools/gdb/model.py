# SPDX-License-Identifier: MIT
"""The hypervisor's state as GDB sees it: its variables, its domains, and memory by machine frame.

Every walk is bounded, because what is walked may be broken. Values are GDB's, read field by field when they are asked for.
"""

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import gdb

from . import session
from .command import Failure, clean
from .executable import executable

PAGE = 4096
WORDS = struct.Struct("<1024I")
SAVED, MUCH, CLOSE = "memory", 4096, 16  # a file; bytes, from which on it is worth one; frames
LIST_LONGEST = 1 << 20  # entries of a list, after which it is taken for a ring that leads nowhere
LIFE = ("free", "lives", "dies")
DOMID_NONE, OWNER_MACHINE = 0xFFFF, 0xFFFE


def hypervisor() -> gdb.Objfile:
    """The hypervisor's own symbols: the file that GDB was started with. A guest's are never mistaken for them."""
    name = gdb.current_progspace().filename
    found = next((file for file in gdb.objfiles() if file.filename == name), None)
    if found is None:
        raise Failure("GDB was started without the hypervisor: gdb build/atelier-debug.elf")
    return found


def variable(name: str, file: str = "") -> gdb.Value:
    """A variable of the hypervisor's, static ones too; @file, the end of its source's name, where two have that name."""
    objfile = hypervisor()
    found = [symbol for symbol in (objfile.lookup_global_symbol(name), *_statics(name)) if symbol is not None]
    for symbol in found:
        # Of a file that only declares it, GDB knows it as unresolved, and finds it all the same.
        declared = symbol.addr_class == gdb.SYMBOL_LOC_UNRESOLVED
        if declared or (symbol.is_variable and symbol.symtab.filename.endswith(file)):
            return symbol.value()
    raise Failure(f"this hypervisor has no `{name}`: it belongs to a later lab, or was renamed")


def _statics(name: str) -> list[gdb.Symbol]:
    return [symbol for symbol in gdb.lookup_static_symbols(name) if symbol.symtab.objfile == hypervisor()]


def has(name: str) -> bool:
    """Whether this hypervisor, which may be a stage of the course, has such a type: `struct vif`."""
    return _type(name) is not None


def type_of(name: str) -> gdb.Type:
    found = _type(name)
    if found is None:
        raise Failure(f"this hypervisor has no `{name}` yet: it comes with a later lab")
    return found


@cache
def _type(name: str) -> gdb.Type | None:
    try:
        return gdb.lookup_type(name, hypervisor_block())
    except gdb.error:
        return None


def hypervisor_block() -> gdb.Block:
    """Where names are the hypervisor's."""
    symbol = hypervisor().lookup_global_symbol("start_subsystems")
    if symbol is None:
        raise Failure("the program that GDB has is no Atelier with symbols")
    return symbol.symtab.static_block()


def address(symbol: str) -> int:
    """Where a function or label of the hypervisor's lies, whatever guest has that name as well."""
    found = executable(hypervisor().filename).symbols
    if symbol not in found:
        raise Failure(f"this hypervisor has no `{symbol}`")
    return found[symbol].address


def member(type_name: str, name: str) -> tuple[int, gdb.Type]:
    """Where in a structure a member lies, in bytes, and its type; @name may lead on: `vbds.round`."""
    kind, offset = type_of(type_name), 0
    for part in name.split("."):
        found = next((f for f in kind.fields() if f.name == part), None)
        if found is None:
            raise Failure(f"this hypervisor's `{type_name}` has no `{name}`: it comes with a later lab, or was renamed")
        kind, offset = found.type.strip_typedefs(), offset + found.bitpos // 8
    return offset, kind


def containing(pointer: gdb.Value, type_name: str, name: str) -> gdb.Value:
    """What a pointer to a member lies in: container_of()."""
    place = int(pointer) - member(type_name, name)[0]
    return gdb.Value(place).cast(type_of(type_name).pointer()).dereference()


def list_of(head: gdb.Value, type_name: str, name: str, most: int = LIST_LONGEST) -> Iterator[gdb.Value]:
    """The entries of a `struct list` of lib/list.h, from its head on. @most: how many there can be."""
    start, at = int(head.address), head["next"]
    for _ in range(most + 1):
        if int(at) == start:
            return
        if int(at) == 0:
            return  # a head that nobody has initialised
        yield containing(at, type_name, name)
        at = at["next"]
    raise Failure("a list does not come back to its head: it is broken")


def whole(value: gdb.Value) -> gdb.Value:
    """A value with all its bytes read at once, so that its fields and elements cost no further trip to the machine."""
    return gdb.Value(raw_of(value), value.type)


def as_type(raw: bytes, type_name: str) -> gdb.Value:
    """Bytes, as the hypervisor's type that they are."""
    kind = type_of(type_name)
    return gdb.Value(raw[:kind.sizeof], kind)


# ---- domains ----

def share(d: gdb.Value, member: str, lab: int) -> gdb.Value:
    """What a subsystem, which comes with a lab, keeps of a domain."""
    if member not in d.type.strip_typedefs():
        raise Failure(f"domains have no `{member}` here: they come with lab {lab}")
    return d[member]


def slots() -> gdb.Value:
    return variable("domains", "domain_table.c")["slots"]


def domain(text: str) -> gdb.Value:
    """The domain that somebody names: by number, or an expression that gives one."""
    try:
        value = gdb.parse_and_eval(text)
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
            value = value["id"]
        return slot(int(value))
    except gdb.MemoryError:
        raise
    except (gdb.error, ValueError) as error:
        raise Failure(f"{text}: no domain: {error}") from None


def slot(index: int) -> gdb.Value:
    """A domain that is or was, by number."""
    all_slots = slots()
    if not 0 <= index <= all_slots.type.range()[1]:
        raise Failure(f"there is no domain {index}: slots are 0 to {all_slots.type.range()[1]}")
    d = all_slots[index]
    if int(d["life"]) == 0 and not name_of(d):
        raise Failure(f"there is no domain {index}: `atl domains` lists them")
    return d


def domains() -> Iterator[gdb.Value]:
    """All that live or die."""
    all_slots = slots()
    for index in range(all_slots.type.range()[1] + 1):
        if int(all_slots[index]["life"]) != 0:
            yield all_slots[index]


def domain_numbers() -> list[str]:
    return [str(int(d["id"])) for d in domains()]


def life_of(d: gdb.Value) -> str:
    """Whether a domain is one, in a word."""
    life = int(d["life"])
    return LIFE[life] if 0 <= life < len(LIFE) else f"broken: its life is {life}"


def name_of(d: gdb.Value) -> str:
    raw = gdb.selected_inferior().read_memory(int(d["name"].address), d["name"].type.sizeof).tobytes()
    return clean(raw.split(b"\0")[0].decode("latin-1"))


def running() -> gdb.Value | None:
    """The domain on whose behalf the processor works."""
    current = variable("sched", "sched.c")["current"]
    return None if int(current) == 0 else current.dereference()


def register(name: str) -> int:
    """One of the processor's, as it is now, whichever frame of the call chain GDB shows."""
    return int(gdb.newest_frame().read_register(name)) & 0xFFFFFFFF


def in_ring_0() -> bool:
    """Whether the hypervisor itself is at work."""
    return register("cs") & 3 == 0


# ---- memory by machine address ----

@contextmanager
def _by_real_address() -> Iterator[gdb.Inferior]:
    connection = gdb.selected_inferior().connection
    if connection is None or not hasattr(connection, "send_packet"):
        raise Failure("there is no machine: `make gdb` starts one")
    if connection.send_packet("Qqemu.PhyMemMode:1") != b"OK":
        raise Failure("this emulator does not show memory by its real address: QEMU 4.1 and newer do")
    try:
        yield gdb.selected_inferior()
    finally:
        connection.send_packet("Qqemu.PhyMemMode:0")


def physical(place: int, length: int) -> bytes:
    """Memory by its real address, whatever is mapped."""
    with _by_real_address() as inferior:
        return inferior.read_memory(place, length).tobytes()


def frame_bytes(mfn: int) -> bytes:
    return physical(mfn * PAGE, PAGE)


def frame_words(mfn: int) -> tuple[int, ...]:
    """A frame's 1,024 words: a page table's entries."""
    return WORDS.unpack(frame_bytes(mfn))


def many_frames_words(mfns: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The words of many frames: faster than one by one. Those that lie close together are read together."""
    found: dict[int, tuple[int, ...]] = {}
    wanted = sorted(set(mfns))
    for run in _runs(wanted):
        length = (run[-1] - run[0] + 1) * PAGE
        raw = _saved("pmemsave", run[0] * PAGE, length) or physical(run[0] * PAGE, length)
        found |= {mfn: WORDS.unpack_from(raw, (mfn - run[0]) * PAGE) for mfn in run}
    return found


def _runs(wanted: list[int]) -> Iterator[list[int]]:
    """Frames by runs with gaps no longer than what is read as fast as asked for."""
    run: list[int] = []
    for mfn in wanted:
        if run and mfn - run[-1] > CLOSE:
            yield run
            run = []
        run.append(mfn)
    if run:
        yield run


def bytes_at(place: int, length: int) -> bytes:
    """Memory as the hypervisor sees it."""
    return _saved("memsave", place, length) or gdb.selected_inferior().read_memory(place, length).tobytes()


def _saved(order: str, place: int, length: int) -> bytes | None:
    """Much memory by a file that the emulator writes into the session's folder: GDB's protocol, in hexadecimal and in small pieces,
    takes fifty times as long. None: this is little, or no session of ours, or the emulator cannot."""
    if length < MUCH or session.current is None:
        return None
    path = session.current.folder / SAVED
    path.unlink(missing_ok=True)
    try:
        gdb.execute(f"monitor {order} {place:#x} {length} {SAVED}", to_string=True)
        raw = path.read_bytes()
    except (gdb.error, OSError):
        return None
    path.unlink(missing_ok=True)
    return raw if len(raw) == length else None


def raw_of(value: gdb.Value) -> bytes:
    return bytes_at(int(value.address), value.type.sizeof)


def source_line(place: int) -> str:
    """`paging.c:120`, or nothing where no source is known."""
    found = gdb.find_pc_line(place)
    return f"{Path(found.symtab.filename).name}:{found.line}" if found.symtab else ""


def function_at(place: int) -> str:
    """The name of the function that an address lies in, or nothing."""
    text = gdb.execute(f"info symbol {place:#x}", to_string=True)
    return "" if text.startswith("No symbol") else clean(text.split(" in section")[0].strip())
