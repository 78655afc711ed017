# SPDX-License-Identifier: MIT
"""Where everything lies above the line: src/pc/layout.h and public/atelier.h, which tests/gdb/pagetable_test.py compares with this."""

import struct

from .model import PAGE, address, bytes_at, many_frames_words

LINE, FENCE = 0xFC000000, 0xFC400000
IMAGE_BASE = 0xFC400000
GDT_WINDOW, LDT_WINDOW = 0xFE800000, 0xFE810000
SHARED_TABLES = 512  # in the slot of shared pages: where the domains' page tables begin

# First slot, number of slots, what is there.
SLOTS = (
    (1008, 1, "the machine-to-physical table, to be read by guests as well"),
    (1009, 2, "the hypervisor's image"),
    (1011, 6, "the frame table"),
    (1017, 1, "the machine-to-physical table, as the hypervisor writes it"),
    (1018, 1, "the loaded domain's windows on its GDT and LDT"),
    (1019, 1, "a temporary mapping of the hypervisor's"),
    (1020, 1, "domains' shared pages, and page tables for their windows"),
    (1021, 1, "memory of a device"),
    (1022, 2, "nothing: no slot of the hypervisor's"),
)
SLOT_WINDOWS = 1019
SLOTS_IMAGE = (1009, 1010)


def slot_words(va: int) -> str:
    return next(words for first, count, words in SLOTS if first <= va >> 22 < first + count)


def part(va: int) -> str:
    """Which part of the hypervisor's space an address above the line is in, as exactly as can be said."""
    slot, page = va >> 22, va >> 12 & 1023
    match slot:
        case 1008 | 1017:
            return f"{slot_words(va)}: frame {(va & 0x3FFFFF) // 4:#x}'s entry"
        case 1009 | 1010:
            return f"the hypervisor's image: {_image_part(va)}"
        case 1018 if page < 32:
            return f"the loaded domain's {'GDT' if page < 16 else 'LDT'}, frame {page % 16}, seen through its window"
        case 1020 if page < SHARED_TABLES:
            return f"domain {page}'s shared page"
        case 1020:
            return f"the page table of domain {page - SHARED_TABLES}'s windows"
    return slot_words(va)


def _image_part(va: int) -> str:
    guard, bottom, top = (address(name) for name in ("stack_guard", "stack_bottom", "stack_top"))
    if guard <= va < guard + PAGE:
        return "the guard page below its stack, which is never mapped"
    if bottom <= va < top:
        return f"its stack, {top - va} bytes below the top"
    if va < address("image_start") or va >= address("image_end"):
        return "outside of it: not mapped"
    if va < address("text_end"):
        return "code"
    return "constants" if va < address("rodata_end") else "data"


def directory() -> int:
    """The frame of the hypervisor's own page directory."""
    return address("hypervisor_directory") - IMAGE_BASE >> 12


def own_frames() -> dict[int, str]:
    """What the hypervisor keeps in frames that it took for itself at its start: by frame."""
    raw = bytes_at(address("hypervisor_directory"), PAGE)
    entries = struct.unpack("<1024I", raw)
    slots = [slot for slot in range(LINE >> 22, 1024) if entries[slot] & 1 and slot != SLOT_WINDOWS]
    tables = many_frames_words(entries[slot] >> 12 for slot in slots)
    found: dict[int, str] = {}
    for slot in slots:
        for page, entry in enumerate(tables[entries[slot] >> 12]):
            if entry & 1:
                what = part(slot << 22 | page << 12).split(",")[0] if slot in SLOTS_IMAGE else slot_words(slot << 22)
                found.setdefault(entry >> 12, what)
    return found
