# SPDX-License-Identifier: MIT
"""Going backwards in a recording: `atl last-write`, `atl position`.

A virtual address is watched by the emulator while it runs back, which is exact, but for writes through another address of the
same memory. A frame can be written through any address that maps it then, so its contents are looked at on the way instead, at
ever closer positions: that finds its last change, but for one that was undone again between two looks. It is also what is done
when watching an address has missed something: what stood there after the write that was found is not what stands there now.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import gdb

from . import session
from .calls import call_name
from .command import Failure, clean, command, number, say, words
from .layout import LINE, SLOT_WINDOWS
from .model import PAGE, function_at, name_of, physical, running, source_line, variable
from .pagetable import follow

FRAMES = 1 << 20  # a number below is a frame's: no guest and no hypervisor has anything at so low an address
LOOKS = 64  # at a frame, in each round
OTHERS = 64  # writes to the same address in another address space that are passed over
WORD = 4
SLOT_DOMAIN, SLOT_SHARED = 1018, 1020
NO_CALL = 0xFFFFFFFF


# ---- to a position ----

@contextmanager
def _undisturbed() -> Iterator[None]:
    """The user's breakpoints do not count meanwhile, and what GDB says at each stop is not shown."""
    mine = [b for b in gdb.breakpoints() if b.enabled]
    for b in mine:
        b.enabled = False
    with _silence():
        try:
            yield
        finally:
            for b in mine:
                if b.is_valid():
                    b.enabled = True


@contextmanager
def _silence() -> Iterator[None]:
    """GDB prints its stops past `to_string` and past its own log: so they go nowhere at all."""
    gdb.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        gdb.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _quietly(order: str) -> None:
    gdb.execute(order, to_string=True)


def _need_recording() -> None:
    session.position()


def _back() -> bool:
    """Runs backwards to what is watched. False: it came to the start of the recording."""
    while True:
        before = session.position()
        if before == 0:
            return False
        try:
            _quietly("reverse-continue")
        except gdb.error as error:
            raise Failure(f"this QEMU does not go backwards ({error}): `make doctor` says which does") from None
        now = session.position()
        if function_at(int(gdb.parse_and_eval("$pc"))) != "machine_stop":  # GDB itself stops there, on the way
            return now not in (0, before)


def go(instruction: int) -> None:
    """Goes to a position, forwards, or from the start of the recording."""
    with _undisturbed():
        if instruction < session.position():
            while _back():
                pass
        while (before := session.position()) < instruction:
            session.stop_at(instruction)
            _quietly("continue")
            if session.position() == before:
                raise Failure(f"the recording does not go on from instruction {before:,}")


@command("position")
def show_position(given: list[str]) -> None:
    """Where in the recording the machine stands, in instructions; with a number, goes there.

    atl position [INSTRUCTION]

    Instructions are counted from the machine's reset. Breakpoints do not stop it on the way. Forwards is quick; backwards
    it starts again at the beginning. `atl position 0` is the beginning."""
    words(given, "position [INSTRUCTION]", 0, 1)
    now = session.position()
    if given:
        wanted = number(given[0].replace(",", ""), "instruction")
        if wanted > session.current.end:
            raise Failure(f"the recording has {session.current.end:,} instructions")
        go(wanted)
        now = session.position()
        gdb.execute("frame")
    say(f"instruction {now:,} of {session.current.end:,}")


# ---- the last write ----

@dataclass(frozen=True)
class Memory:
    """What is looked for."""

    frame: bool  # @place is a machine address, else a virtual one
    place: int
    length: int

    def read(self) -> bytes:
        if self.frame:
            return physical(self.place, self.length)
        return gdb.selected_inferior().read_memory(self.place, self.length).tobytes()

    def __str__(self) -> str:
        where = f"frame {self.place // PAGE:#x}" + (f", byte {self.place % PAGE:#x}," if self.length < PAGE else "") if self.frame \
            else f"{self.place:#010x}"
        return f"{where} ({self.length} bytes)"


def memory(text: str, length: int | None) -> Memory:
    """What somebody names: `0x2a1`, `0x2a1:0x10`, `0xc0001000`, `d->events`."""
    if pair := re.fullmatch(r"([^:]+):([^:]+)", text):
        frame, offset = number(pair[1], "frame"), number(pair[2], "offset")
        return _frame(frame, offset, length or WORD)
    try:
        value = gdb.parse_and_eval(text)
        kind = value.type.strip_typedefs()
        if str(value.type) == "mfn_t":
            return _frame(int(value["n"]), 0, length or PAGE)
        if kind.code == gdb.TYPE_CODE_FUNC or value.address is not None:
            return Memory(False, int(value.address), length or kind.sizeof)
        place = int(value) & 0xFFFFFFFF
    except (gdb.error, ValueError) as error:
        raise Failure(f"{text}: no frame, address or expression: {error}") from None
    if place < FRAMES:
        return _frame(place, 0, length or PAGE)
    return Memory(False, place, length or WORD)


def _frame(mfn: int, offset: int, length: int) -> Memory:
    if not (mfn < FRAMES and 0 <= offset < PAGE and offset + length <= PAGE):
        raise Failure(f"frame {mfn:#x} has bytes 0 to 0xfff")
    return Memory(True, mfn * PAGE + offset, length)


def _translation(va: int) -> int | None:
    """The frame that an address means in the loaded address space."""
    steps = follow(int(gdb.parse_and_eval("$cr3")) >> 12 & 0xFFFFF, va)
    last = steps[-1]
    if not last.present:
        return None
    return last.mfn + (va >> 12 & 1023) if len(steps) == 1 else last.mfn


def _watched(what: Memory) -> bool:
    """Runs back to the last write of a virtual address, and stands behind it."""
    mapped = _translation(what.place)
    watch = gdb.Breakpoint(f"*(unsigned char(*)[{what.length}]){what.place:#x}", gdb.BP_WATCHPOINT, gdb.WP_WRITE, internal=True)
    watch.silent = True
    try:
        for _ in range(OTHERS):
            if not _back():
                return False
            if what.place >= LINE or _translation(what.place) == mapped:
                return True
    finally:
        watch.delete()
    raise Failure(f"{OTHERS} writes to {what.place:#x} were of other address spaces; ask for the frame: atl last-write {mapped:#x}")


def _searched(what: Memory, now: int) -> bool:
    """Finds the last change of a frame, and stands behind it."""
    wanted, low, high = what.read(), 0, now
    while high - low > 1:
        places = sorted({low + (high - low) * i // LOOKS for i in range(LOOKS + 1)} - {high})
        last = None
        for i, place in enumerate(places):
            go(place)
            if what.read() != wanted:
                last = i
        if last is None:
            return False
        low, high = places[last], places[last + 1] if last + 1 < len(places) else high
    go(high)
    return True


def _aliases(what: Memory, start: int) -> Memory | None:
    """The same memory by its frame, if guests may write to it by other addresses: their own memory, and shared pages."""
    go(start)
    if LINE <= what.place < SLOT_SHARED << 22 or what.place >> 22 > SLOT_SHARED or what.place % PAGE + what.length > PAGE:
        return None
    mfn = _translation(what.place)
    return None if mfn is None else _frame(mfn, what.place % PAGE, what.length)


def _by_frame(what: Memory) -> Memory:
    """The hypervisor's windows show another frame each moment: what is meant is the one that they show now."""
    if what.frame or what.place >> 22 not in (SLOT_WINDOWS, SLOT_DOMAIN):
        return what
    mfn = _translation(what.place)
    if mfn is None:
        raise Failure(f"{what.place:#x} is a window of the hypervisor's that shows nothing now")
    return _frame(mfn, what.place % PAGE, min(what.length, PAGE - what.place % PAGE))


@command("last-write")
def last_write(given: list[str]) -> None:
    """Goes back to the instruction that wrote to some memory last, and stops before it: `stepi` does it.

    atl last-write MFN[:OFFSET] [LENGTH]        a frame, or a word of it: a page table's entry
    atl last-write VA [LENGTH]                  an address of the hypervisor, or of the domain whose tables are loaded
    atl last-write EXPRESSION [LENGTH]          what it names: crash_context.call, d->shared->upcall_pending

    A number below 0x100000 is a frame. An address is watched on the way back, which finds every write through it, also one that
    changes nothing; one through another address is searched for as a frame's. A frame is found by its contents, because it may
    be written through any address: the last change, but for one that was undone soon after. In a recording only: make gdb
    REVERSE=1."""
    words(given, "last-write MFN[:OFFSET]|VA|EXPRESSION [LENGTH]", 1, 2)
    _need_recording()
    length = number(given[1], "length") if len(given) > 1 else None
    if length is not None and not 0 < length <= PAGE:
        raise Failure("LENGTH is 1 to 4096 bytes")
    what = _by_frame(memory(given[0], length))
    start, after = session.position(), what.read()
    with _undisturbed():
        found = _searched(what, start) if what.frame else _watched(what)
    aliases = _aliases(what, start) if not what.frame and (not found or what.read() != after) else None
    if aliases:  # the last one came by another address
        what = aliases
        with _undisturbed():
            found = _searched(what, start)
    if not found:
        go(start)
        raise Failure(f"nothing has written to {what} since the machine was started; the machine is where it was")
    with _undisturbed():
        go_before(session.position())
    _tell(what, what.read(), after)


def go_before(behind: int) -> None:
    _quietly("reverse-stepi")
    if session.position() >= behind:
        raise Failure("one step backwards did not lead anywhere: `atl position` says where the machine is")


def _tell(what: Memory, before: bytes, after: bytes) -> None:
    place = int(gdb.parse_and_eval("$pc"))
    ring = int(gdb.parse_and_eval("$cs")) & 3
    d = running()
    who = "the hypervisor" if ring == 0 else "the guest's kernel" if ring == 1 else "a program of the guest's"
    whose = f", for domain {int(d['id'])} \"{name_of(d)}\"" if d is not None else ""
    call = int(variable("crash_context")["call"])
    doing = f" in its call {call_name(call)}" if ring == 0 and d is not None and call != NO_CALL else ""
    say(f"{what} was written by {who}{whose}{doing}, at instruction {session.position():,}:")
    where = gdb.newest_frame().name() or function_at(place) or f"{place:#x}"
    say(f"  {where}" + (f", {line}" if (line := source_line(place)) else ""))
    say(f"  {clean(gdb.execute('x/i $pc', to_string=True).strip().removeprefix('=>').strip().expandtabs(1))}")
    for text in _difference(what, before, after):
        say(f"  {text}")


def _difference(what: Memory, before: bytes, after: bytes) -> Iterator[str]:
    """The first words that have changed, as the machine stores them."""
    step = WORD if len(before) >= WORD else len(before)
    changed = [at for at in range(0, len(before), step) if before[at:at + step] != after[at:at + step]]
    if not changed:
        yield "with what was there already"
    for at in changed[:4]:
        old, new = (int.from_bytes(data[at:at + step], "little") for data in (before, after))
        yield f"byte {at:#x}: {old:#x} became {new:#x}" if len(before) > step else f"{old:#x} became {new:#x}"
    if len(changed) > 4:
        yield f"and {len(changed) - 4} words more"
