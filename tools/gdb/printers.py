# SPDX-License-Identifier: MIT
"""How GDB prints the types of the hypervisor's core: `print *d`, `info locals`, `finish`. `print/r` shows them as they are.

They hold for the hypervisor's types only: a guest may call its own by the same names.
"""

from collections.abc import Callable, Iterator

import gdb

from .command import Failure
from .disks import access
from .events import other_end
from .framewords import owner_words, plural
from .holders import NONE, TYPES, array
from .model import hypervisor, life_of, name_of, type_of
from .network import RULE_ANY, RULE_WIRE, rule_words
from .rings import vbd_words
from .segments import Descriptor

LINKS = 10000  # entries of a list that are counted

MMU_COMMANDS = ("pin a table", "pin a directory", "unpin", "new base", "flush", "flush one page")

Words = Callable[[gdb.Value], str]


def number(value: gdb.Value, *path: str) -> int:
    """A field of a field, as a number."""
    for name in path:
        value = value[name]
    return int(value)


def flags(value: gdb.Value, names: tuple[str, ...]) -> str:
    return "".join(f", {name}" for name in names if int(value[name]))


# ---- numbers that are kept apart ----

def mfn(value: gdb.Value) -> str:
    return "no frame" if int(value["n"]) == NONE else f"frame {int(value['n']):#x}"


def pfn(value: gdb.Value) -> str:
    return "no pfn" if int(value["n"]) == NONE else f"pfn {int(value['n']):#x}"


def guest_address(value: gdb.Value) -> str:
    return f"guest's {int(value['n']):#010x}"


def sector(value: gdb.Value) -> str:
    return f"sector {int(value['n'])}"


# ---- frames ----

def frame(f: gdb.Value) -> str:
    kind = TYPES.get(next((e.name for e in type_of("enum frame_type").fields() if e.enumval == int(f["type"])), ""), "no type")
    return (f"{owner_words(int(f['owner']))}'s, {kind}: {plural(int(f['refs']), 'reference')}, {plural(int(f['uses']), 'use')}"
            + flags(f, ("valid", "busy", "pinned", "reserved"))
            + (f", linear {int(f['linear'])}" if int(f["linear"]) else ""))  # fmt: skip


def frame_list(value: gdb.Value) -> str:
    count, first = int(value["count"]), int(value["first"])
    return f"{plural(count, 'frame')}" + (f" from {first:#x} on" if first != NONE else "")


def reservation(r: gdb.Value) -> str:
    return f"owns {frame_list(r['owned'])}, may own {int(r['limit']):,}, was promised {int(r['promised']):,}"


# ---- segments, traps ----

def descriptor(value: gdb.Value) -> str:
    e = Descriptor(int(value["low"]), int(value["high"]))
    if not e.present:
        return "empty" if e.empty else "absent"
    span = "no byte" if e.span is None else f"{e.span[0]:#010x} to {e.span[1]:#010x}"
    return f"{e.short()}, DPL {e.dpl}: {span}, fence: {e.reach()}"


def segments(value: gdb.Value) -> str:
    frames = [f"{n:#x}" for n in array(value["gdt"]) if n != NONE]
    return f"GDT in {', '.join(frames) or 'no frame'}; LDT of {plural(int(value['ldt_entries']), 'descriptor')}"


def trap_handler(value: gdb.Value) -> str:
    if int(value["address"]) == 0:
        return "none"
    given = int(value["flags"])
    who = f", INT n up to ring {given & 3}" if given & 3 else ""
    return f"{int(value['cs']):04x}:{int(value['address']):08x}{who}" + (", masks events" if given & 4 else "")


def regs(r: gdb.Value) -> str:
    general = " ".join(f"{name} {int(r[name]):x}" for name in ("eax", "ebx", "ecx", "edx", "esi", "edi", "ebp"))
    others = " ".join(f"{name} {int(r[name]) & 0xFFFF:x}" for name in ("cs", "ds", "es", "fs", "gs"))
    return (f"ring {int(r['cs']) & 3} at {int(r['eip']):#010x}, stack {int(r['ss']) & 0xFFFF:04x}:{int(r['esp']):08x}, "
            f"vector {int(r['vector'])}, error {int(r['error']):#x}, eflags {int(r['eflags']):#x}; {general}; {others}")  # fmt: skip


def mmu_request(r: gdb.Value) -> str:
    where, value = int(r["where"]) & ~3, int(r["value"])
    match int(r["where"]) & 3:
        case 0:
            return f"write {value:#010x} into frame {where >> 12:#x}, entry {(where & 0xFFF) // 4}"
        case 1:
            return f"M2P of frame {where >> 12:#x} = {value:#x}"
        case 2:
            return f"{MMU_COMMANDS[value] if value < len(MMU_COMMANDS) else f'command {value}'}, {where:#x}"
    return f"no request: {where | 3:#x}, {value:#x}"


# ---- events, scheduling, time ----

def sched_entity(s: gdb.Value) -> str:
    said = ["blocked"] * int(s["blocked"]) + [f"paused {plural(int(s['paused']), 'time')}"] * (int(s["paused"]) > 0)
    return ", ".join(said) or "can run"


def policy_share(p: gdb.Value) -> str:
    if not any(field.name == "avt" for field in p.type.fields()):
        return "by turns"
    said = f"weight {int(p['weight'])}, avt {int(p['avt'])}, {int(p['advance'])} a nanosecond"
    if int(p["warp"]):
        said += f", warp {int(p['warp']):,} for {int(p['warp_limit']):,} of which {int(p['warped']):,} used, rest {int(p['unwarp']):,}"
    return said


def vtime(value: gdb.Value) -> str:
    alarm = int(value["alarm"])
    return f"used {int(value['used']):,} ns until {int(value['since']):,}" + (
        f", alarm at {alarm:,}" if alarm not in (0, (1 << 64) - 1) else "")  # fmt: skip


def shared_info(s: gdb.Value) -> str:
    pending = [32 * w + bit for w in range(16) for bit in range(32) if int(s["pending"][w]) >> bit & 1]
    return (f"upcalls {'masked' if int(s['upcall_mask']) else 'open'}, {'one' if int(s['upcall_pending']) else 'none'} pending; "
            f"ports pending: {' '.join(map(str, pending[:16])) or 'none'}" + (" ..." if len(pending) > 16 else ""))  # fmt: skip


# ---- devices ----

def ring(r: gdb.Value) -> str:
    if int(r["class"]) == 0:
        return "no ring"
    return (f"ring of {domain_pointer(r['domain'])}, device {int(r['device'])}, {mfn(r['frame'])}, port {int(r['port'])}: "
            f"{int(r['taken'])} taken, {int(r['answered'])} answered" + flags(r, ("stopped",)))  # fmt: skip


def vif(v: gdb.Value) -> str:
    if int(v["domain"]) == 0:
        return "free"
    mac = ":".join(f"{int(v['mac'][i]):02x}" for i in range(6))
    posted = int(v["post"]) - int(v["take"]) & NONE
    cap = f", {int(v['credit']):,} of {int(v['credit_bytes']):,} bytes left" if int(v["credit_bytes"]) and int(v["credit_us"]) else ""
    return (f"VIF {int(v['number'])} of {domain_pointer(v['domain'])}, {mac}: {plural(posted, 'frame')} posted, "
            f"sent {int(v['tx_packets']):,}, received {int(v['rx_packets']):,}{cap}" + flags(v, ("loaded",)))  # fmt: skip


def flight(f: gdb.Value) -> str:
    if int(f["domain"]) == 0:
        return "free"
    return f"packet {int(f['id'])} of VIF {int(f['number'])} of {domain_pointer(f['domain'])}, {plural(int(f['pieces']), 'piece')} held"


def machine_piece(p: gdb.Value) -> str:
    return f"{mfn(p['frame'])}, {int(p['length'])} bytes at {int(p['offset']):#x}"


def vfr_end(e: gdb.Value) -> str:
    who, number_ = int(e["domain"]), int(e["vif"])
    if who in (RULE_ANY, RULE_WIRE):
        return "any" if who == RULE_ANY else "wire"
    return f"domain {who}" + (f"'s VIF {number_}" if number_ != RULE_ANY else "")


def vbd(v: gdb.Value) -> str:
    if int(v["domain"]) == 0:
        return "free"
    return (f"VBD {int(v['number'])} of {domain_pointer(v['domain'])}: {extent_table(v['table'])}, "
            f"{plural(int(v['under_way']), 'request')} under way" + flags(v, ("closing",)))  # fmt: skip


def extent_table(t: gdb.Value) -> str:
    count = int(t["count"])
    if not 0 < count <= t["extents"].type.range()[1] + 1:
        return f"{count} extents"
    return f"{plural(count, 'extent')}: " + "; ".join(extent(t["extents"][i]) for i in range(count))


def extent(e: gdb.Value) -> str:
    first, count, rights = number(e, "first", "n"), number(e, "real", "count"), int(e["rights"])
    return f"{first} to {first + count - 1} are {rrun(e['real'])}; access: {access(rights)}"


def rrun(r: gdb.Value) -> str:
    first = number(r, "first", "n")
    return f"disk {int(r['disk'])}'s {first} to {first + int(r['count']) - 1}"


def vrun(r: gdb.Value) -> str:
    return f"{plural(int(r['count']), 'sector')} from {number(r, 'first', 'n')} on"


# ---- lists, domains ----

def linked(l: gdb.Value) -> str:
    """A head, or an entry: which of the two nobody can see."""
    if l.address is None:
        return "a copy of a link"
    at, n = l["next"], 0
    while int(at) != int(l.address):
        if int(at) == 0:
            return "never made a list" if n == 0 else "broken: it leads to 0"
        at, n = at["next"], n + 1
        if n > LINKS:
            return f"broken, or of more than {LINKS:,}"
    return f"linked with {plural(n, 'other')}" if n else "linked with nobody"


def domain(d: gdb.Value) -> str:
    return f"domain {int(d['id'])} \"{name_of(d)}\", {life_of(d)}"


def domain_pointer(p: gdb.Value) -> str:
    if int(p) == 0:
        return "no domain"
    try:
        return f"domain {int(p['id'])} \"{name_of(p.dereference())}\""
    except gdb.MemoryError:
        return f"{int(p):#x}"


WORDS: dict[str, Words] = {
    "mfn_t": mfn, "pfn_t": pfn, "guest_addr_t": guest_address, "vsector_t": sector, "rsector_t": sector,
    "struct frame": frame, "struct frame_list": frame_list, "struct reservation": reservation, "struct descriptor": descriptor,
    "struct segments": segments, "struct trap_handler": trap_handler, "struct regs": regs, "struct event_port": other_end,
    "struct sched_entity": sched_entity, "struct policy_share": policy_share, "struct vtime": vtime, "struct shared_info": shared_info,
    "struct ring": ring, "struct vif": vif, "struct flight": flight, "struct machine_piece": machine_piece, "struct vfr_end": vfr_end,
    "struct control_rule": rule_words, "struct vbd": vbd, "struct extent_table": extent_table, "struct extent": extent,
    "struct vbd_request": vbd_words, "struct mmu_request": mmu_request,
    "struct rrun": rrun, "struct vrun": vrun, "struct list": linked, "struct domain": domain, "struct domain *": domain_pointer,
}  # fmt: skip
WHOLE = ("struct domain",)  # of which the fields are shown as well


class Printer:
    """GDB's interface."""

    def __init__(self, value: gdb.Value, words: Words):
        self.value, self.words = value, words

    def to_string(self) -> str:
        try:
            return self.words(self.value)
        except gdb.error as error:
            if "optimized out" not in str(error):
                raise
            return "<optimized out>"  # a part of it is, so GDB asks us and does not say so itself


class WholePrinter(Printer):
    def children(self) -> Iterator[tuple[str, gdb.Value]]:
        return ((field.name, self.value[field]) for field in self.value.type.fields())


def find(value: gdb.Value) -> Printer | None:
    """The printer of a value, if its type is one of the hypervisor's core."""
    name = name_of_type(value.type.unqualified())
    if name not in WORDS:
        return None
    return (WholePrinter if name in WHOLE else Printer)(value, WORDS[name])


def name_of_type(kind: gdb.Type) -> str:
    """As C calls it; nothing, if it is not the hypervisor's."""
    if kind.code == gdb.TYPE_CODE_PTR:
        return f"{name_of_type(kind.target().unqualified())} *"
    if kind.objfile is None or kind.objfile.filename != gdb.current_progspace().filename or kind.name is None:
        return ""
    return kind.name if kind.code == gdb.TYPE_CODE_TYPEDEF else f"struct {kind.name}"


def register(_event: object = None) -> None:
    try:
        printers = hypervisor().pretty_printers
    except Failure:
        return
    if find not in printers:
        find.name = "atelier"
        printers.append(find)


gdb.events.new_objfile.connect(register)
register()
