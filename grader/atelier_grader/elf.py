# SPDX-License-Identifier: MIT
"""Reads what the runner needs of a 32-bit ELF file: where it is loaded, and its symbols."""

import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PT_LOAD = 1
PF_X, PF_W = 1, 2
SHT_SYMTAB = 2
STT_FUNC = 2


class ElfError(Exception):
    """One line: the file, and what is wrong with it."""


@dataclass(frozen=True)
class Segment:
    virtual: int
    physical: int
    size: int  # in memory; what the file does not hold is zero
    content: bytes
    code: bool  # executed, and never written


@dataclass(frozen=True)
class Symbol:
    address: int
    size: int
    function: bool


@dataclass(frozen=True)
class Elf:
    path: Path
    entry: int
    segments: tuple[Segment, ...]
    symbols: Mapping[str, Symbol]

    def physical(self, virtual: int) -> int:
        """Where the byte at a virtual address of the image was loaded; KeyError if nowhere."""
        for segment in self.segments:
            if segment.virtual <= virtual < segment.virtual + segment.size:
                return virtual - segment.virtual + segment.physical
        raise KeyError(f"{self.path.name} has nothing at {virtual:#010x}")


def _symbols(data: bytes) -> dict[str, Symbol]:
    offset, = struct.unpack_from("<I", data, 32)
    size, count = struct.unpack_from("<HH", data, 46)
    found: dict[str, Symbol] = {}
    headers = [struct.unpack_from("<10I", data, offset + i * size) for i in range(count)]
    for header in headers:
        if header[1] != SHT_SYMTAB:
            continue
        strings = headers[header[6]][4]
        for at in range(header[4], header[4] + header[5], 16):
            name, value, length, info, _, section = struct.unpack_from("<IIIBBH", data, at)
            start = strings + name
            text = data[start:data.index(b"\0", start)].decode(errors="replace")
            if text and section:
                found[text] = Symbol(value, length, info & 15 == STT_FUNC)
    return found


def read(path: Path) -> Elf:
    """Reads an executable of the i386."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ElfError(f"{path}: {error.strerror}; build it first (make)") from error
    if data[:5] != b"\x7fELF\x01" or struct.unpack_from("<H", data, 18) != (3,):
        raise ElfError(f"{path}: not an ELF file for the i386")
    try:
        entry, offset = struct.unpack_from("<II", data, 24)
        size, count = struct.unpack_from("<HH", data, 42)
        segments = []
        for i in range(count):
            kind, start, virtual, physical, in_file, in_memory, flags, _ = struct.unpack_from(
                "<8I", data, offset + i * size)
            if kind == PT_LOAD:
                segments.append(Segment(virtual, physical, in_memory, data[start:start + in_file], flags & (PF_X | PF_W) == PF_X))
        if not segments:
            raise ElfError(f"{path}: loads nothing")
        return Elf(path, entry, tuple(segments), _symbols(data))
    except (struct.error, ValueError, IndexError) as error:
        raise ElfError(f"{path}: a damaged ELF file ({error})") from error


def place(elf: Elf, address: int) -> str:
    """'function at file:line' of an address, as far as the file knows."""
    try:
        answer = subprocess.run(
            ["addr2line", "-f", "-s", "-e", str(elf.path), f"{address:#x}"],
            capture_output=True, text=True, timeout=20, check=True).stdout.split("\n")
    except (OSError, subprocess.SubprocessError):
        return f"{address:#010x}"
    function, line = answer[0], answer[1].split(" ")[0]
    if function == "??":
        return f"{address:#010x}, which is not in {elf.path.name}"
    return f"{function} ({line})" if not line.startswith("??") else f"{function} ({address:#010x})"
