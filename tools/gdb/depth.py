# SPDX-License-Identifier: MIT
"""How far a function's code has moved ESP from its return address, at each of its instructions.

Assembly says nothing about that, and Linux is built with neither frame pointers nor unwind tables. So its instructions are
followed along each jump, as the processor would. What cannot be followed stays unknown, and a back-trace ends there.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache

import gdb

KEPT = ("ebx", "esi", "edi", "ebp")  # a function gives them back as they were
LONGEST = 20000  # bytes of a function that are looked at
WORD, ALL = 4, 32  # pushed by PUSH, PUSHA


@dataclass(frozen=True)
class Depth:
    """Where an instruction finds the stack."""

    depth: int | None = 0  # ESP is so many bytes below the return address; None: unknown
    base: tuple[str, int] | None = None  # a register that has what ESP was at that depth
    kept: tuple[tuple[str, int], ...] = ()  # registers that lie saved, each at the depth of its place


Parts = tuple[tuple[int, int], ...]  # of a function: (start, end), the first the one that is entered


def at(path: str, parts: Parts, pc: int, extent: Callable[[int], Parts], *, behind_call: bool) -> Depth | None:
    """The stack at an instruction of a function.

    @path: the file that it is of, as all guests have functions at the same places. @extent: what is called at an address.
    @behind_call: @pc is where a call returns, which may be behind the function's end, if the call never does."""
    found, ends = _function(path, parts, extent)
    if pc not in found:
        _function.cache_clear()  # Linux changes jumps as it runs
        found, ends = _function(path, parts, extent)
    if pc in found:
        return found[pc]
    return found.get(ends.get(pc, 0)) if behind_call else None


@cache
def _function(path: str, parts: Parts, extent: Callable[[int], Parts]) -> tuple[dict[int, Depth], dict[int, int]]:
    code = instructions(parts)
    states = follow(code, parts[0][0], lambda callee: _never_returns(path, extent(callee)))
    return states, {i["addr"] + i["length"]: i["addr"] for i in code}


@cache
def _never_returns(_path: str, parts: Parts) -> bool:
    """Whether nothing in a function leads out of it, as in panic()."""
    code = instructions(parts)
    for i in code:
        word, target = i["asm"].split()[0], _target(i["asm"])
        if word.startswith(("ret", "iret")) or (word == "jmp" and target is None):
            return False
        if word.startswith("j") and not any(start <= target < end for start, end in parts):
            return False
    return bool(code)


def instructions(ranges: Iterable[tuple[int, int]]) -> list[dict]:
    architecture = gdb.selected_inferior().architecture()
    return [i for start, end in ranges for i in architecture.disassemble(start, min(end, start + LONGEST) - 1) if i["addr"] < end]


def follow(instructions_: Iterable[dict], start: int, never_returns: Callable[[int], bool] = lambda _callee: False) -> dict[int, Depth]:
    """The stack at each instruction that is reached from the one at @start, where it is as a call leaves it."""
    code = {i["addr"]: (i["asm"], i["addr"] + i["length"]) for i in instructions_}
    targets = {_target(text) for text, _ in code.values() if text.startswith("j")}
    states: dict[int, Depth] = {}
    waiting = deque([(start, Depth())])
    beyond: Depth | None = None  # at the last jump through a table
    while waiting:
        place, state = waiting.popleft()
        while place in code and place not in states:
            states[place] = state
            text, following = code[place]
            state = _after(state, text)
            word = text.split()[0]
            target = _target(text) if word.startswith(("j", "loop", "call")) else None
            if word == "call" and target and following in targets and never_returns(target):
                break  # what follows in memory is reached by a jump only, with the stack as it is there
            if word == "jmp" and target is None:
                beyond = state
            if target is not None and word != "call":
                waiting.append((target, state))
            if word in ("jmp", "ret", "iret", "ud2", "hlt", "ljmp") and not (target and target not in code and state.depth):
                break
            # A jump out of the function before its stack is given back is none for good: Linux's static_cpu_has().
            place = following
        if not waiting and beyond:
            # What nothing leads to is what the table does.
            rest = next((place for place in code if place not in states), None)
            if rest is not None:
                waiting.append((rest, beyond))
    return states


def _target(text: str) -> int | None:
    found = re.match(r"\w+\s+0x([0-9a-f]+)", text)
    return int(found[1], 16) if found else None


def _number(text: str) -> int:
    sign, digits = re.fullmatch(r"(-?)(?:0x)?([0-9a-f]*)", text).groups()
    return int(digits or "0", 16) * (-1 if sign else 1)


def _after(state: Depth, text: str) -> Depth:
    """The stack behind an instruction, as GDB writes it."""
    text = re.sub(r"\s*<[^>]*>", "", text)
    if "esp" not in text and "ebp" not in text and not re.match(r"push|pop|leave|mov ", text):
        return state
    word, _, operands = text.partition(" ")
    operands = operands.replace(" ", "")
    if word.startswith("push"):
        return _push(state, operands.lstrip("%"), ALL if word.startswith("pusha") else WORD)
    if word.startswith("popa"):
        return _move(state, -ALL)
    if word.startswith("pop"):
        return _pop(state, operands.lstrip("%"))
    if word == "leave":
        return _pop(_to_base(state, "ebp"), "ebp")
    if moved := re.fullmatch(r"\$(-?\w+),%esp", operands):
        by = _number(moved[1])
        return {"sub": _move(state, by), "add": _move(state, -by)}.get(word, replace(state, depth=None))
    if word == "lea" and (moved := re.fullmatch(r"(-?\w*)\(%(\w+)\),%esp", operands)):
        return _move(state if moved[2] == "esp" else _to_base(state, moved[2]), -_number(moved[1]))
    if word == "xchg" and (swapped := re.fullmatch(r"%(\w+),%esp|%esp,%(\w+)", operands)):
        return replace(state, depth=None, base=(swapped[1] or swapped[2], state.depth) if state.depth is not None else None)
    if word == "mov":
        return _mov(state, operands)
    return replace(state, depth=None) if operands.endswith(",%esp") else state


def _mov(state: Depth, operands: str) -> Depth:
    if operands == "%esp,%ebp" and state.depth is not None:
        return replace(state, base=("ebp", state.depth))
    if found := re.fullmatch(r"%(\w+),%esp", operands):
        return _to_base(state, found[1])
    if operands.endswith(",%esp"):
        return replace(state, depth=None)
    if state.depth is None:
        return state
    if found := re.fullmatch(r"%(\w+),(-?\w*)\(%esp\)", operands):
        return _keep(state, found[1], state.depth - _number(found[2]))
    if found := re.fullmatch(r"(-?\w*)\(%esp\),%(\w+)", operands):
        return _give_back(state, found[2], state.depth - _number(found[1]))
    return state


def _move(state: Depth, by: int) -> Depth:
    return state if state.depth is None else replace(state, depth=state.depth + by)


def _to_base(state: Depth, register: str) -> Depth:
    known = state.base is not None and state.base[0] == register
    return replace(state, depth=state.base[1] if known else None)


def _keep(state: Depth, register: str, place: int) -> Depth:
    if register not in KEPT or any(name == register for name, _ in state.kept):
        return state
    return replace(state, kept=(*state.kept, (register, place)))


def _give_back(state: Depth, register: str, place: int) -> Depth:
    return replace(state, kept=tuple(pair for pair in state.kept if pair != (register, place)))


def _push(state: Depth, register: str, size: int) -> Depth:
    moved = _move(state, size)
    return moved if moved.depth is None else _keep(moved, register, moved.depth)


def _pop(state: Depth, register: str) -> Depth:
    if state.depth is not None:
        state = _give_back(state, register, state.depth)
    if state.base and state.base[0] == register:
        state = replace(state, base=None)
    return _move(state, -WORD)
