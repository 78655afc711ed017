# SPDX-License-Identifier: MIT
"""Descriptors: `atl gdt D`, `atl ldt D`, `atl segment SELECTOR`."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import gdb

from .command import Failure, command, expression, number, say, table, words
from .holders import NONE, array
from .layout import FENCE
from .model import bytes_at, domain, domain_numbers, frame_bytes, in_ring_0, name_of, register, running, whole, variable

A_FRAME, FRAMES = 512, 16
RESERVED_FRAME, RESERVED_SLOTS = 14, 16  # the first slots of frames 14 and 15 of a GDT are the hypervisor's
SHOWN = 40
TOP = 0xFFFFFFFF

SYSTEM = {2: "LDT", 5: "task gate", 9: "TSS", 11: "TSS, busy", 12: "call gate", 14: "interrupt gate", 15: "trap gate"}
REGISTERS = ("cs", "ss", "ds", "es", "fs", "gs")


@dataclass(frozen=True)
class Descriptor:
    """SDM 3A, 3.4.5."""

    low: int
    high: int

    @property
    def base(self) -> int:
        return self.low >> 16 | (self.high & 0xFF) << 16 | self.high & 0xFF000000

    @property
    def limit(self) -> int:
        """As an offset: the last one, or of an expand-down segment the one before the first."""
        raw = self.low & 0xFFFF | self.high & 0xF0000
        return raw << 12 | 0xFFF if self.high & 0x800000 else raw

    @property
    def present(self) -> bool:
        return bool(self.high & 0x8000)

    @property
    def dpl(self) -> int:
        return self.high >> 13 & 3

    @property
    def system(self) -> bool:
        return not self.high & 0x1000

    @property
    def code(self) -> bool:
        return not self.system and bool(self.high & 0x800)

    @property
    def down(self) -> bool:
        return not self.system and not self.code and bool(self.high & 0x400)

    @property
    def empty(self) -> bool:
        return not self.low and not self.high

    @property
    def offsets(self) -> tuple[int, int] | None:
        """The first and the last offset that it allows (SDM 3A, 5.3); None: there is none."""
        if not self.down:
            return 0, self.limit
        top = TOP if self.high & 0x400000 else 0xFFFF
        return (self.limit + 1, top) if self.limit < top else None

    def kind(self) -> str:
        if self.system:
            return SYSTEM.get(self.high >> 8 & 15, f"system segment of type {self.high >> 8 & 15}")
        flag = bool(self.high & 0x200)
        bits = "" if self.high & 0x400000 else ", 16 bits"
        if self.code:
            return ("code, readable" if flag else "code") + (", conforming" if self.high & 0x400 else "") + bits
        return ("data, writable" if flag else "data") + (", expand-down" if self.down else "") + bits

    def short(self) -> str:
        """The type, for a column."""
        if self.system:
            return self.kind()
        flag = bool(self.high & 0x200)
        words_ = [("code rx" if flag else "code x") if self.code else ("data rw" if flag else "data r")]
        words_ += ["conforming"] * bool(self.code and self.high & 0x400) + ["down"] * self.down + ["16"] * (not self.high & 0x400000)
        return " ".join(words_)

    @property
    def span(self) -> tuple[int, int] | None:
        """The first and the last byte that it reaches; the last is less if that goes over the top. None: there is none."""
        if self.offsets is None:
            return None
        first, last = (self.base + offset for offset in self.offsets)
        return (first & TOP, last & TOP) if last - first <= TOP else (0, TOP)

    def reach(self) -> str:
        """Where its bytes lie, seen from the fence: one of `none`, `below`, `to it`, `ABOVE`."""
        if self.span is None:
            return "none"
        first, last = self.span
        if first > last or last >= FENCE:
            return "ABOVE"
        return "to it" if last == FENCE - 1 else "below"


@dataclass(frozen=True)
class Slot:
    index: int
    descriptor: Descriptor
    reserved: bool


def segments_of(d: gdb.Value) -> gdb.Value | None:
    """A domain's share; None: this hypervisor has no tables of guests' own."""
    return whole(d["segments"]) if "segments" in d.type.keys() else None


def decode(raw: bytes) -> list[Descriptor]:
    return [Descriptor(low, high) for low, high in struct.iter_unpack("<II", raw)]


def templates() -> list[list[Descriptor]]:
    """What the reserved slots of a table are filled with."""
    pages = variable("gdt_templates", "mmu.c")
    raw = bytes_at(int(pages.address), pages.type.sizeof)
    return [decode(raw[:4096]), decode(raw[4096:])]


def gdt(d: gdb.Value) -> Iterator[Slot]:
    """All descriptors of the GDT that a domain runs with: its frames, and in their absence the hypervisor's own two."""
    share = segments_of(d)
    frames = array(share["gdt"]) if share is not None else [NONE] * FRAMES
    own = templates()
    for i, mfn in enumerate(frames):
        reserved = i >= RESERVED_FRAME
        contents = decode(frame_bytes(mfn)) if mfn != NONE else own[i - RESERVED_FRAME] if reserved else []
        for slot, descriptor in enumerate(contents):
            yield Slot(i * A_FRAME + slot, descriptor, reserved and slot < RESERVED_SLOTS)


def ldt(d: gdb.Value) -> Iterator[Slot]:
    share = segments_of(d)
    if share is None:
        return
    entries = int(share["ldt_entries"])
    for i, mfn in enumerate(array(share["ldt"])):
        for slot, descriptor in enumerate(decode(frame_bytes(mfn)) if mfn != NONE else ()):
            if i * A_FRAME + slot < entries:
                yield Slot(i * A_FRAME + slot, descriptor, False)


HEAD = ("SELECTOR", "BASE", "LIMIT", "DPL", "LAST BYTE", "FENCE", "TYPE")


def row(slot: Slot, of_ldt: bool) -> tuple[str, ...]:
    e = slot.descriptor
    selector = f"{slot.index << 3 | (4 if of_ldt else 0) | e.dpl:#x}"
    if not e.present:
        return selector, "", "", "", "", "", "absent"
    last = f"{e.span[1]:#010x}" if e.span else "none"
    return selector, f"{e.base:#010x}", f"{e.limit:#010x}", str(e.dpl), last, e.reach(), e.short()


def show_table(slots: list[Slot], of_ldt: bool) -> None:
    """Those that are not empty; the reserved ones in a table of their own."""
    there = [slot for slot in slots if not slot.descriptor.empty]
    own = [slot for slot in there if not slot.reserved]
    if own:
        table(HEAD, [row(slot, of_ldt) for slot in own[:SHOWN]], "a")
    if len(own) > SHOWN:
        say(f"and {len(own) - SHOWN:,} more")
    reserved = [row(slot, of_ldt) for slot in there if slot.reserved]
    if reserved:
        say("in the reserved slots, which the hypervisor writes:")
        table(HEAD, reserved, "a")


@command("gdt", domain_numbers)
def show_gdt(given: list[str]) -> None:
    """The GDT that a domain runs with: all descriptors that are not empty.

    atl gdt D

    SELECTOR has the DPL as its RPL. LIMIT is an offset: the last one of a segment; of an expand-down one (down) the one before
    the first. LAST BYTE is the address of the last one that it reaches; FENCE is where that lies: below it, up to it (to it),
    ABOVE it, which only the hypervisor's own, of DPL 0, may. r, w, x: read, write, execute; 16: a segment of 16 bits."""
    d = domain(words(given, "gdt D", 1)[0])
    share = segments_of(d)
    frames = int(share["gdt_frames"]) if share is not None else 0
    say(f"domain {int(d['id'])} \"{name_of(d)}\": " + (f"a GDT of {frames} frame{'s' * (frames != 1)}: "
        + ", ".join(f"{mfn:#x}" for mfn in array(share["gdt"]) if mfn != NONE) if frames else "no GDT of its own"))  # fmt: skip
    show_table(list(gdt(d)), False)


@command("ldt", domain_numbers)
def show_ldt(given: list[str]) -> None:
    """The LDT of a domain: all descriptors that are not empty.

    atl ldt D

    The columns are those of `atl gdt`."""
    d = domain(words(given, "ldt D", 1)[0])
    share = segments_of(d)
    if share is None:
        raise Failure("domains of this hypervisor have no LDT yet: that comes with lab 4")
    entries = int(share["ldt_entries"])
    say(f"domain {int(d['id'])} \"{name_of(d)}\": " + (f"an LDT of {entries:,} descriptors" if entries else "no LDT"))
    show_table(list(ldt(d)), True)


@command("segment")
def show_segment(given: list[str]) -> None:
    """What a selector names in the running domain: base, limit, type, and which bytes it reaches.

    atl segment SELECTOR

    SELECTOR is a number or an expression, $gs for one. What lies outside the offsets that are shown is beyond the
    limit: #GP with error code 0 (of SS: #SS). Bochs and hardware look, QEMU does not."""
    selector = number(expression(given, "segment SELECTOR"), "selector") & 0xFFFF
    d = running()
    if d is None:
        raise Failure("no domain runs yet")
    index, of_ldt = selector >> 3, bool(selector & 4)
    say(f"selector {selector:#x}: entry {index} of the {'LDT' if of_ldt else 'GDT'} of domain {int(d['id'])} \"{name_of(d)}\", "
        f"asked for by ring {selector & 3}")  # fmt: skip
    found = next((slot for slot in (ldt(d) if of_ldt else gdt(d)) if slot.index == index), None)
    if selector < 4:
        say("  the null selector: it can be loaded into a data register; any access through it is #GP")
    elif found is None:
        say(f"  there is no such entry: to load it is #GP with error code {selector & ~3:#x}")
    else:
        explain(found, selector)
    say(f"  {holding(d, selector)}")


def explain(slot: Slot, selector: int) -> None:
    e = slot.descriptor
    if not e.present:
        kind = "empty: to load it is #GP" if e.empty else "absent: to load it is #NP"
        say(f"  {kind} with error code {selector & ~3:#x}")
        return
    say(f"  {e.kind()}, DPL {e.dpl}" + (": the hypervisor's, in a reserved slot" if slot.reserved else ""))
    say(f"  base {e.base:#010x}, limit {e.limit:#x}")
    if e.system:
        return
    if e.offsets is None:
        say("  it reaches no byte: expand-down, and its limit is its top")
        return
    say("  offsets {:#x} to {:#x}, that is bytes {:#010x} to {:#010x}: {}".format(*e.offsets, *e.span, reach_words(e)))
    if not e.down and e.base:
        say(f"  an access at a negative offset, such as 0xfffffffc ({e.base - 4 & TOP:#010x}), is beyond the limit")


def reach_words(e: Descriptor) -> str:
    first, last = e.span
    if first > last:
        return "over the top and through zero"
    if last >= FENCE:
        return f"{last + 1 - FENCE:#x} bytes above the fence"
    return "up to the fence, and no further" if last == FENCE - 1 else f"{FENCE - 1 - last:#x} bytes below the fence"


def holding(d: gdb.Value, selector: int) -> str:
    """Which segment registers have a selector, as the domain sees them."""
    saved, own = d["vcpu"]["regs"], in_ring_0()
    names = [name for name in REGISTERS if int(saved[name] if own else register(name)) & 0xFFFC == selector & 0xFFFC]
    return "now in " + ", ".join(name.upper() for name in names) if names else "in no segment register now"
