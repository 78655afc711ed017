# SPDX-License-Identifier: MIT
"""Unwind tables for code that has none, as a file that GDB loads beside the code's own.

Only such a table can tell GDB that a frame was interrupted, and so may lie on another stack than the one outside of it. The
format is that of .debug_frame (DWARF 5, section 6.4), in an ELF file of i386 with nothing else.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# Numbers that DWARF has for registers on the i386 (System V ABI for it, table 2.14).
NUMBERS = {"eax": 0, "ecx": 1, "edx": 2, "ebx": 3, "esp": 4, "ebp": 5, "esi": 6, "edi": 7, "eip": 8, "eflags": 9,
           "es": 40, "cs": 41, "ss": 42, "ds": 43, "fs": 44, "gs": 45}  # fmt: skip

CFA_SET_LOC, CFA_UNDEFINED, CFA_DEF_CFA, CFA_DEF_CFA_EXPRESSION, CFA_VAL_EXPRESSION = 0x01, 0x07, 0x0C, 0x0F, 0x16
OP = {"deref": 0x06, "const4u": 0x0C, "dup": 0x12, "swap": 0x16, "and": 0x1A, "plus": 0x22,
      "bra": 0x28, "eq": 0x29, "ge": 0x2A, "skip": 0x2F}  # fmt: skip
BREG, BREGX = 0x70, 0x92
DUMMY = 0xFFFFF000  # where the file says that its own code lies: nowhere


def unsigned(value: int) -> bytes:
    """LEB128."""
    out = bytearray()
    while True:
        out.append(value & 127 | (128 if value > 127 else 0))
        value >>= 7
        if not value:
            return bytes(out)


def constant(value: int) -> bytes:
    return bytes((OP["const4u"],)) + struct.pack("<I", value & 0xFFFFFFFF)


def register(name: str) -> bytes:
    number = NUMBERS[name]
    return bytes((BREG + number, 0)) if number < 32 else bytes((BREGX, number, 0))


def op(*names: str) -> bytes:
    return bytes(OP[name] for name in names)


def plus(value: int) -> bytes:
    return constant(value) + op("plus")


def if_else(condition: bytes, then: bytes, otherwise: bytes) -> bytes:
    """@condition leaves a truth on the stack; so does neither of the others see it."""
    otherwise += bytes((OP["skip"],)) + struct.pack("<h", len(then))
    return condition + bytes((OP["bra"],)) + struct.pack("<h", len(otherwise)) + otherwise + then


@dataclass(frozen=True)
class Row:
    """From an address on: expressions that compute the frame's address and, from that, the registers outside of it.

    No expression: nothing is outside of it."""

    start: int
    cfa: bytes = b""
    registers: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Piece:
    """Code from @start to @end."""

    start: int
    end: int
    rows: Sequence[Row]


def evaluate(expression: bytes, stack: list[int], read_word: Callable[[int], int], read_register: Callable[[str], int]) -> int:
    """What an expression made of the above computes: the last word on its stack."""
    names = {value: name for name, value in OP.items()}
    registers = {BREG + number: name for name, number in NUMBERS.items() if number < 32}
    at = 0
    while at < len(expression):
        code, at = expression[at], at + 1
        if code in registers or code == BREGX:
            number, at = (code - BREG, at + 1) if code in registers else (expression[at], at + 2)
            stack.append(read_register(next(name for name, n in NUMBERS.items() if n == number)))
            continue
        name = names[code]
        if name == "const4u":
            stack.append(struct.unpack_from("<I", expression, at)[0])
            at += 4
        elif name in ("bra", "skip"):
            jump = struct.unpack_from("<h", expression, at)[0]
            at += 2 + (jump if name == "skip" or stack.pop() else 0)
        elif name == "deref":
            stack.append(read_word(stack.pop()))
        elif name == "dup":
            stack.append(stack[-1])
        elif name == "swap":
            stack[-2:] = stack[:-3:-1]
        else:
            second, first = stack.pop(), stack.pop()
            stack.append({"and": first & second, "plus": first + second & 0xFFFFFFFF, "eq": int(first == second),
                          "ge": int(first >= second)}[name])
    return stack[-1]


def file(pieces: Iterable[Piece]) -> bytes:
    """An ELF file with the table of all pieces."""
    return _elf(_cie() + b"".join(_fde(piece) for piece in pieces))


def _entry(content: bytes) -> bytes:
    content += bytes(-len(content) % 4)
    return struct.pack("<I", len(content)) + content


def _cie() -> bytes:
    """Version 1; "zS": what it describes was interrupted; return addresses are in EIP's column."""
    code = bytes((CFA_DEF_CFA, NUMBERS["esp"], 4))
    return _entry(struct.pack("<IB", 0xFFFFFFFF, 1) + b"zS\0" + unsigned(1) + b"\x7c" + bytes((NUMBERS["eip"],)) + unsigned(0) + code)


def _fde(piece: Piece) -> bytes:
    code, registers = bytearray(), {}
    for row in piece.rows:
        code += bytes((CFA_SET_LOC,)) + struct.pack("<I", row.start)
        if not row.cfa:
            code += bytes((CFA_UNDEFINED, NUMBERS["eip"]))
            continue
        code += bytes((CFA_DEF_CFA_EXPRESSION,)) + unsigned(len(row.cfa)) + row.cfa
        for name, expression in row.registers.items():
            if registers.get(name) != expression:
                code += bytes((CFA_VAL_EXPRESSION,)) + unsigned(NUMBERS[name]) + unsigned(len(expression)) + expression
        registers = row.registers
    return _entry(struct.pack("<III", 0, piece.start, piece.end - piece.start) + unsigned(0) + bytes(code))


def _elf(table: bytes) -> bytes:
    names = b"\0.text\0.debug_frame\0.shstrtab\0"
    head, size = 52, 40
    at_names = head + len(table)
    at_sections = at_names + len(names) + -(at_names + len(names)) % 4
    sections = [
        (0,) * 10,
        (names.index(b".text"), 8, 6, DUMMY, head, 16, 0, 0, 1, 0),  # no bits; allocated, executable
        (names.index(b".debug_frame"), 1, 0, 0, head, len(table), 0, 0, 4, 0),
        (names.index(b".shstrtab"), 3, 0, 0, at_names, len(names), 0, 0, 1, 0),
    ]
    header = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, 3, 1, DUMMY, 0, at_sections, 0, head, 0, 0, size, len(sections),
                         len(sections) - 1)  # fmt: skip
    out = header + table + names
    return out + bytes(at_sections - len(out)) + b"".join(struct.pack("<10I", *section) for section in sections)
