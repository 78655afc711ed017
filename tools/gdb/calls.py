# SPDX-License-Identifier: MIT
"""What guests asked last, and what they were told: `atl calls`."""

import errno
from collections.abc import Sequence
from functools import cache

import gdb

from .command import Failure, command, number, say, table, words
from .layout import LINE
from .model import address, function_at, slots, variable
from .symbols import kernel_of, loaded
from .trace import NO_DOMAIN, Call, read

SHOWN = 20
INT_LENGTH = 2  # of the guest's instruction INT 0x82


@cache
def call_names() -> tuple[str, ...]:
    """The hypercalls by number, as the table of handlers has them."""
    rows = variable("hypercall_table", "hypercall_table.c")
    handlers = [int(rows[i]) for i in range(rows.type.range()[1] + 1)]
    return tuple(function_at(place).removeprefix("call_") if place else "" for place in handlers)


def call_name(call: int) -> str:
    names = call_names()
    return names[call] if call < len(names) and names[call] else f"no call ({call:#x})"


@cache
def argument_names(name: str) -> tuple[str, ...]:
    """What the handler of a call calls its arguments, but the domain."""
    if name == "version":
        return ()
    try:
        block = gdb.block_for_pc(address(f"do_{name}"))
    except Failure:
        return ("a", "b", "c", "d", "e")
    while block is not None and (block.function is None or block.function.name != f"do_{name}"):
        block = block.superblock
    found = [symbol.name for symbol in block or () if symbol.is_argument]
    return tuple(found[1:])


def argument(value: int) -> str:
    return str(value) if value < 1024 else f"{value:#x}"


def arguments(call: Call) -> str:
    names = argument_names(call_name(call.handler if call.entered else call.call))
    return " ".join(f"{name}={argument(value)}" for name, value in zip(names, call.args))


def result_words(call: Call) -> str:
    if not call.returned:
        return "not yet"
    if call.failed:
        return f"-{errno.errorcode.get(-call.result, str(-call.result))}"
    return str(call.result) if abs(call.result) < 100000 else f"{call.result & 0xFFFFFFFF:#x}"


def full_name(call: Call) -> str:
    """What was called, and what was done if that is something else."""
    name = call_name(call.call)
    if call.entered and call.handler != call.call:
        name += f" became {call_name(call.handler)}"
    return ("+ " if call.entry else "") + name


def guest_function(domain: int, place: int) -> str:
    """The name of a guest's function, if GDB has the names of the kernel that this domain runs."""
    now = loaded()
    if now is None or place >= LINE or domain == NO_DOMAIN:
        return ""
    if int(now["id"]) != domain:
        mine = kernel_of(slots()[domain])
        if mine is None or mine != kernel_of(now):
            return ""
    return function_at(place)


def caller(domain: int, eip: int) -> str:
    """Where a guest asked: the instruction, by name if that is known."""
    place = eip - INT_LENGTH
    name = guest_function(domain, place)
    return f"{place:#x}" + (f" {name}" if name else "")


def show(calls: Sequence[Call]) -> None:
    """A table of calls. Where all come from one place, as mini's do, a line says it once."""
    names = {key: caller(*key) for key in {(call.domain, call.eip) for call in calls}}
    callers = [names[call.domain, call.eip] for call in calls]
    several = len(set(callers)) > 1
    rows = [("-" if c.domain == NO_DOMAIN else c.domain, full_name(c), result_words(c), *([place] if several else []), arguments(c))
            for c, place in zip(calls, callers)]
    table(("D", "CALL", "RESULT", *(["FROM"] if several else []), "ARGUMENTS"), rows, "a")
    if callers and not several:
        say(f"all by the INT at {callers[0]}")


@command("calls")
def show_calls(given: list[str]) -> None:
    """The last hypercalls, the newest last: who asked what, and what the answer was.

    atl calls [N]

    N is how many, 20 if it is left out; a debug build remembers 256. `+` is an entry of the multicall above it. RESULT is
    what the guest found in EAX, `not yet` of a call that is under way or never came back. FROM is the guest's INT 0x82, if not
    all have the same. ARGUMENTS have the names that the handler gives them; addresses are the guest's own. `became` says that
    the number led to another call's handler."""
    words(given, "calls [N]", 0, 1)
    count = number(given[0], "number of calls") if given else SHOWN
    calls = read().calls
    if not calls:
        say("no guest has called yet")
        return
    show(calls[-count:] if count else [])
