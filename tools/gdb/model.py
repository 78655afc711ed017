# SPDX-License-Identifier: MIT
"""The hypervisor's state as GDB sees it: its variables, its domains, and memory by machine frame.

Every walk is bounded, because what is walked may be broken. Values are GDB's, read field by field when they are asked for.
"""

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import gdb

from .command import Failure, clean
from .executable import executable

PAGE = 4096
WORDS = struct.Struct("<1024I")
LIST_LONGEST = 1 << 20  # entries of a list, after which it is taken for a ring that leads nowhere
LIFE = ("free", "lives", "dies")
DOMID_SELF, DOMID_NONE, OWNER_MACHINE = 0x7FF0, 0xFFFF, 0xFFFE


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
        if symbol.is_variable and symbol.symtab.filename.endswith(file):
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


def containing(pointer: gdb.Value, type_name: str, member: str) -> gdb.Value:
    """What a pointer to a member lies in: container_of()."""
    kind = type_of(type_name)
    offset = 0
    for part in member.split("."):
        field = next(field for field in kind.fields() if field.name == part)
        offset += field.bitpos // 8
        kind = field.type
    place = int(pointer) - offset
    return gdb.Value(place).cast(type_of(type_name).pointer()).dereference()


def list_of(head: gdb.Value, type_name: str, member: str) -> Iterator[gdb.Value]:
    """The entries of a `struct list` of lib/list.h, from its head on."""
    start, at = int(head.address), head["next"]
    for _ in range(LIST_LONGEST):
        if int(at) == start:
            return
        if int(at) == 0:
            return  # a head that nobody has initialised
        yield containing(at, type_name, member)
        at = at["next"]
    raise Failure("a list does not come back to its head: it is broken")


# ---- domains ----

def slots() -> gdb.Value:
    return variable("domains", "domain_table.c")["slots"]


def domain(text: str) -> gdb.Value:
    """The domain that somebody names: by number, or an expression that gives one."""
    try:
        value = gdb.parse_and_eval(text)
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
            value = value["id"]
        return slot(int(value))
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


def name_of(d: gdb.Value) -> str:
    raw = gdb.selected_inferior().read_memory(int(d["name"].address), d["name"].type.sizeof).tobytes()
    return clean(raw.split(b"\0")[0].decode("latin-1"))


def running() -> gdb.Value | None:
    """The domain on whose behalf the processor works."""
    current = variable("sched", "sched.c")["current"]
    return None if int(current) == 0 else current.dereference()


def owner_name(owner: int) -> str:
    """Whose a frame is, in words."""
    return {DOMID_NONE: "nobody's", OWNER_MACHINE: "the hypervisor's"}.get(owner, f"domain {owner}'s")


# ---- memory by machine address ----

def physical(place: int, length: int) -> bytes:
    """Memory by its real address, whatever is mapped."""
    connection = gdb.selected_inferior().connection
    if connection is None or not hasattr(connection, "send_packet"):
        raise Failure("there is no machine: `make gdb` starts one")
    if connection.send_packet("Qqemu.PhyMemMode:1") != b"OK":
        raise Failure("this emulator does not show memory by its real address: QEMU 4.1 and newer do")
    try:
        return gdb.selected_inferior().read_memory(place, length).tobytes()
    finally:
        connection.send_packet("Qqemu.PhyMemMode:0")


def frame_bytes(mfn: int) -> bytes:
    return physical(mfn * PAGE, PAGE)


def frame_words(mfn: int) -> tuple[int, ...]:
    """A frame's 1,024 words: a page table's entries."""
    return WORDS.unpack(frame_bytes(mfn))


def source_line(place: int) -> str:
    """`paging.c:120`, or nothing where no source is known."""
    found = gdb.find_pc_line(place)
    return f"{Path(found.symtab.filename).name}:{found.line}" if found.symtab else ""


def function_at(place: int) -> str:
    """The name of the function that an address lies in, or nothing."""
    text = gdb.execute(f"info symbol {place:#x}", to_string=True)
    return "" if text.startswith("No symbol") else clean(text.split(" in section")[0].strip())
