# SPDX-License-Identifier: MIT
"""The auditors, from outside: `atl check`.

It looks at what the hypervisor's own auditors look at (X_check() in each file of src/), and runs nothing in the machine.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import gdb

from . import layout
from .command import command, say, words
from .framewords import machine_to_physical, plural
from .frames import compare
from .holders import GUEST_SLOTS, NONE, PRESENT, Columns, Walk, array, counted, elements, posted, rings, walk
from .layout import FENCE
from .model import DOMID_NONE, OWNER_MACHINE, has, in_ring_0, many_frames_words, member, type_of, variable
from .segments import A_FRAME, RESERVED_FRAME, RESERVED_SLOTS, Descriptor

SHOWN = 8  # differences of one kind
ALLOWED = 0xE67  # bits of an entry that a guest may set
OPEN, DYING = 1, 2
CLOSED, UNBOUND, INTERDOMAIN, VIRQ = range(4)  # public/event.h
EXTENT_WRITE, EXTENT_SHARED = 2, 4

Finding = Iterator[str]


def findings() -> list[str]:
    """What is wrong with the hypervisor's tables, a line each; nothing: they agree with each other. For `atl why` as well.

    In the middle of a call (model.in_ring_0()) they may disagree without a mistake."""
    return _findings(walk())


def _findings(found: Walk) -> list[str]:
    audits: list[tuple[Callable[[Walk], Finding], bool]] = [
        (pool, True), (counts, counted()), (events, "events" in _fields()), (tables, counted()), (segments, "segments" in _fields()),
        (ring_indices, "rings" in _fields()), (balloon, has("struct memory_op")), (vbds, has("struct vbd_io")),
        (interfaces, has("struct vif")), (rules, has("struct vif")),
    ]  # fmt: skip
    said: list[str] = []
    for audit, is_there in audits:
        if is_there:
            said += islice(audit(found), SHOWN)
    return said


def _fields() -> list[str]:
    return type_of("struct domain").keys()


def _name(d: gdb.Value) -> str:
    return f"domain {int(d['id'])}"


# ---- frames ----

def pool(found: Walk) -> Finding:
    """Every usable frame is on one list: a free one or its owner's."""
    following, before, owners = (found.records.column(name) for name in ("next", "prev", "owner"))
    free = variable("pool", "frame_pool.c")
    lists = [(f"free, {name}", free[name], DOMID_NONE) for name in ("clean", "dirty")]
    lists += [(f"{_name(d)}'s", d["memory"]["owned"], int(d["id"])) for d in found.domains]
    for name, frames, owner in lists:
        says, n, at, last = int(frames["count"]), 0, int(frames["first"]), NONE
        count, most = found.records.count, min(says, found.records.count)
        while at != NONE and n <= most:
            if at >= count:
                yield f"the list of frames that are {name} leads to {at:#x}, which is no frame"
                break
            if owners[at] != owner:
                yield f"frame {at:#x} is on the list of those that are {name}, and says that its owner is {owners[at]:#x}"
            if owner != DOMID_NONE and before[at] != last:
                yield f"frame {at:#x}, on {name} list: the way back leads elsewhere"
            last, at, n = at, following[at], n + 1
        else:
            if n != says:
                yield f"the list of frames that are {name} has {n:,} or more; it says {says:,}"


def counts(found: Walk) -> Finding:
    """Every reference and use, recounted (frame_check)."""
    yield from _flags(found)
    count = found.records.count
    refs, uses = [0] * count, [0] * count
    types = found.records.column("type")
    for mfn, need, who, about in found.holds():
        if mfn >= count:
            yield f"frame {mfn:#x}, which there is not: held by {who(*about)}"
            continue
        refs[mfn] += 1
        if need:
            uses[mfn] += 1
            if types[mfn] != need:
                yield (f"frame {mfn:#x} is {found.records.type_name(types[mfn])}, and used as "
                       f"{found.records.type_name(need)}: {who(*about)}")  # fmt: skip
    says = zip(found.records.column("refs"), found.records.column("uses"), found.records.column("owner"), refs, uses, strict=True)
    for mfn, (says_refs, says_uses, owner, has_refs, has_uses) in enumerate(says):
        if owner != OWNER_MACHINE and (says_refs != has_refs or says_uses != has_uses):
            yield from compare(found.records, mfn, has_refs, has_uses)


def _flags(found: Walk) -> Finding:
    records = found.records
    refs, uses, types, owners = (records.column(name) for name in ("refs", "uses", "type", "owner"))
    valid, busy, pinned = (records.column(name) for name in ("valid", "busy", "pinned"))
    for mfn in range(records.count):
        if not (refs[mfn] or uses[mfn] or valid[mfn] or busy[mfn] or pinned[mfn]):
            continue
        is_table = types[mfn] > records.numbers["FRAME_WRITABLE"]
        if busy[mfn]:
            yield f"frame {mfn:#x}: busy: its contents are being judged or released, which no call leaves behind"
        if valid[mfn] and not (uses[mfn] and is_table):
            yield f"frame {mfn:#x}: valid, and not in use as a table"
        if not valid[mfn] and uses[mfn] and is_table:
            yield f"frame {mfn:#x}: in use as {records.type_name(types[mfn])}, and its contents were not judged"
        if pinned[mfn] and not valid[mfn]:
            yield f"frame {mfn:#x}: pinned, and no valid table"
        if refs[mfn] < uses[mfn]:
            yield f"frame {mfn:#x}: more uses ({uses[mfn]:,}) than references ({refs[mfn]:,})"
        if owners[mfn] == DOMID_NONE and refs[mfn]:
            yield f"frame {mfn:#x}: free, and {plural(refs[mfn], 'reference')} to it"


# ---- page tables and descriptors ----

def tables(found: Walk) -> Finding:
    """Entries that no guest may have, and the hypervisor's slots (paging_check)."""
    own = next(iter(many_frames_words([layout.directory()]).values()))
    windows = {int(d["id"]): int(d["slot_frame"]["n"]) for d in found.domains}
    for mfn, entries in chain(found.tables.items(), ((mfn, words[:GUEST_SLOTS]) for mfn, words in found.directories.items())):
        for i, entry in enumerate(entries):
            if entry & PRESENT and (entry & 0xFFF & ~ALLOWED or entry >> 12 >= found.records.count):
                yield f"frame {mfn:#x}, entry {i} = {entry:#010x}: no guest may have that"
    for mfn, entries in found.directories.items():
        for i in range(GUEST_SLOTS, 1024):
            mine = i << 22 == layout.GDT_WINDOW & 0xFFC00000
            right = entries[i] >> 12 == windows.get(found.records[mfn].owner) if mine else entries[i] == own[i]
            if not right:
                yield f"directory {mfn:#x}, slot {i} = {entries[i]:#010x}: one of the hypervisor's, and not what it writes there"


def segments(found: Walk) -> Finding:
    """Descriptors that no guest may have (segment_check)."""
    for d in found.domains:
        share = d["segments"]
        gdt = [(i, mfn) for i, mfn in enumerate(array(share["gdt"])) if i < int(share["gdt_frames"])]
        ldt = [(i, mfn) for i, mfn in enumerate(array(share["ldt"])) if i * A_FRAME < int(share["ldt_entries"])]
        contents = many_frames_words(mfn for _, mfn in gdt + ldt if mfn < found.records.count)
        for name, frames in (("GDT", gdt), ("LDT", ldt)):
            for i, mfn in frames:
                first = RESERVED_SLOTS if name == "GDT" and i >= RESERVED_FRAME else 0
                raw = contents.get(mfn, ())
                for slot in range(first, len(raw) // 2):
                    if raw[2 * slot + 1] & 0x8000 and not fits(Descriptor(raw[2 * slot], raw[2 * slot + 1])):
                        yield (f"{_name(d)}'s {name}, entry {i * A_FRAME + slot} = {raw[2 * slot]:#010x} {raw[2 * slot + 1]:#010x}: "
                               "a descriptor that no guest may have")  # fmt: skip


def fits(e: Descriptor) -> bool:
    """Whether a guest may have a present descriptor: a segment of rings 1 to 3 that reaches no byte at or above the fence."""
    if e.system or e.dpl == 0:
        return False
    if e.span is None:
        return True
    first, last = e.span
    return first <= last < FENCE


# ---- events, rings ----

@dataclass(frozen=True)
class Ports:
    """A domain's."""

    state: list[int]
    virq: list[int]
    remote: list[int]
    remote_port: list[int]

    def __len__(self) -> int:
        return len(self.state)


def ports_of(raw: bytes) -> Ports:
    """@raw: the domain's bytes."""
    offset, kind = member("struct domain", "events.ports")
    columns = Columns(lambda: raw[offset:offset + kind.sizeof], kind.target())
    return Ports(*(columns.column(name) for name in ("state", "virq", "remote", "remote_port")))


def events(found: Walk) -> Finding:
    """Ports and their other ends (event_check)."""
    ports_by = {number: ports_of(raw) for number, raw in found.raw.items()}
    living = {int(d["id"]): ports_by[int(d["id"])] for d in found.domains if int(d["life"]) == OPEN}
    for d in found.domains:
        number = int(d["id"])
        ports = ports_by[number]
        virqs = [int(d["events"]["virq_port"][virq]) for virq in range(d["events"]["virq_port"].type.range()[1] + 1)]
        for virq, port in enumerate(virqs):
            if port and (port >= len(ports) or ports.state[port] != VIRQ or ports.virq[port] != virq):
                yield f"domain {number}: VIRQ {virq} is bound to port {port}, which does not know of it"
        for i in range(len(ports)) if number in living else ():
            if (ports.state[i] or ports.remote_port[i]) and (text := _port(number, ports, i, living, virqs)):
                yield f"domain {number}, port {i}: {text}"


def _port(number: int, ports: Ports, i: int, living: dict[int, Ports], virqs: list[int]) -> str:
    state, remote, remote_port = ports.state[i], ports.remote[i], ports.remote_port[i]
    if i == 0:
        return "is never used, and is open"
    if state in (CLOSED, UNBOUND):
        return "bound to nobody, and has a port at the other end" if remote_port else ""
    if state == VIRQ:
        known = ports.virq[i] < len(virqs) and virqs[ports.virq[i]] == i
        return "" if known else f"is bound to VIRQ {ports.virq[i]}, which goes elsewhere"
    if state != INTERDOMAIN:
        return f"is in state {state}, which there is not"
    peer = living.get(remote)
    if peer is None or not 0 < remote_port < len(peer):
        return f"its other end is port {remote_port} of domain {remote}, which there is not"
    if (peer.state[remote_port], peer.remote[remote_port], peer.remote_port[remote_port]) != (INTERDOMAIN, number, i):
        return f"its other end, port {remote_port} of domain {remote}, does not know of it"
    return ""


def ring_indices(found: Walk) -> Finding:
    """What a ring says of itself (ring_check)."""
    for d in found.domains:
        frames: dict[int, str] = {}
        for name, device, ring in rings(d):
            where, mfn = f"{_name(d)}'s ring {name} {device}", int(ring["frame"]["n"])
            under_way = int(ring["taken"]) - int(ring["answered"]) & NONE
            if int(ring["domain"]["id"]) != int(d["id"]):
                yield f"{where} says that it is another domain's"
            if under_way > (slots := int(ring["class"]["slots"])):
                yield f"{where}: {under_way:,} requests are under way, and it has {slots} slots"
            if mfn >= found.records.count or found.records[mfn].owner != int(d["id"]):
                yield f"{where}: its frame {mfn:#x} is not that domain's"
            if int(d["life"]) == DYING and not int(ring["stopped"]):
                yield f"{where}: its domain is dying, and it goes on"
            if mfn in frames:
                yield f"{where}: {frames[mfn]} lives in its frame {mfn:#x} as well"
            frames[mfn] = where


def balloon(found: Walk) -> Finding:
    """Who has a pseudo-physical number (balloon_check)."""
    pfns = machine_to_physical(found.records.count)
    for mfn, owner in enumerate(found.records.column("owner")):
        if owner in (DOMID_NONE, OWNER_MACHINE) and pfns[mfn] != NONE:
            yield f"frame {mfn:#x} is no domain's, and has a pseudo-physical number: {pfns[mfn]:#x}"


# ---- devices ----

def interfaces(found: Walk) -> Finding:
    """Virtual interfaces (vif_check)."""
    owners = found.records.column("owner")
    for v in found.vifs:
        d, number = v["domain"].dereference(), int(v["number"])
        where = f"VIF {number} of {_name(d)}"
        known = number <= d["vifs"]["vifs"].type.range()[1] and int(d["vifs"]["vifs"][number]) != 0
        if not known:
            yield f"{where}: its domain does not know it"
        if int(d["life"]) != OPEN:
            yield f"{where}: its domain is dying"
        if (int(v["post"]) - int(v["take"]) & NONE) > v["posted"].type.range()[1] + 1:
            yield f"{where}: more is posted than its ring has slots"
        capped = int(v["credit_bytes"]) and int(v["credit_us"])
        if capped and (int(v["credit"]) > int(v["credit_bytes"]) or int(v["fraction"]) >= int(v["credit_us"])):
            yield f"{where}: it has more credit than it may save up"
        spare = int(v["spare"]["n"])
        if spare >= found.records.count or owners[spare] != OWNER_MACHINE:
            yield f"{where}: its spare frame {spare:#x} is a domain's"
        for mfn in posted(v):
            if mfn >= found.records.count or owners[mfn] != int(d["id"]):
                yield f"{where}: frame {mfn:#x} is posted, and not its domain's"


def rules(found: Walk) -> Finding:
    """The rules' order, and whom they name (vfr_check)."""
    table = variable("vfr", "vfr.c")
    living = {int(d["id"]) for d in found.domains if int(d["life"]) == OPEN}
    last = 0
    for i, rule in enumerate(islice(elements(table["rules"]), int(table["count"]))):
        if int(rule["rank"]) < last:
            yield f"rule {i} has rank {int(rule['rank'])}, and stands behind one of rank {last}"
        last = int(rule["rank"])
        for end in ("from_domain", "to_domain"):
            if (who := int(rule[end])) < OWNER_MACHINE and who not in living:
                yield f"rule {i} names domain {who}, which does not live"


def vbds(found: Walk) -> Finding:
    """Virtual block devices: who has which sectors, and what is under way (vbd_check)."""
    state = variable("vbd", "vbd.c")
    devices = [v for v in elements(state["pool"]) if int(v["domain"])]
    under_way: dict[tuple[int, int], int] = {}
    of_rings: dict[int, int] = {}
    for io in elements(state["ios"]):
        if int(io["ring"]):
            owner = int(io["ring"]["domain"]["id"])
            of_rings[owner] = of_rings.get(owner, 0) + 1
            if int(io["vbd"]):
                key = (int(io["vbd"]["domain"]["id"]), int(io["vbd"]["number"]))
                under_way[key] = under_way.get(key, 0) + 1
    for v in devices:
        yield from _vbd(v, devices, under_way)
    for d in found.domains:
        for name, _, ring in rings(d):
            says = int(ring["taken"]) - int(ring["answered"]) & NONE
            if name == "vbd" and says != of_rings.get(int(d["id"]), 0):
                yield f"{_name(d)}'s ring for VBDs says that {says} requests are under way; {of_rings.get(int(d['id']), 0)} are"


def _vbd(v: gdb.Value, devices: list[gdb.Value], under_way: dict[tuple[int, int], int]) -> Finding:
    owner, number = v["domain"].dereference(), int(v["number"])
    where, key = f"VBD {number} of {_name(owner)}", (int(owner["id"]), number)
    known = owner["vbds"]["devices"]
    if int(owner["life"]) == 0 or number > known.type.range()[1] or int(known[number]) == 0:
        yield f"{where}: its domain does not know it"
    end = 0
    for e in extents(v):
        first, count = int(e["first"]["n"]), int(e["real"]["count"])
        if count == 0 or first < end or count > NONE - first or count > NONE - int(e["real"]["first"]["n"]):
            yield f"{where}: its extents are out of order at sector {first}"
        end = first + count
        for other in () if int(owner["privileged"]) else devices:
            stranger = other["domain"].dereference()
            if int(stranger["id"]) != key[0] and not int(stranger["privileged"]) and any(conflict(e, f) for f in extents(other)):
                yield f"{where}: VBD {int(other['number'])} of {_name(stranger)} has the same sectors, and one of them may write"
    if int(v["under_way"]) != under_way.get(key, 0):
        yield f"{where}: says that {int(v['under_way'])} requests are under way; {under_way.get(key, 0)} are"


def extents(v: gdb.Value) -> list[gdb.Value]:
    table = v["table"]
    return [table["extents"][i] for i in range(min(int(table["count"]), table["extents"].type.range()[1] + 1))]


def conflict(a: gdb.Value, b: gdb.Value) -> bool:
    """Whether two extents have a sector in common that one may write and the other one does not share."""
    if int(a["real"]["disk"]) != int(b["real"]["disk"]):
        return False
    spans = [(int(e["real"]["first"]["n"]), int(e["real"]["first"]["n"]) + int(e["real"]["count"])) for e in (a, b)]
    if spans[0][0] >= spans[1][1] or spans[1][0] >= spans[0][1]:
        return False
    rights = [int(e["rights"]) for e in (a, b)]
    return any(x & EXTENT_WRITE and not y & EXTENT_SHARED for x, y in (rights, rights[::-1]))


# ---- the command ----

@command("check")
def check(given: list[str]) -> None:
    """The hypervisor's auditors, from outside: whether all its tables agree with each other.

    atl check

    Counts all references and uses of all frames again, from page tables, pins, bases, descriptor tables, rings, shared pages and
    devices; looks whether page tables and descriptors hold what no guest may have, whether ports know their other ends, and so on.
    Of each kind the first few differences are said. Nothing is executed in the machine. In ring 0, in the middle of
    a call, counts may be off by what that call just holds: finish it, or go to ring 1, and look again."""
    words(given, "check", 0)
    found = walk()
    said = _findings(found)
    for line in said:
        say(line)
    if not said:
        tables_ = len(found.tables) + len(found.directories)
        say(f"{plural(found.records.count, 'frame')}, {plural(tables_, 'page table')}, {plural(len(found.domains), 'domain')}: "
            "all counts are right" if counted() else "frames are not counted yet: that comes with lab 3; all else is right")  # fmt: skip
    if said and in_ring_0():
        say("The processor is in ring 0: in the middle of a call, counts may be off by what that call holds.")
