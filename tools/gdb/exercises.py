# SPDX-License-Identifier: MIT
"""Which exercise of the course a function belongs to, and which functions were at work at a place of the hypervisor."""

import re
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gdb

from .model import address, bytes_at, function_at

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "grader"))

from atelier_grader.manifest import Exercise, ManifestError, load_all  # noqa: E402

DEPTH = 32  # calls


@dataclass(frozen=True)
class Place:
    """A line of the hypervisor."""

    function: str
    file: str  # its name
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}, {self.function}: {self.text}" if self.text else f"{self.file}:{self.line}, {self.function}"


@cache
def exercises() -> tuple[Exercise, ...]:
    try:
        return tuple(exercise for lab in load_all(ROOT) for exercise in lab.exercises)
    except (ManifestError, OSError):
        return ()


def named(number: str) -> Exercise | None:
    return next((exercise for exercise in exercises() if exercise.number == number), None)


def owner(functions: Iterable[str]) -> Exercise | None:
    """The exercise of the first of these functions that is a part of one."""
    for function in functions:
        for exercise in exercises():
            if any(name == function for _, name in exercise.functions):
                return exercise
    return None


def of_file(file: str) -> Exercise | None:
    """The first exercise in a file, by its name."""
    return next((exercise for exercise in exercises() if any(Path(path).name == file for path, _ in exercise.functions)), None)


def words(exercise: Exercise) -> str:
    functions = ", ".join(name for _, name in exercise.functions)
    return f"exercise {exercise.number} ({exercise.title}: {functions})"


def functions_at(place: int) -> list[str]:
    """The function that an address is in, behind those that the compiler has put into it there, the innermost first."""
    try:
        block = gdb.block_for_pc(place)
    except (RuntimeError, gdb.error):
        return []
    names = []
    while block is not None and not block.is_global:
        if block.function is not None:
            names.append(block.function.name)
        block = block.superblock
    return names


def line_at(place: int) -> Place | None:
    found = gdb.find_pc_line(place)
    if not found.symtab:
        return None
    function = next(iter(functions_at(place)), "") or function_at(place)
    return Place(function, Path(found.symtab.filename).name, found.line, source_text(Path(found.symtab.fullname()), found.line))


def source_text(path: Path, line: int) -> str:
    try:
        return re.sub(r"\s+", " ", path.read_text(encoding="utf-8", errors="replace").splitlines()[line - 1]).strip()
    except (OSError, IndexError):
        return ""


def call_chain(ebp: int) -> Iterator[tuple[int, int]]:
    """Return addresses and the places of their frames, outwards, by frame pointers, as the hypervisor's back-trace has them."""
    bottom, top = address("stack_bottom"), address("stack_top")
    start, end = address("image_start"), address("text_end")
    for _ in range(DEPTH):
        if not (bottom <= ebp < top - 8 and ebp % 4 == 0):
            return
        caller, back = struct.unpack("<II", bytes_at(ebp, 8))
        if not start <= back < end:
            return
        yield back - 1, ebp
        if caller <= ebp:
            return
        ebp = caller
