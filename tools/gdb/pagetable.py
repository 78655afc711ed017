# SPDX-License-Identifier: MIT
"""The way from an address to a frame: `atl pagetable D VA`."""

import struct
from dataclasses import dataclass

import gdb

from . import layout
from .command import command, number, say, words
from .framewords import frame_words
from .holders import FRAMES_MOST, NONE, PRESENT, Records, counted
from .layout import FENCE, LINE
from .model import domain, domain_numbers, name_of, physical

P, RW, US, PS = 1, 2, 4, 0x80
FLAGS = (
    (P, "present"), (RW, "writable"), (US, "ring 3 too"), (8, "write-through"), (0x10, "not cached"), (0x20, "accessed"), (0x40, "dirty"),
    (PS, "4 MiB page"), (0x100, "global"),
)  # fmt: skip
AVAILABLE = 0xE00  # the processor ignores them


@dataclass(frozen=True)
class Entry:
    """One step of a walk."""

    table: int  # the frame that it is in
    index: int
    value: int

    @property
    def mfn(self) -> int:
        return self.value >> 12

    @property
    def present(self) -> bool:
        return bool(self.value & PRESENT)


def base_of(d: gdb.Value) -> int:
    """The page directory that a domain runs on: the hypervisor's own, as long as it has none."""
    mfn = int(d["paging"]["base"]["n"])
    return layout.directory() if mfn == NONE else mfn


def follow(base: int, va: int, frames: int = FRAMES_MOST) -> list[Entry]:
    """The processor's walk: the directory's entry, and the table's if there is one. @frames: how many the machine has."""
    first = _entry(base, va >> 22)
    if not first.present or first.value & PS or first.mfn >= frames:
        return [first]
    return [first, _entry(first.mfn, va >> 12 & 1023)]


def _entry(table: int, index: int) -> Entry:
    return Entry(table, index, struct.unpack("<I", physical(table << 12 | index << 2, 4))[0])


def flags(entry: int) -> str:
    """An entry's bits in words."""
    said = [text for bit, text in FLAGS if entry & bit]
    if entry & AVAILABLE:
        said.append(f"the guest's own bits {(entry & AVAILABLE) >> 9:03b}")
    return ", ".join(said)


def rights(entries: list[Entry], va: int) -> str:
    """What a walk means for who runs where."""
    last = entries[-1]
    if not last.present:
        return "nothing is mapped there: any access is a page fault"
    if len(entries) == 1 and not last.value & PS:
        return "the page table is outside of memory: the walk ends there"
    user, write = all(e.value & US for e in entries), all(e.value & RW for e in entries)
    may = "read and write" if write else "read, not write"
    if va >= FENCE:
        return f"ring 0 may {may}; of ring 1 the page tables say the same, and the fence keeps it out"
    if va >= LINE:
        return f"rings 0 to 2 may {may}, ring 3 nothing"
    return f"rings 1 and 3 may {may}" if user else f"ring 1 may {may}, ring 3 nothing"


def remark(records: Records, mfn: int) -> str:
    """What a page table there means for its owner."""
    if not counted() or mfn >= records.count or records[mfn].type not in range(2, len(records.words)) or not records[mfn].uses:
        return ""
    kind = records.type_name(records[mfn].type)
    how = "update_descriptor" if kind in ("GDT", "LDT") else "mmu_update"
    return f"it is in use as {kind}: who owns it can read it there, and change it by {how} only"


@command("pagetable", domain_numbers)
def show_walk(given: list[str]) -> None:
    """The way from an address of a domain to a frame, as the processor goes it.

    atl pagetable D VA

    First the entry of the page directory that the domain runs on (its base), then the page table's, each with the frame that
    it names: whose, its pseudo-physical number, its type. Then what both together let whom do: an access must be
    allowed by both entries, and rings 0 to 2 are one to page tables."""
    who, where = words(given, "pagetable D VA", 2)
    d, va = domain(who), number(where, "address")
    records, base = Records(), base_of(d)
    own = int(d["paging"]["base"]["n"]) == NONE
    say(f"domain {int(d['id'])} \"{name_of(d)}\", {va:#010x}: slot {va >> 22}, entry {va >> 12 & 1023}, byte {va & 0xFFF:#x}")
    if own:
        say("  it has no page directory of its own: this is the hypervisor's")
    show_entries(records, follow(base, va, records.count), va)


def show_entries(records: Records, entries: list[Entry], va: int) -> None:
    for entry, what in zip(entries, ("directory", "table"), strict=False):
        say(f"{what} {entry.table:#x}, entry {entry.index} = {entry.value:#010x}")
        if entry.present:
            say(f"    {flags(entry.value)}")
            say(f"    names {frame_words(records, entry.mfn)}")
        else:
            say("    not present" + (": all else in it is the guest's own" if entry.value and va < LINE else ""))
    say(rights(entries, va))
    last = entries[-1]
    text = remark(records, last.mfn) if last.present else ""
    if text:
        say(text)
    if last.present and (len(entries) == 2 or last.value & PS):
        say(f"machine address {(last.value & 0xFFC00000 | va & 0x3FFFFF) if last.value & PS else (last.mfn << 12 | va & 0xFFF):#x}")
