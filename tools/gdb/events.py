# SPDX-License-Identifier: MIT
"""Events of a domain, by what its shared page says and what the hypervisor knows: `atl events D`, `atl ports D`."""

from dataclasses import dataclass

import gdb

from .command import clean, command, duration, paragraph, say, table, words
from .domains import state
from .model import as_type, domain, domain_numbers, frame_bytes, life_of, name_of, share, slots, whole

CLOSED, UNBOUND, INTERDOMAIN, VIRQ = range(4)
STATES = ("closed", "unbound", "interdomain", "VIRQ")
VIRQS = ("timer", "console", "debug", "virtual timer", "domain", "limit", "shutdown", "devices")
TIMER_VIRQ = 0


@dataclass(frozen=True)
class Bits:
    """What the shared page says, which the guest may write as it likes. @pending and @mask have a bit for each port."""

    upcall: int
    master: int
    selector: int
    pending: int
    mask: int

    def is_pending(self, port: int) -> bool:
        return bool(self.pending >> port & 1)

    def is_masked(self, port: int) -> bool:
        return bool(self.mask >> port & 1)


def bits_of(d: gdb.Value) -> Bits | None:
    """None: the domain has no shared page yet, or no longer."""
    if not int(d["shared"]):
        return None
    page = as_type(frame_bytes(int(d["shared_frame"]["n"])), "struct shared_info")
    return Bits(int(page["upcall_pending"]), int(page["upcall_mask"]), int(page["selector"]), _wide(page["pending"]), _wide(page["mask"]))


def _wide(words_: gdb.Value) -> int:
    return sum(int(words_[i]) << 32 * i for i in range(words_.type.range()[1] + 1))


def ports_of(d: gdb.Value) -> gdb.Value:
    return whole(share(d, "events", 2))["ports"]


def other_end(port: gdb.Value) -> str:
    """What a port is bound to, in words."""
    match int(port["state"]):
        case 0:
            return "closed"
        case 1:
            return f"domain {int(port['remote'])} may bind"
        case 2:
            return f"domain {int(port['remote'])}, port {int(port['remote_port'])}"
        case 3:
            virq = int(port["virq"])
            return f"VIRQ {VIRQS[virq] if virq < len(VIRQS) else virq}"
    return f"state {int(port['state'])}, which is none"


def yes(it: bool) -> str:
    return "yes" if it else ""


# ---- atl events ----

@command("events", domain_numbers)
def show_events(given: list[str]) -> None:
    """What is pending for a domain, what it masks, what can be delivered, and why it sleeps or does not wake.

    atl events D

    Listed are the ports that are pending, and the open ones that are masked. DUE: the port is pending and not masked, so the
    callback is owed for it. NEWS: its word's bit in the selector is set, where the guest looks. `atl ports D` lists
    all open ports."""
    d = domain(words(given, "events D", 1)[0])
    ports, bits = ports_of(d), bits_of(d)
    say(f"domain {int(d['id'])} ({name_of(d)}): {state(d)}")
    if bits is None:
        say("it has no shared page: there are no events for it")
        return
    say(f"master mask (upcall_mask): {'set: events are off' if bits.master else 'clear: events are on'}")
    say(f"upcall due (upcall_pending): {'yes' if bits.upcall else 'no'}")
    rows = list(_listed(ports, bits))
    if rows:
        table(("PORT", "PENDING", "MASKED", "DUE", "NEWS", "BOUND TO"), rows, "a")
    else:
        say("no port is pending, no open one is masked")
    paragraph(verdict(d, bits))


def _listed(ports: gdb.Value, bits: Bits):
    for i in range(ports.type.range()[1] + 1):
        pending, masked = bits.is_pending(i), bits.is_masked(i)
        if pending or (masked and int(ports[i]["state"]) != CLOSED):
            yield i, yes(pending), yes(masked), yes(pending and not masked), yes(bool(bits.selector >> i // 32 & 1)), other_end(ports[i])


def _names(bits: int) -> str:
    """Ports by number, the first few of them."""
    numbers = [i for i in range(bits.bit_length()) if bits >> i & 1]
    return ("port " if len(numbers) == 1 else "ports ") + ", ".join(map(str, numbers[:8])) + (", ..." if len(numbers) > 8 else "")


def verdict(d: gdb.Value, bits: Bits) -> str:
    """Whether the domain sleeps, and why it does not wake; or what becomes of what is pending."""
    if int(d["life"]) != 1:
        return f"The domain {life_of(d)}: nothing is delivered to it any more."
    if int(d["sched"]["paused"]):
        return f"It is paused ({int(d['sched']['paused'])} times): no event lets it run before it is unpaused as often."
    return _asleep(d, bits) if int(d["sched"]["blocked"]) else _awake(d, bits)


def _asleep(d: gdb.Value, bits: Bits) -> str:
    due = bits.pending & ~bits.mask
    if bits.upcall:
        who = f" for {_names(due)}" if due else ""
        return (f"It sleeps although an upcall is due{who}, which E3 forbids: a wake-up is lost. Either block() looked before it "
                "unmasked, or whoever raised the event did not wake it. (In the middle of event_raise() it is only not woken yet.)")
    if due:
        return (f"It sleeps, and {_names(due)} can be delivered, but no upcall is due: the pending bit was set without "
                "upcall_pending, or the guest cleared that and then slept. Nobody will wake it for this one.")
    if bits.pending:
        return f"It sleeps: all that is pending is masked ({_names(bits.pending)})." + _alarm(d)
    return "It sleeps: nothing is pending." + _alarm(d)


def _alarm(d: gdb.Value) -> str:
    """What else may wake a sleeper: its alarm."""
    timers = share(d, "timers", 2)
    if int(timers["armed"]["next"]) == int(timers["armed"].address) or not int(timers["armed"]["next"]):
        return " It has set no alarm: only an event from somebody else wakes it."
    port = int(d["events"]["virq_port"][TIMER_VIRQ])
    raises = f"and raises port {port}." if port else "but it has bound no port to the timer's VIRQ: that event will be lost."
    return f" Its alarm is for {duration(int(timers['deadline']))}, {raises}"


def _awake(d: gdb.Value, bits: Bits) -> str:
    due = bits.pending & ~bits.mask
    if not bits.upcall:
        if not due:
            return "It does not sleep, and nothing is to be delivered."
        return (f"It does not sleep. {_names(due).capitalize()}: pending and not masked, but no upcall is due. That is so while its "
                "own handler is at work on them; else the next event brings them along.")
    if bits.master:
        return "It does not sleep. The upcall waits: events are off, and the guest looks itself when it switches them on."
    if not int(d["upcalls"]["callbacks"]["event_eip"]):
        return "It does not sleep. An upcall is due, but it has registered no event callback: `atl traps` says which it has."
    return "It does not sleep. The callback comes on the next way back to it."


# ---- atl ports ----

@command("ports", domain_numbers)
def show_ports(given: list[str]) -> None:
    """A domain's open ports: what each is bound to, and what the shared page says of it.

    atl ports D

    An unbound port waits for the domain that may bind to it. AT THE OTHER END is what the hypervisor keeps; if the
    other domain's port does not lead back here, that is said, for then an operation has gone half way."""
    d = domain(words(given, "ports D", 1)[0])
    ports, bits = ports_of(d), bits_of(d)
    others: dict[int, gdb.Value] = {}
    rows = []
    for i in range(ports.type.range()[1] + 1):
        port = ports[i]
        if int(port["state"]) == CLOSED:
            continue
        flags = (yes(bits.is_pending(i)), yes(bits.is_masked(i))) if bits else ("", "")
        rows.append((i, clean(STATES[int(port["state"])]) if int(port["state"]) < len(STATES) else "broken", *flags,
                     other_end(port) + _disagrees(int(d["id"]), i, port, others)))
    say(f"domain {int(d['id'])} ({name_of(d)}): {len(rows)} of {ports.type.range()[1]} ports are open")
    if rows:
        table(("PORT", "STATE", "PENDING", "MASKED", "AT THE OTHER END"), rows, "a")


def _disagrees(number: int, index: int, port: gdb.Value, others: dict[int, gdb.Value]) -> str:
    """What is wrong between a port and its peer, if anything. @others: ports of the domains that were looked at."""
    if int(port["state"]) != INTERDOMAIN:
        return ""
    remote, back = int(port["remote"]), int(port["remote_port"])
    all_slots = slots()
    if not 0 <= remote <= all_slots.type.range()[1]:
        return ", which cannot be"
    if remote not in others:
        others[remote] = ports_of(all_slots[remote])
    if not 0 <= back <= others[remote].type.range()[1]:
        return ", which cannot be"
    peer = others[remote][back]
    if (int(peer["state"]), int(peer["remote"]), int(peer["remote_port"])) == (INTERDOMAIN, number, index):
        return ""
    return f" - which says: {other_end(peer)}"
