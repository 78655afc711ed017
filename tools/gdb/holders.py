# SPDX-License-Identifier: MIT
"""Frames as their records say they are, and who holds each, found by a walk over everything that can: what frame.c's auditor does.

The records are read as one block, page tables by their real addresses, and each domain as one block. Nobody is asked twice.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import gdb

from .command import Failure
from .model import bytes_at, domains, has, hypervisor, many_frames_words, raw_of, type_of, whole, variable
from .rings import NAMES

NONE = 0xFFFFFFFF  # MFN_NONE, the end of a list, and ATELIER_NO_PFN
PRESENT, WRITABLE_BIT = 1, 2
ENTRIES = 1024
GUEST_SLOTS = 1008  # ATELIER_SLOT: a directory's others are the hypervisor's
FRAMES_MOST = 1 << 20

TYPES = {
    "FRAME_NONE": "never used", "FRAME_WRITABLE": "writable", "FRAME_TABLE": "page table", "FRAME_DIRECTORY": "page directory",
    "FRAME_GDT": "GDT", "FRAME_LDT": "LDT",
}  # fmt: skip


@dataclass(frozen=True)
class Record:
    """One frame's."""

    refs: int
    uses: int
    stamp: int
    next: int
    prev: int
    owner: int
    type: int
    valid: int
    busy: int
    pinned: int
    reserved: int
    packet_end: int
    linear: int


class Columns:
    """An array of structures, read as one block and looked at by columns: a gdb.Value for each would take too long."""

    def __init__(self, read: Callable[[], bytes], kind: gdb.Type):
        self.read, self.size = read, kind.sizeof
        self.fields = {f.name: (f.bitpos, f.bitsize or 8 * f.type.sizeof) for f in kind.fields()}
        self.columns: dict[str, Sequence[int]] = {}

    @cached_property
    def raw(self) -> bytes:
        return self.read()

    def column(self, name: str) -> Sequence[int]:
        """A field of all, which is a number without a sign, of 1, 2 or 4 bytes, or some bits of one."""
        if name not in self.columns:
            self.columns[name] = self._column(*self.fields[name])
        return self.columns[name]

    def _column(self, bit: int, bits: int) -> Sequence[int]:
        if bits in (16, 32):
            values = memoryview(self.raw).cast("H" if bits == 16 else "I")
            return values[bit // bits::self.size * 8 // bits].tolist()
        mask = (1 << bits) - 1
        return self.raw[bit // 8::self.size].translate(bytes(byte >> bit % 8 & mask for byte in range(256)))

    def flagged(self, name: str) -> list[int]:
        """Those that have a flag."""
        return [i for i, is_set in enumerate(self.column(name)) if is_set]


class Records(Columns):
    """The frame table, as it is when it is first looked at. One record is read by itself."""

    def __init__(self) -> None:
        table = variable("frame_table")
        self.count = int(table["count"])
        kind = type_of("struct frame")
        if self.count == 0 or int(table["records"]) == 0:
            raise Failure("there is no frame table yet: the hypervisor is starting")
        if self.count > FRAMES_MOST:
            raise Failure(f"the frame table is broken: it says that it has {self.count:,} records")
        self.place = int(table["records"])
        super().__init__(lambda: bytes_at(self.place, self.count * kind.sizeof), kind)

    def __getitem__(self, mfn: int) -> Record:
        at = mfn * self.size
        raw = self.raw[at:at + self.size] if "raw" in self.__dict__ else bytes_at(self.place + at, self.size)
        whole = int.from_bytes(raw, "little")
        values = {name: whole >> bit & (1 << bits) - 1 for name, (bit, bits) in self.fields.items() if name in Record.__dataclass_fields__}
        if values["linear"] >= 1 << 15:
            values["linear"] -= 1 << 16
        return Record(**values)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The types' numbers, by their names in frame.h."""
        return {f.name: f.enumval for f in type_of("enum frame_type").fields()}

    @cached_property
    def words(self) -> dict[int, str]:
        """The types, in words."""
        return {number: TYPES.get(name, name) for name, number in self.numbers.items()}

    def type_name(self, number: int) -> str:
        return self.words.get(number, f"type {number}, which there is not")


def counted() -> bool:
    """Whether this hypervisor counts references: from lab 3 on."""
    return hypervisor().lookup_global_symbol("frame_check") is not None


def need_counts() -> None:
    if not counted():
        raise Failure("this hypervisor counts no references yet: that comes with lab 3")


# A hold: a frame, the type that it needs (0: any), and how to say who it is: one of the functions below, with what it is about.
Hold = tuple[int, int, Callable[..., str], tuple]


@dataclass(frozen=True)
class Walk:
    """Everything that holds frames."""

    records: Records
    domains: tuple[gdb.Value, ...]  # each read as a whole, ...
    raw: dict[int, bytes]  # ... and its bytes, by number
    tables: dict[int, tuple[int, ...]]  # page tables that are valid, by frame: their entries
    directories: dict[int, tuple[int, ...]]
    _named: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    # ---- where page tables are ----

    def places(self, table: int) -> list[tuple[int, int]]:
        """The directories that name a page table, and by which slot."""
        if not self._named:
            for directory, words in self.directories.items():
                for slot, entry in enumerate(words[:GUEST_SLOTS]):
                    if entry & PRESENT:
                        self._named.setdefault(entry >> 12, []).append((directory, slot))
        return self._named.get(table, [])

    def is_base(self, directory: int) -> bool:
        return any(int(d["paging"]["base"]["n"]) == directory for d in self.domains)

    def address(self, table: int, i: int) -> str:
        """Which addresses an entry of a page table is for."""
        places = self.places(table)
        if not places:
            return "in no directory"
        here = sorted(places, key=lambda place: not self.is_base(place[0]))
        directory, slot = here[0]
        text = f"domain {self.records[directory].owner}'s {slot << 22 | i << 12:#010x}"
        if not self.is_base(directory):
            text += f" in directory {directory:#x}, not loaded"
        return text + (f", and {len(here) - 1} more" if len(here) > 1 else "")

    # ---- who holds what ----

    def holds(self) -> Iterator[Hold]:
        """All of them, as each subsystem registers them with frame_register_holder()."""
        yield from self._own()
        yield from self._tables()
        for d in self.domains:
            yield from self._domain(d)
        if has("struct vif"):
            yield from self._vifs()
        if has("struct vbd_io"):
            yield from self._vbds()

    def _own(self) -> Iterator[Hold]:
        owner, types = self.records.column("owner"), self.records.column("type")
        for mfn in self.records.flagged("reserved"):
            yield mfn, 0, "the reservation of domain {}".format, (owner[mfn],)
        for mfn in self.records.flagged("pinned"):
            yield mfn, types[mfn], "the pin of domain {}".format, (owner[mfn],)

    def _tables(self) -> Iterator[Hold]:
        writable, table, directory = (self.records.numbers[f"FRAME_{name}"] for name in ("WRITABLE", "TABLE", "DIRECTORY"))
        for mfn, words in self.tables.items():
            for i, entry in enumerate(words):
                if entry & PRESENT:
                    yield entry >> 12, writable if entry & WRITABLE_BIT else 0, self._entry, (mfn, i, entry)
        for mfn, words in self.directories.items():
            for i, entry in enumerate(words[:GUEST_SLOTS]):
                if entry & PRESENT:
                    named = entry >> 12
                    is_directory = named in self.directories
                    need = 0 if named == mfn else directory if is_directory else table
                    yield named, need, "slot {} of page directory {:#x}, for {:#010x} on".format, (i, mfn, i << 22)

    def _entry(self, table: int, i: int, entry: int) -> str:
        rights = "writable" if entry & WRITABLE_BIT else "read-only"
        return f"entry {i} of page table {table:#x}, {rights}: {self.address(table, i)}"

    def _domain(self, d: gdb.Value) -> Iterator[Hold]:
        number, fields = int(d["id"]), d.type.keys()
        one = (number,)
        base, shared = int(d["paging"]["base"]["n"]), int(d["shared_frame"]["n"])
        if base != NONE:
            yield base, self.records.numbers["FRAME_DIRECTORY"], "the base of domain {}".format, one
        if shared != NONE:
            yield shared, self.records.numbers["FRAME_WRITABLE"], "the shared page of domain {}".format, one
        if "segments" in fields:
            for name in ("gdt", "ldt"):
                for i, mfn in enumerate(array(d["segments"][name])):
                    if mfn != NONE:
                        words = f"frame {{}} of the {name.upper()} of domain {{}}".format
                        yield mfn, self.records.numbers[f"FRAME_{name.upper()}"], words, (i, number)
        if "rings" in fields:
            for name, device, ring in rings(d):
                mfn = int(ring["frame"]["n"])
                yield mfn, self.records.numbers["FRAME_WRITABLE"], "the ring {} {} of domain {}".format, (name, device, number)

    @cached_property
    def vifs(self) -> list[gdb.Value]:
        return list(vifs())

    def _vifs(self) -> Iterator[Hold]:
        for v in self.vifs:
            name = (int(v["number"]), int(v["domain"]["id"]))
            for mfn in posted(v):
                yield mfn, 0, "posted to receive into: VIF {} of domain {}".format, name
            if int(v["loaded"]):
                for mfn in pieces(v["packet"]):
                    yield mfn, 0, "a packet to be sent: VIF {} of domain {}".format, name
        flights = variable("state", "vif.c")["flights"]
        for flight in elements(flights):
            if int(flight["domain"]):
                for mfn in pieces(flight):
                    yield mfn, 0, "a packet that the wire is at work on: VIF {} of domain {}".format, (
                        int(flight["number"]), int(flight["domain"]["id"]))  # fmt: skip

    def _vbds(self) -> Iterator[Hold]:
        writable = self.records.numbers["FRAME_WRITABLE"]
        for io in elements(variable("vbd", "vbd.c")["ios"]):
            if not int(io["ring"]):
                continue
            request = io["request"]
            to_memory = int(request["op"]) in VBD_INTO_MEMORY
            number, owner = int(request["device"]), int(io["ring"]["domain"]["id"])
            for i in range(min(int(request["pieces"]), request["piece"].type.range()[1] + 1)):
                words = "a request under way: VBD {} of domain {}, " + ("to be written into" if to_memory else "to be read")
                yield int(request["piece"][i]["frame"]), writable if to_memory else 0, words.format, (number, owner)


VBD_INTO_MEMORY = (0, 3)  # VBD_READ, VBD_INFO: the device writes the frame


def walk() -> Walk:
    """Reads what there is: the records, the domains, and all page tables that are valid."""
    records = Records()
    valid, types = records.flagged("valid"), records.column("type")
    tables = [mfn for mfn in valid if types[mfn] == records.numbers["FRAME_TABLE"]]
    directories = [mfn for mfn in valid if types[mfn] == records.numbers["FRAME_DIRECTORY"]]
    words = many_frames_words(tables + directories)
    slots = list(domains())
    raw = [raw_of(d) for d in slots]
    seen = tuple(gdb.Value(data, d.type) for data, d in zip(raw, slots, strict=True))
    return Walk(records, seen, {int(d["id"]): data for d, data in zip(seen, raw, strict=True)}, {mfn: words[mfn] for mfn in tables},
                {mfn: words[mfn] for mfn in directories})  # fmt: skip


def array(value: gdb.Value) -> list[int]:
    """An array of one-member structs: mfn_t."""
    return [int(value[i]["n"]) for i in range(value.type.range()[1] + 1)]


def elements(value: gdb.Value) -> Iterator[gdb.Value]:
    """An array's, read as a whole."""
    raw, kind = raw_of(value), value.type.target()
    for at in range(0, len(raw), kind.sizeof):
        yield gdb.Value(raw[at:at + kind.sizeof], kind)


def rings(d: gdb.Value) -> Iterator[tuple[str, int, gdb.Value]]:
    """A domain's rings: class, device, and the ring."""
    classes = d["rings"]["rings"]
    for number in range(classes.type.range()[1] + 1):
        for device in range(classes[number].type.range()[1] + 1):
            ring = classes[number][device]
            if int(ring["class"]):
                yield NAMES[number] if number < len(NAMES) else f"class {number}", device, ring


def vifs() -> Iterator[gdb.Value]:
    """All that somebody has. Only who has one is read of each that is free."""
    table = variable("state", "vif.c")["vifs"]
    for i in range(table.type.range()[1] + 1):
        if int(table[i]["domain"]):
            yield whole(table[i])


def posted(v: gdb.Value) -> list[int]:
    """The frames that a VIF holds to receive into; those that are copied into are not held."""
    slots = v["posted"].type.range()[1] + 1
    take, post = int(v["take"]), int(v["post"])
    waiting = [v["posted"][i % slots] for i in range(take, take + min(post - take & NONE, slots))]
    return [] if waiting and int(waiting[0]["flags"]) & 1 else [int(request["frame"]) for request in waiting]


def pieces(packet: gdb.Value) -> list[int]:
    return [int(packet["rest"][i]["frame"]["n"]) for i in range(min(int(packet["pieces"]), packet["rest"].type.range()[1] + 1))]
