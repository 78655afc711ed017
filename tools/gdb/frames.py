# SPDX-License-Identifier: MIT
"""Frames: `atl frame MFN`, `atl frames D`, `atl who VA`."""

from collections import Counter

from . import layout
from .command import Failure, command, expression, number, say, table, words
from .framewords import are, frame_words, machine_to_physical, plural
from .holders import NONE, Records, Walk, counted, walk
from .layout import LINE
from .model import (DOMID_NONE, OWNER_MACHINE, domain, domain_numbers, function_at, has, name_of, running, slots, source_line,
                    variable)  # fmt: skip
from .pagetable import base_of, flags, follow, remark, rights

SHOWN = 24  # holders, before the rest is only counted
UNUSUAL = 16  # frames of a domain


# ---- one frame ----

@command("frame")
def show_frame(given: list[str]) -> None:
    """One machine frame: whose, what, how often referred to, and by whom.

    atl frame MFN

    References are all who hold it; uses are those among them that need it to be of its type. Below are the holders that a walk
    over all page tables, pins, bases, descriptor tables, rings, shared pages and devices finds. Where the counts say something
    else than what is found, the last line says which of the two is more: a reference that nobody holds was not
    given back; one that is held and not counted lets the frame be freed while it is in use."""
    mfn = number(expression(given, "frame MFN"), "frame number")
    records = Records()
    if mfn >= records.count:
        raise Failure(f"there is no frame {mfn:#x}: the machine's are 0 to {records.count - 1:#x}")
    if not counted():
        say(frame_words(records, mfn))
        say("who refers to it is not counted yet: that comes with lab 3")
        return
    found = walk()
    show_record(found.records, mfn)
    show_holders(found, mfn)


def show_record(records: Records, mfn: int) -> None:
    r = records[mfn]
    marks = [name for name in ("valid", "busy", "pinned", "reserved") if getattr(r, name)]
    say(frame_words(records, mfn) + (f" ({', '.join(marks)})" if marks else ""))
    if r.owner == DOMID_NONE and not r.refs:
        if has("struct tlb") and remembered(r.stamp):
            say("  TLB       a mapping went since the last flush, which must not be (M7)")
        return
    say(f"  counted   {plural(r.refs, 'reference')}, {plural(r.uses, 'use')} among them"
        + (f" as {records.type_name(r.type)}" if r.uses else ""))  # fmt: skip
    if r.linear:
        say(f"  linear    {'maps' if r.linear > 0 else 'is mapped by'} {plural(abs(r.linear), 'other directory', 'other directories')}")
    if r.packet_end:
        say(f"  packet    received until byte {r.packet_end:#x}, zeros behind")
    if has("struct tlb"):
        say(f"  TLB       {tlb_words(r.stamp)}")


def remembered(stamp: int) -> bool:
    """Whether no flush came since the last mapping of a frame went."""
    return stamp == int(variable("tlb")["clock"])


def tlb_words(stamp: int) -> str:
    if remembered(stamp):
        return "a mapping or use went since the last flush: it may be remembered"
    return "none that went is still remembered: there was a flush since"


def show_holders(found: Walk, mfn: int) -> None:
    refs = uses = 0
    for held, need, who, about in found.holds():
        if held != mfn:
            continue
        refs, uses = refs + 1, uses + bool(need)
        if refs <= SHOWN:
            say(f"  held by   {who(*about)}")
            if need and need != found.records[mfn].type:
                say(f"            which needs it to be {found.records.type_name(need)}: that is wrong")
    if refs > SHOWN:
        say(f"            and {refs - SHOWN:,} more")
    if found.records[mfn].owner == OWNER_MACHINE:
        say("  The hypervisor's own frames are not counted off.")
        return
    for text in compare(found.records, mfn, refs, uses) or [f"all {plural(refs, 'reference')} found" if refs else "nobody refers to it"]:
        say(text)


def compare(records: Records, mfn: int, refs: int, uses: int) -> list[str]:
    """Where a frame's counts are not what is found."""
    r = records[mfn]
    said = []
    for what, counts, found in (("reference", r.refs, refs), ("use", r.uses, uses)):
        if counts > found:
            said.append(f"frame {mfn:#x}: counts {plural(counts, what)}, {are(found)} found: "
                        f"{plural(counts - found, what)} that nobody holds")  # fmt: skip
        elif counts < found:
            said.append(f"frame {mfn:#x}: counts {plural(counts, what)}, {are(found)} found: "
                        f"{plural(found - counts, what)} held and not counted")  # fmt: skip
    return said


# ---- a domain's frames ----

@command("frames", domain_numbers)
def show_frames(given: list[str]) -> None:
    """A domain's frames, by type, and those that are unusual.

    atl frames D

    USED are those in use as their type; without uses a frame's type only lingers. PINNED are tables that the domain keeps
    valid. HELD are those that somebody refers to besides the reservation. Unusual is what has left the reservation, or is at work, or
    maps directories, or has a pseudo-physical number that another one has as well."""
    d = domain(words(given, "frames D", 1)[0])
    records, number_ = Records(), int(d["id"])
    mine = [mfn for mfn, owner in enumerate(records.column("owner")) if owner == number_]
    memory = d["memory"]
    say(f"domain {number_} \"{name_of(d)}\" owns {plural(int(memory['owned']['count']), 'frame')}, may own {int(memory['limit']):,}")
    if len(mine) != int(memory["owned"]["count"]):
        say(f"that is wrong: {plural(len(mine), 'record')} name it as the owner")
    if not counted():
        say("what they are used as is not known yet: that comes with lab 3")
        return
    by_type(records, mine)
    pfns = machine_to_physical(records.count)
    often = Counter(pfns[mfn] for mfn in mine)
    unusual = [(mfn, text) for mfn in mine if (text := strange(records, mfn, pfns[mfn], often[pfns[mfn]]))]
    say("nothing unusual about any of them" if not unusual else "unusual:")
    for mfn, text in unusual[:UNUSUAL]:
        say(f"  {mfn:#x}: {text}")
    if len(unusual) > UNUSUAL:
        say(f"  and {len(unusual) - UNUSUAL:,} more")


def by_type(records: Records, mine: list[int]) -> None:
    columns = {name: records.column(name) for name in ("type", "uses", "pinned", "refs", "reserved")}
    rows = []
    for number_ in sorted({columns["type"][mfn] for mfn in mine}):
        such = [mfn for mfn in mine if columns["type"][mfn] == number_]
        rows.append((records.type_name(number_), len(such), sum(columns["uses"][mfn] > 0 for mfn in such),
                     sum(columns["pinned"][mfn] for mfn in such),
                     sum(columns["refs"][mfn] > columns["reserved"][mfn] for mfn in such)))  # fmt: skip
    table(("TYPE", "FRAMES", "USED", "PINNED", "HELD"), rows, "bcde")


def strange(records: Records, mfn: int, pfn: int, often: int) -> str:
    """What is unusual about a frame of a domain's, or nothing."""
    r = records[mfn]
    said = []
    if not r.reserved:
        said.append(f"not in the reservation any more, but {plural(r.refs, 'reference')}")
    if r.busy:
        said.append("its contents are being judged, or released")
    if r.uses > r.refs:
        said.append(f"more uses ({r.uses:,}) than references ({r.refs:,})")
    if r.linear:
        said.append(f"{'maps' if r.linear > 0 else 'is mapped by'} {plural(abs(r.linear), 'other directory', 'other directories')}")
    if r.uses and r.type > 1 and not r.pinned and r.refs == 1 + r.reserved:
        said.append(f"{records.type_name(r.type)} by one use, not pinned")
    if pfn != NONE and often > 1:
        said.append(f"pseudo-physical number {pfn:#x} is another one's as well")
    return "; ".join(said)


# ---- an address ----

@command("who")
def show_who(given: list[str]) -> None:
    """What is at an address: which frame, whose, and how it is mapped for whom.

    atl who VA

    In the running domain; above the line, which part of the hypervisor's space it is. An address can be an expression: $eip,
    &frame_table."""
    va = number(expression(given, "who VA"), "address")
    if va >= LINE:
        say(f"{va:#010x}: above the line: {layout.part(va)}{place_words(va)}")
    d = running() or slots()[0]
    records, base = Records(), base_of(d)
    entries = follow(base, va, records.count)
    last = entries[-1]
    if va < LINE:
        say(f"{va:#010x} of domain {int(d['id'])} \"{name_of(d)}\"{place_words(va)}")
    if last.present:
        say(f"  {frame_words(records, last.mfn)}")
        say(f"  its entry: {flags(last.value)}")
    say(f"  {rights(entries, va)}")
    if text := remark(records, last.mfn) if last.present else "":
        say(f"  {text}")


def place_words(va: int) -> str:
    """`: function at file.c:12`, as far as symbols say."""
    name, line = function_at(va), source_line(va)
    return (f": {name}" if name else "") + (f" ({line})" if line else "")
