# SPDX-License-Identifier: MIT
"""Who is there: `atl domains`, `atl domain D`."""

import textwrap

import gdb

from .command import WIDTH, command, say, table, words
from .framewords import plural
from .holders import NONE, Columns, array, rings
from .model import (LIFE, domain, domain_numbers, domains, function_at, in_ring_0, member, name_of, raw_of, register, running, slots,
                    snapshot, source_line)  # fmt: skip

SHUTDOWN = ("power off", "reboot", "crash: the guest gave up", "killed by the hypervisor, whose log says why", "destroyed by domain 0")
REGISTERS = ("eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp", "cs", "ss", "ds", "es", "fs", "gs", "eip", "eflags")
VIRQS = ("timer", "console", "debug", "virtual timer", "domain", "limit", "shutdown", "devices")
PORTS_SHOWN = 12
NEVER = (0, (1 << 64) - 1)


def state(d: gdb.Value) -> str:
    """What a domain does, in a word or two."""
    if int(d["life"]) != 1:
        return LIFE[int(d["life"])]
    if int(d["sched"]["paused"]):
        return "paused"
    if int(d["sched"]["blocked"]):
        return "blocked"
    now = running()
    return "runs" if now is not None and int(now["id"]) == int(d["id"]) else "can run"


@command("domains")
def show_all(given: list[str]) -> None:
    """The domains: who they are, what they do, what they have.

    atl domains

    FRAMES is what a domain owns now, LIMIT how many it may own, CALLS how many hypercalls it has made, BASE the
    machine frame of the page directory that it runs on."""
    words(given, "domains", 0)
    rows = [(int(d["id"]), name_of(d), state(d), int(d["memory"]["owned"]["count"]), int(d["memory"]["limit"]),
             int(d["calls"]["count"]), base(d)) for d in domains()]
    if not rows:
        say("there is no domain yet: the hypervisor is starting")
        return
    table(("D", "NAME", "STATE", "FRAMES", "LIMIT", "CALLS", "BASE"), rows, "adef")


def base(d: gdb.Value) -> str:
    mfn = int(d["paging"]["base"]["n"])
    return "none" if mfn == 0xFFFFFFFF else f"{mfn:#x}"


# ---- one domain on a screen ----

@command("domain", domain_numbers)
def show_one(given: list[str]) -> None:
    """Everything of one domain.

    atl domain D

    Memory: frames that it owns now, may own (its limit), and was promised at its creation. Its shared page as it is in memory:
    bits that are set. Registers: as they were when the hypervisor was entered, or the processor's own if this domain runs and
    the hypervisor is not at work. Times are nanoseconds of the machine's clock. What comes with a later lab is left out."""
    d = domain(words(given, "domain D", 1)[0])
    seen, fields = snapshot(d), d.type.keys()
    say(f"domain {int(seen['id'])} \"{name_of(d)}\": {state(d)}" + (", privileged" if int(seen["privileged"]) else ""))
    if int(seen["life"]) != 1:
        reason = int(seen["reason"])
        say_item("end", (SHUTDOWN[reason] if reason < len(SHUTDOWN) else f"reason {reason}") + f", status {int(seen['status'])}, "
                 f"at {int(seen['ended']):,} ns")  # fmt: skip
    if int(seen["life"]) == 0:
        return
    memory = seen["memory"]
    say_item("memory", f"owns {plural(int(memory['owned']['count']), 'frame')}, may own {int(memory['limit']):,}, was promised "
             f"{int(memory['promised']):,}; base {base(seen)}")  # fmt: skip
    say_item("shared", shared_words(seen))
    show_registers(seen)
    say_item("entries", entries_words(seen))
    if "events" in fields:
        say_item("ports", ports_words(d))
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


def bits(words_: gdb.Value) -> list[int]:
    """The numbers of the bits that are set in an array of words."""
    return [32 * i + bit for i in range(words_.type.range()[1] + 1) for bit in range(32) if int(words_[i]) >> bit & 1]


def some(numbers: list[int]) -> str:
    if not numbers:
        return "none"
    return " ".join(map(str, numbers[:PORTS_SHOWN])) + (f" and {len(numbers) - PORTS_SHOWN} more" if len(numbers) > PORTS_SHOWN else "")


def shared_words(d: gdb.Value) -> str:
    if int(d["shared"]) == 0:
        return "it has no shared page"
    page = snapshot(d["shared"].dereference())
    masked = bits(page["mask"])
    return (f"frame {int(d['shared_frame']['n']):#x}, at {int(d['shared']):#x} for the hypervisor: upcalls "
            f"{'masked' if int(page['upcall_mask']) else 'open'}, {'one is pending' if int(page['upcall_pending']) else 'none pending'}; "
            f"ports pending: {some(bits(page['pending']))}; masked: {'all' if len(masked) == 512 else some(masked)}")  # fmt: skip


def is_live(d: gdb.Value) -> bool:
    """Whether the processor has this domain's registers in itself, and they are its own."""
    now = running()
    return now is not None and int(now["id"]) == int(d["id"]) and not in_ring_0()


def show_registers(d: gdb.Value) -> None:
    saved, live = d["vcpu"]["regs"], is_live(d)
    value = {name: register(name) if live else int(saved[name]) for name in REGISTERS}
    place = ", ".join(text for text in (function_at(value["eip"]), source_line(value["eip"])) if text)
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
    offset, kind = member("struct domain", "events.ports")
    columns = Columns(raw_of(d)[offset:offset + kind.sizeof], kind.target())
    states, virq, remote, peer = (columns.column(name) for name in ("state", "virq", "remote", "remote_port"))
    said = []
    for port, which in enumerate(states):
        if which == 1:
            said.append(f"{port}: unbound, for {'nobody' if remote[port] == 0xFFFF else f'domain {remote[port]}'}")
        elif which == 2:
            said.append(f"{port}: domain {remote[port]}'s port {peer[port]}")
        elif which == 3:
            said.append(f"{port}: VIRQ {VIRQS[virq[port]] if virq[port] < len(VIRQS) else virq[port]}")
        elif which:
            said.append(f"{port}: state {which}, which there is not")
    return "; ".join(said[:PORTS_SHOWN]) + (f"; and {len(said) - PORTS_SHOWN} more" if len(said) > PORTS_SHOWN else "") or "none open"


def time_words(d: gdb.Value) -> str:
    said, fields = [f"had the processor for {int(d['vtime']['used']):,} ns"], d.type.keys()
    said.append(f"timer at {int(d['timers']['deadline']):,}" if is_armed(int(d["id"])) else "no timer")
    alarm = int(d["vtime"]["alarm"])
    if alarm not in NEVER:
        said.append(f"virtual timer at {alarm:,} of its own time")
    if "policy" in fields:
        share = d["policy"]
        said.append(f"weight {int(share['weight'])}" + (f", warp {int(share['warp']):,}" if int(share["warp"]) else ""))
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
