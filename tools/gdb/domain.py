# SPDX-License-Identifier: MIT
"""One domain on a screen: `atl domain D`."""

import textwrap

import gdb

from .command import WIDTH, command, duration, say, words
from .domains import base, state
from .events import bits_of, other_end
from .framewords import plural
from .holders import NONE, array, rings
from .model import domain, domain_numbers, in_ring_0, name_of, register, running, slots, source_line, whole
from .traps import guest_function

SHUTDOWN = ("power off", "reboot", "crash: the guest gave up", "killed by the hypervisor, whose log says why", "destroyed by domain 0")
REGISTERS = ("eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp", "cs", "ss", "ds", "es", "fs", "gs", "eip", "eflags")
PORTS_SHOWN = 12
NEVER = (0, (1 << 64) - 1)


@command("domain", domain_numbers)
def show_one(given: list[str]) -> None:
    """Everything of one domain.

    atl domain D

    Memory: frames that it owns now, may own (its limit), and was promised at its creation. Its shared page as it is in memory:
    bits that are set. Registers: as they were when the hypervisor was entered, or the processor's own if this domain runs and
    the hypervisor is not at work. Times are the machine's clock's. What comes with a later lab is left out."""
    d = domain(words(given, "domain D", 1)[0])
    seen, fields = whole(d), d.type.keys()
    say(f"domain {int(seen['id'])} \"{name_of(d)}\": {state(d)}" + (", privileged" if int(seen["privileged"]) else ""))
    if int(seen["life"]) != 1:
        reason = int(seen["reason"])
        say_item("end", (SHUTDOWN[reason] if reason < len(SHUTDOWN) else f"reason {reason}") + f", status {int(seen['status'])}, "
                 f"at {duration(int(seen['ended']))}")  # fmt: skip
    if int(seen["life"]) == 0:
        return
    memory = seen["memory"]
    say_item("memory", f"owns {plural(int(memory['owned']['count']), 'frame')}, may own {int(memory['limit']):,}, was promised "
             f"{int(memory['promised']):,}; base {base(seen)}")  # fmt: skip
    say_item("shared", shared_words(seen))
    show_registers(seen)
    say_item("entries", entries_words(seen))
    if "events" in fields:
        say_item("ports", ports_words(seen))
    say_item("time", time_words(seen))
    if "segments" in fields:
        say_item("tables", tables_words(seen))
    if "rings" in fields:
        say_item("devices", devices_words(seen))
    say_item("calls", f"{int(seen['calls']['count']):,}" + (", now in a multicall" if int(seen["calls"]["in_multicall"]) else ""))


def say_item(name: str, text: str) -> None:
    lead = f"  {name:<9} "
    for line in textwrap.wrap(text, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead)):
        say(line)


def some(bits: int) -> str:
    """The numbers of the bits that are set, the first few of them."""
    numbers = [i for i in range(bits.bit_length()) if bits >> i & 1]
    if not numbers:
        return "none"
    return " ".join(map(str, numbers[:PORTS_SHOWN])) + (f" and {len(numbers) - PORTS_SHOWN} more" if len(numbers) > PORTS_SHOWN else "")


def shared_words(d: gdb.Value) -> str:
    bits = bits_of(d)
    if bits is None:
        return "it has no shared page"
    return (f"frame {int(d['shared_frame']['n']):#x}, at {int(d['shared']):#x} for the hypervisor: upcalls "
            f"{'masked' if bits.master else 'open'}, {'one is pending' if bits.upcall else 'none pending'}; "
            f"ports pending: {some(bits.pending)}; masked: {some(bits.mask)}")  # fmt: skip


def is_live(d: gdb.Value) -> bool:
    """Whether the processor has this domain's registers in itself, and they are its own."""
    return is_running(d) and not in_ring_0()


def is_running(d: gdb.Value) -> bool:
    now = running()
    return now is not None and int(now["id"]) == int(d["id"])


def show_registers(d: gdb.Value) -> None:
    saved, live = d["vcpu"]["regs"], is_live(d)
    value = {name: register(name) if live else int(saved[name]) for name in REGISTERS}
    place = ", ".join(text for text in (guest_function(d, value["eip"]), source_line(value["eip"]) if is_running(d) else "") if text)
    say_item("at", f"{value['eip']:#010x} in ring {value['cs'] & 3}" + (f": {place}" if place else "")
             + ("; it runs, the registers are the processor's" if live else ""))  # fmt: skip
    for row in (REGISTERS[:4], REGISTERS[4:8]):
        say("            " + "  ".join(f"{name} {value[name]:08x}" for name in row))
    say("            " + "  ".join(f"{name} {value[name] & 0xFFFF:04x}" for name in REGISTERS[8:14]) + f" eflags {value['eflags']:08x}")


def entries_words(d: gdb.Value) -> str:
    """Where the guest is entered."""
    said = []
    if "upcalls" in d.type.keys():
        callbacks = d["upcalls"]["callbacks"]
        said += [f"{name} {int(callbacks[f'{name}_eip']):#x}" if int(callbacks[f"{name}_eip"]) else f"no {name} callback"
                 for name in ("event", "failsafe")]  # fmt: skip
    if "traps" in d.type.keys():
        handlers = d["traps"]["handlers"]
        n = sum(int(handlers[i]["address"]) != 0 for i in range(handlers.type.range()[1] + 1))
        said.append(plural(n, "trap handler"))
        said.append("no fast trap" if int(d["traps"]["fast"]) == NONE else f"fast trap {int(d['traps']['fast']):#x}")
    said.append(f"ring 1's stack {int(d['vcpu']['kernel_ss']) & 0xFFFF:04x}:{int(d['vcpu']['kernel_esp']):08x}")
    return ", ".join(said)


def ports_words(d: gdb.Value) -> str:
    ports = d["events"]["ports"]
    open_ = [i for i in range(ports.type.range()[1] + 1) if int(ports[i]["state"])]
    said = [f"{i}: {other_end(ports[i])}" for i in open_[:PORTS_SHOWN]]
    if len(open_) > PORTS_SHOWN:
        said.append(f"and {len(open_) - PORTS_SHOWN} more")
    return "; ".join(said) or "none open"


def time_words(d: gdb.Value) -> str:
    said, fields = [f"had the processor for {duration(int(d['vtime']['used']))}"], d.type.keys()
    said.append(f"timer at {duration(int(d['timers']['deadline']))}" if is_armed(int(d["id"])) else "no timer")
    alarm = int(d["vtime"]["alarm"])
    if alarm not in NEVER:
        said.append(f"virtual timer at {duration(alarm)} of its own time")
    if "policy" in fields:
        share = d["policy"]
        said.append(f"weight {int(share['weight'])}" + (f", warp {duration(int(share['warp']))}" if int(share["warp"]) else ""))
    return "; ".join(said)


def is_armed(number: int) -> bool:
    """Whether a domain's timer is on the list: an entry that is on none points at itself, or nowhere yet."""
    armed = slots()[number]["timers"]["armed"]
    return int(armed["next"]) not in (0, int(armed.address))


def tables_words(d: gdb.Value) -> str:
    share = d["segments"]
    frames = [mfn for mfn in array(share["gdt"]) if mfn != NONE]
    gdt = f"GDT of {plural(len(frames), 'frame')}" if frames else "the hypervisor's GDT"
    entries = int(share["ldt_entries"])
    return f"{gdt}, " + (f"LDT of {plural(entries, 'descriptor')}" if entries else "no LDT")


def devices_words(d: gdb.Value) -> str:
    said = [f"ring {name} {device}" + (" (stopped)" if int(ring["stopped"]) else "") for name, device, ring in rings(d)]
    for name, array_ in (("VIF", ("vifs", "vifs")), ("VBD", ("vbds", "devices"))):
        if array_[0] in d.type.keys():
            there = d[array_[0]][array_[1]]
            said += [f"{name} {i}" for i in range(there.type.range()[1] + 1) if int(there[i])]
    return ", ".join(said) or "none"
