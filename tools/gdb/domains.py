# SPDX-License-Identifier: MIT
"""Who is there: `atl domains`."""

import gdb

from .command import command, say, table, words
from .model import domains, life_of, name_of, running


def state(d: gdb.Value) -> str:
    """What a domain does, in a word or two."""
    if int(d["life"]) != 1:
        return life_of(d)
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
