# SPDX-License-Identifier: MIT
"""What an exception of the processor means, in the course's words: of the hypervisor's own, and of a guest's."""

import struct

import gdb

from .calls import guest_function
from .command import Failure
from .holders import Records, counted
from .layout import FENCE, GDT_WINDOW, LDT_WINDOW, LINE, part
from .model import PAGE, bytes_at, physical, running
from .pagetable import base_of, follow
from .segments import decode
from .trace import Exception_

NAMES = {
    0: "division by zero", 1: "debug", 3: "breakpoint", 4: "overflow", 5: "bound", 6: "undefined instruction", 7: "no FPU",
    8: "double fault", 10: "invalid TSS",
    11: "segment not present", 12: "stack segment", 13: "general protection", 14: "page fault", 16: "FPU error",
    17: "alignment",
}  # fmt: skip
PAGE_FAULT, PROTECTION = 14, 13
WITH_ERROR = (8, 10, 11, 12, 13, 17)  # but page faults (SDM 3A, 6.15)
PRESENT, WRITE, USER, FETCH = 1, 2, 4, 16  # error code of a page fault (SDM 3A, 4.7)
IDT, LDT = 2, 4  # error code that names a descriptor (SDM 3A, 6.13)
RW = 2
# Instructions that ring 1 may not execute, by their first byte, or by their second one behind 0x0f (SDM 2, each).
PORTS = (*range(0x6C, 0x70), *range(0xE4, 0xE8), *range(0xEC, 0xF0))
PRIVILEGED = {0xF4: "HLT", 0xFA: "CLI", 0xFB: "STI", **dict.fromkeys(PORTS, "IN or OUT")}
PRIVILEGED_0F = {0x00: "LLDT or LTR", 0x01: "LGDT, LIDT, LMSW or INVLPG", 0x06: "CLTS", 0x08: "INVD", 0x09: "WBINVD", 0x20: "MOV from CR",
                 0x21: "MOV from DR", 0x22: "MOV to CR", 0x23: "MOV to DR", 0x30: "WRMSR", 0x32: "RDMSR", 0x33: "RDPMC"}  # fmt: skip


def details(e: Exception_) -> str:
    """What the processor says of an exception, to be added to its name."""
    if e.vector == PAGE_FAULT:
        return f", a {access(e.error)} {e.address:#x}"
    return f", error {e.error:#x}" if e.vector in WITH_ERROR else ""


def name(vector: int) -> str:
    return NAMES.get(vector, f"exception {vector}")


def access(error: int) -> str:
    return "instruction fetch from" if error & FETCH else "write to" if error & WRITE else "read of"


# ---- the hypervisor's own ----

def own_page_fault(address: int, error: int, eip: int) -> str:
    """What a page fault of ring 0 means."""
    if eip == address:
        return f"It jumped to {address:#x}, where there is no code: a pointer to a function, or a return address, that is none."
    if address < PAGE:
        return "So low an address is a null pointer's, or a field's behind one."
    if address < LINE:
        return (f"{address:#x} is an address of a guest's: only copies by copy_from_guest() and copy_to_guest() may fault there, and this "
                "was none, or its fix-up was not found.")  # fmt: skip
    there = part(address)
    if error & PRESENT and error & WRITE:
        return f"{address:#x} is {there}, and is mapped to be read only."
    return f"{address:#x} is {there}, and nothing is mapped there."


def own_exception(vector: int) -> str:
    match vector:
        case 0:
            return "It divided by zero, or the quotient was too large for its register."
        case 6:
            return "What it executed is no instruction: it ran where there is no code, or the compiler has put a trap there."
        case 11 | 12 | 13:
            return "A segment's limit, or a selector that it loaded, was wrong."
    return ""


# ---- a guest's ----

def who(e: Exception_) -> str:
    ring = e.cs & 3
    part_ = "the hypervisor" if ring == 0 else "its kernel" if ring == 1 else f"a program of it, in ring {ring},"
    function = guest_function(e.domain, e.eip)
    return f"{part_} at {e.eip:#x}" + (f" ({function})" if function else "")


def guest_exception(d: gdb.Value, e: Exception_) -> str:
    """What an exception of a guest means."""
    if e.vector == PAGE_FAULT:
        return guest_page_fault(d, e.address, e.error, e.cs & 3)
    if e.vector == PROTECTION or e.vector in (10, 11, 12):
        return protection(d, e)
    return ""


def guest_page_fault(d: gdb.Value, address: int, error: int, ring: int) -> str:
    if address >= LINE:
        return f"{address:#x} lies above the line: that is the hypervisor's, and no guest's page tables say anything there."
    try:
        steps = follow(base_of(d), address)
    except (Failure, gdb.error):
        return "Its page tables cannot be read any more."
    last = steps[-1]
    at = f"entry {last.index} of frame {last.table:#x}"
    if not last.present:
        level = "directory" if len(steps) == 1 else "table"
        return f"Its page {level} has nothing there: {at} is {last.value:#010x}, not present."
    if not error & PRESENT:
        return f"Nothing was mapped there then; by now {at} is {last.value:#010x}."
    if error & WRITE and not all(step.value & RW for step in steps):
        return f"It is mapped to be read only: {at} is {last.value:#010x}" + use_of(last.mfn) + "."
    if ring == 3 and not all(step.value & USER for step in steps):
        return f"It is mapped for the kernel only: {at} is {last.value:#010x}."
    return f"By now the page tables allow it ({at} is {last.value:#010x}): they were changed since, or the TLB had another entry."


def use_of(mfn: int) -> str:
    """What a frame is, to be added to a sentence."""
    if not counted():
        return ""
    records = Records()
    if mfn >= records.count or not records[mfn].uses:
        return ""
    return f", and frame {mfn:#x} is in use as {records.type_name(records[mfn].type)}"


def protection(d: gdb.Value, e: Exception_) -> str:
    if e.error & IDT:
        return f"It executed INT {e.error >> 3 & 0xFF:#x}, which its trap table does not open to ring {e.cs & 3}."
    if e.error & 0xFFFC:
        return f"Selector {e.error & 0xFFFC:#06x} was refused: {_descriptor(d, e.error)}."
    code = _code(d, e.eip)
    word = PRIVILEGED.get(code[0]) if code else None
    if code[:1] == b"\x0f":
        word = PRIVILEGED_0F.get(code[1])
    if word:
        return f"{word} is an instruction for ring 0: a guest asks the hypervisor instead."
    return (f"No selector is to blame: an address was beyond its segment's limit (the fence is at {FENCE:#x}), or the segment was null "
            "or read only.")  # fmt: skip


def _descriptor(d: gdb.Value, error: int) -> str:
    """What is wrong with the descriptor that an error code names."""
    table = "LDT" if error & LDT else "GDT"
    where = f"entry {error >> 3} of its {table}"
    now = running()
    if now is None or int(now["id"]) != int(d["id"]):
        return where
    try:
        found = decode(bytes_at((LDT_WINDOW if error & LDT else GDT_WINDOW) + (error & 0xFFF8), 8))[0]
    except gdb.MemoryError:
        return f"{where} lies where it has no {table}"
    if found.empty:
        return f"{where} is empty"
    if not found.present:
        return f"{where} is not present"
    return f"{where} is {found.kind()} for ring {found.dpl}"


def _code(d: gdb.Value, eip: int) -> bytes:
    """The guest's instruction, if its page is there."""
    try:
        steps = follow(base_of(d), eip)
        if not steps[-1].present or len(steps) == 1:
            return b""
        return physical(steps[-1].mfn * PAGE + eip % PAGE, min(4, PAGE - eip % PAGE))
    except (Failure, gdb.error, struct.error):
        return b""
