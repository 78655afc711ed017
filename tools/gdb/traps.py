# SPDX-License-Identifier: MIT
"""What a guest has registered in place of an interrupt descriptor table: `atl traps D`."""

import gdb

from .command import command, paragraph, say, table, words
from .model import domain, domain_numbers, function_at, name_of, share, whole
from .symbols import loaded

FAST_TRAP_NONE = 0xFFFFFFFF
TRAP_DPL, TRAP_MASK_EVENTS = 3, 4
VECTORS = {
    0: "#DE divide error", 1: "#DB debug", 2: "NMI", 3: "#BP breakpoint", 4: "#OF overflow", 5: "#BR bound", 6: "#UD bad opcode",
    7: "#NM no FPU", 8: "#DF double fault", 9: "FPU segment", 10: "#TS bad TSS", 11: "#NP not present", 12: "#SS stack",
    13: "#GP protection", 14: "#PF page fault", 16: "#MF FPU error", 17: "#AC alignment", 18: "#MC machine", 19: "#XM SIMD",
}  # fmt: skip


@command("traps", domain_numbers)
def show_traps(given: list[str]) -> None:
    """A domain's handlers of exceptions and INT n, its callbacks and its critical ranges.

    atl traps D

    DPL is the least privileged ring that may use INT n for the vector; MASKS: events are masked when it is delivered.
    The fast trap is a gate of the processor's own, from ring 3 straight to ring 1, as the table had it when the
    gate was asked for; it stands in the IDT while the domain's registers are loaded. FUNCTION is known for the domain
    whose symbols GDB has: the one whose page tables are loaded."""
    d = domain(words(given, "traps D", 1)[0])
    traps, callbacks = whole(share(d, "traps", 2)), whole(share(d, "upcalls", 2))["callbacks"]
    say(f"domain {int(d['id'])} ({name_of(d)})")
    _callbacks(d, callbacks)
    rows = [(f"{vector:#04x}", VECTORS.get(vector, ""), *_handler(d, traps["handlers"][vector]))
            for vector in range(256) if int(traps["handlers"][vector]["address"])]
    if rows:
        table(("VECTOR", "", "HANDLER", "DPL", "MASKS", "FUNCTION"), rows, "d")
    else:
        say("no handlers: the first exception kills it")
    _fast(d, traps)


def _handler(d: gdb.Value, handler: gdb.Value) -> tuple[str, int, str, str]:
    flags = int(handler["flags"])
    return _place(handler["cs"], handler["address"]), flags & TRAP_DPL, "yes" if flags & TRAP_MASK_EVENTS else "", \
        guest_function(d, int(handler["address"]))


def _place(cs: gdb.Value, address: gdb.Value) -> str:
    return f"{int(cs):04x}:{int(address):08x}"


def guest_function(d: gdb.Value, place: int) -> str:
    """The name of a function of a guest's: only of the one whose symbols GDB has, for others have other programs at the same addresses."""
    now = loaded()
    return function_at(place) if now is not None and int(now["id"]) == int(d["id"]) else ""


def _callbacks(d: gdb.Value, callbacks: gdb.Value) -> None:
    for name, without in (("event", "events wait"), ("failsafe", "a bad selector on the way back kills it")):
        place = int(callbacks[f"{name}_eip"])
        if place:
            paragraph(f"{name} callback: {_place(callbacks[f'{name}_cs'], callbacks[f'{name}_eip'])} {guest_function(d, place)}".rstrip())
        else:
            say(f"{name} callback: none: {without}")
    count, ranges = int(callbacks["range_count"]), callbacks["ranges"]
    for i in range(min(count, ranges.type.range()[1] + 1)):
        r = ranges[i]
        paragraph(f"critical range {int(r['start']):08x} to {int(r['end']):08x}: an event there resumes at {int(r['resume']):08x} "
                  f"{guest_function(d, int(r['resume']))}".rstrip())


def _fast(d: gdb.Value, traps: gdb.Value) -> None:
    vector, gate = int(traps["fast"]), traps["fast_gate"]
    if vector == FAST_TRAP_NONE:
        say("no fast trap")
        return
    paragraph(f"fast trap {vector:#04x}: {_place(gate['cs'], gate['address'])} DPL {int(gate['flags']) & TRAP_DPL} "
              f"{guest_function(d, int(gate['address']))}".rstrip())
    now = traps["handlers"][vector & 0xFF]
    if any(int(now[name]) != int(gate[name]) for name in ("cs", "address", "flags")):
        paragraph("The table has another handler for that vector by now: the gate stays as it was until it is asked for again.")
