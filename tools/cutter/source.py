# SPDX-License-Identifier: MIT
"""C as the cutter sees it: functions, types, macros and variables at the margin, each with the comment above it.

universal-ctags says where they start and end. A text is changed a whole item at a time, never within one.
"""

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from . import CutError

HEADING = re.compile(r"/\* -{4} .* -{4} \*/")
KINDS = "dfpstguv"  # macros, functions, prototypes, structs, typedefs, enums, unions, variables


@dataclass(frozen=True)
class Item:
    """Lines count from 0; @first is its comment's first line, @start its own, @last belongs to it."""

    name: str
    kind: str
    first: int
    start: int
    last: int


def _block_start(lines: list[str], i: int) -> int:
    """Where what ends or stands at line @i begins: `} name;` belongs to what opened the brace."""
    if lines[i].startswith("}"):
        i -= 1
        while not re.match(r"\S", lines[i]) or lines[i].startswith("{"):
            i -= 1
    while i > 0 and re.match(r"[A-Za-z_]", lines[i - 1]) and not re.search(r"[;}/:]$", lines[i - 1]):
        i -= 1
    return i


def _block_end(lines: list[str], i: int) -> int:
    """The last line of the declaration that begins at @i."""
    depth = 0
    while True:
        depth += lines[i].count("{") - lines[i].count("}")
        if depth == 0 and re.search(r";\s*(/\*.*\*/)?$", lines[i]):
            return i
        i += 1


def _comment_start(lines: list[str], start: int) -> int:
    """The first line of the comment that stands right above @start; @start if none does."""
    i = start - 1
    if i < 0 or not lines[i].endswith("*/") or HEADING.fullmatch(lines[i]):
        return start
    while i >= 0 and "/*" not in lines[i]:
        i -= 1
    return i if i >= 0 and lines[i].startswith("/*") else start


@lru_cache(maxsize=None)
def items(text: str) -> tuple[Item, ...]:
    lines = text.split("\n")
    with tempfile.NamedTemporaryFile("w", suffix=".c", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        try:
            done = subprocess.run(
                ["ctags", "--options=NONE", "--language-force=C", f"--kinds-C={KINDS}", "--fields=+ne", "--output-format=json",
                 "-o", "-", file.name], capture_output=True, text=True, check=True)
        except FileNotFoundError as error:
            raise CutError("ctags is not installed: run `make deps`") from error
    found = []
    for tag in map(json.loads, done.stdout.splitlines()):
        if "scope" in tag:
            continue
        start = _block_start(lines, tag["line"] - 1)
        last = tag["end"] - 1 if tag["kind"] in ("function", "macro") else _block_end(lines, start)
        found.append(Item(tag["name"], tag["kind"], _comment_start(lines, start), start, last))
    return tuple(sorted(found, key=lambda item: item.start))


def one(text: str, name: str, where: str, kinds: tuple[str, ...] = ("function",)) -> Item:
    """The one item of that name; CutError, with @where in front, unless there is exactly one."""
    found = [item for item in items(text) if item.name == name and item.kind in kinds]
    if len(found) != 1:
        raise CutError(f"{where} {'has no' if not found else 'has more than one'} {name}")
    return found[0]


def lines_of(text: str, item: Item) -> list[str]:
    return text.split("\n")[item.first:item.last + 1]


def replace(text: str, item: Item, new: list[str]) -> str:
    """The text with @new for an item and its comment; with nothing for it, one empty line goes too."""
    lines = text.split("\n")
    before, after = lines[:item.first], lines[item.last + 1:]
    if not new and before and not before[-1] and after and not after[0]:
        after = after[1:]
    return "\n".join(before + new + after)


_QUIET = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def words(text: str) -> list[str]:
    """The identifiers of a text, without those in its comments and strings."""
    return re.findall(r"[A-Za-z_]\w*", _QUIET.sub(" ", text))


def _uncalled(text: str, keep: frozenset[str]) -> str | None:
    """A static function that nothing but itself and its own declaration names."""
    lines = text.split("\n")
    everywhere = words(text)
    for item in items(text):
        if item.kind != "function" or item.name in keep or not lines[item.start].startswith("static"):
            continue
        own = [i for i in items(text) if i.name == item.name]
        inside = sum(words("\n".join(lines[i.start:i.last + 1])).count(item.name) for i in own)
        if everywhere.count(item.name) == inside:
            return item.name
    return None


def idle(text: str) -> frozenset[str]:
    """The static functions that nothing names: a macro puts their names together."""
    found: frozenset[str] = frozenset()
    while name := _uncalled(text, found):
        found |= {name}
    return found


def prune(text: str, keep: frozenset[str]) -> str:
    """Without the static functions that nothing calls, one after another, but for those named in @keep."""
    while name := _uncalled(text, keep):
        text = without(text, name)
    return tidy(text)


def without(text: str, name: str) -> str:
    """Without any item of that name."""
    while found := [item for item in items(text) if item.name == name]:
        text = replace(text, found[-1], [])
    return text


def tidy(text: str) -> str:
    """Without headings that nothing stands under, and runs of empty lines."""
    lines = text.split("\n")
    kept: list[str] = []
    for i, line in enumerate(lines):
        if HEADING.fullmatch(line):
            under = next((other for other in lines[i + 1:] if other), "")
            if not under or HEADING.fullmatch(under):
                continue
        if line or (kept and kept[-1]):
            kept.append(line)
    while len(kept) > 1 and not kept[-1] and not kept[-2]:
        kept.pop()
    return "\n".join(kept)
