# SPDX-License-Identifier: MIT
"""What a frame is, in words: for all commands that name one."""

import struct

from . import layout
from .holders import NONE, Records, counted, vifs
from .layout import LINE
from .model import DOMID_NONE, OWNER_MACHINE, bytes_at, domains, has, variable


def plural(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def are(n: int) -> str:
    return f"{n:,} {'is' if n == 1 else 'are'}"


def pfn_of(mfn: int) -> int:
    """A frame's entry in the machine-to-physical table."""
    return struct.unpack("<I", bytes_at(LINE + 4 * mfn, 4))[0]


def machine_to_physical(count: int) -> tuple[int, ...]:
    return struct.unpack(f"<{count}I", bytes_at(LINE, 4 * count))


def pfn_words(mfn: int) -> str:
    pfn = pfn_of(mfn)
    return "no pfn" if pfn == NONE else f"pfn {pfn:#x}"


def frame_words(records: Records, mfn: int) -> str:
    """Whose a frame is, and what, in one line."""
    if mfn >= records.count:
        return f"frame {mfn:#x} is no frame of this machine"
    r = records[mfn]
    if r.owner in (DOMID_NONE, OWNER_MACHINE):
        return f"frame {mfn:#x}: {ownerless(records, mfn)}"
    text = f"frame {mfn:#x}: domain {r.owner}'s, {pfn_words(mfn)}"
    if counted() and r.type:
        text += f", {records.type_name(r.type)}" + ("" if r.uses else ", not in use as that now")
    return text


def owner_words(owner: int) -> str:
    return {DOMID_NONE: "nobody", OWNER_MACHINE: "the hypervisor"}.get(owner, f"domain {owner}")


def ownerless(records: Records, mfn: int) -> str:
    """What a frame is that belongs to no domain."""
    if records[mfn].owner == OWNER_MACHINE:
        for d in domains():
            if int(d["slot_frame"]["n"]) == mfn:
                return f"the hypervisor's: the page table of domain {int(d['id'])}'s windows on its GDT and LDT"
        for v in vifs() if has("struct vif") else ():
            if int(v["spare"]["n"]) == mfn:
                return f"the hypervisor's: to copy into what VIF {int(v['number'])} of domain {int(v['domain']['id'])} receives"
        return "the hypervisor's: a buffer of a device, or kept to be exchanged"
    pool = variable("pool", "frame_pool.c")
    for name, contents in (("clean", "full of zeros"), ("dirty", "with what its last owner left")):
        if on_list(records, int(pool[name]["first"]), mfn):
            return f"nobody's, free, {contents}"
    own = layout.own_frames().get(mfn)
    return f"the hypervisor's since its start: {own}" if own else "nobody's: no memory, a boot module, or the loader's"


def on_list(records: Records, first: int, mfn: int) -> bool:
    following, at = records.column("next"), first
    for _ in range(records.count):
        if at == mfn:
            return True
        if at >= records.count:
            return False
        at = following[at]
    return False
