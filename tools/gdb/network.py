# SPDX-License-Identifier: MIT
"""The network: `atl vif D`, `atl rules`."""

from collections.abc import Iterator

import gdb

from .command import command, duration, paragraph, say, table, words
from .model import domain, domain_numbers, list_of, name_of, share, slots, variable, whole
from .rings import U32, error_name

RULE_ANY, RULE_WIRE = 0xFFFF, 0xFFFE
COPY = 1
COUNTERS = (("SENT", "tx_packets"), ("BYTES", "tx_bytes"), ("DROPPED", "tx_dropped"), ("REFUSED", "tx_refused"),
            ("RECEIVED", "rx_packets"), ("BYTES", "rx_bytes"), ("DROPPED", "rx_dropped"))


# ---- atl vif ----

@command("vif", domain_numbers)
def show_vifs(given: list[str]) -> None:
    """A domain's VIFs: address, credit, frames to receive into, counters, the packet that is next, place in the row.

    atl vif D

    Credit is what it may send now, of B bytes that it earns in T. Posted frames wait for packets; without one a packet is
    dropped. The loaded packet is the one that goes when its turn comes; the row is everybody who may have something
    to send, and its first is asked first. On the wire: sent, and not yet answered."""
    d = domain(words(given, "vif D", 1)[0])
    devices = share(d, "vifs", 8)["vifs"]
    found = [devices[i].dereference() for i in range(devices.type.range()[1] + 1) if int(devices[i])]
    if not found:
        say(f"domain {int(d['id'])} ({name_of(d)}) has no VIF")
        return
    state = variable("state", "vif.c")
    most = state["vifs"].type.range()[1] + 1
    places = {int(v.address): i for i, v in enumerate(list_of(state["row"], "struct vif", "turn", most), 1)}
    flights = list(_flights(state, d))
    for v in found:
        _show(d, int(v.address), whole(v), places, flights)


def _flights(state: gdb.Value, d: gdb.Value) -> Iterator[tuple[int, int]]:
    """(VIF, id) of each packet of a domain's that the wire is at work on."""
    flights = whole(state["flights"])
    for i in range(flights.type.range()[1] + 1):
        if int(flights[i]["domain"]) == int(d.address):
            yield int(flights[i]["number"]), int(flights[i]["id"])


def _show(d: gdb.Value, address: int, v: gdb.Value, places: dict[int, int], flights: list[tuple[int, int]]) -> None:
    number = int(v["number"])
    mac = ":".join(f"{int(v['mac'][i]):02x}" for i in range(6))
    say(f"VIF {int(d['id'])}.{number}  {mac}" + ("" if int(v["domain"]) == int(d.address) else "  BROKEN: it is another domain's"))
    say(f"  credit: {_credit(v)}")
    say(f"  posted: {_posted(v)}")
    say(f"  loaded: {_loaded(v)}")
    if address in places:
        say(f"  in the row: place {places[address]} of {len(places)}")
    else:
        say("  in the row: no: it has nothing to send")
    on_wire = [str(name) for vif, name in flights if vif == number]
    if on_wire:
        paragraph(f"  on the wire: {len(on_wire)} packets, ids {', '.join(on_wire)}", "    ")
    table([name for name, _ in COUNTERS], [[int(v[field]) for _, field in COUNTERS]], "abcdefg")


def _credit(v: gdb.Value) -> str:
    size, us = int(v["credit_bytes"]), int(v["credit_us"])
    if not size or not us:
        return "no cap"
    return f"{int(v['credit'])} of {size} bytes, which it earns in {duration(1000 * us)}; refilled at {duration(int(v['refilled']))}"


def _posted(v: gdb.Value) -> str:
    posted, take = v["posted"], int(v["take"])
    count, slots = (int(v["post"]) - take) % U32, posted.type.range()[1] + 1
    if count > slots:
        return f"{count} frames, of at most {slots}: broken"
    if count == 0:
        return "no frame: what comes now is dropped"
    first = posted[take % slots]
    kind = "to copy into" if int(first["flags"]) & COPY else "to exchange"
    return f"{count} of {slots} frames {kind}; next is {int(first['frame']):#x}, id {int(first['id'])}"


def _loaded(v: gdb.Value) -> str:
    if not int(v["loaded"]):
        return "nothing"
    p = v["packet"]
    text = f"id {int(p['id'])}, {int(p['length'])} bytes, of which {int(p['have'])} are copied and {int(p['pieces'])} pieces held"
    if int(p["cost"]) != int(p["length"]):
        text += f"; costs {int(p['cost'])}"
    return text + (f"; will be answered {error_name(int(p['error']))}" if int(p["error"]) else "")


# ---- atl rules ----

@command("rules")
def show_rules(given: list[str]) -> None:
    """The firewall-router's rules, in the order in which they are tried, in the words of `atl net`.

    atl rules

    The first rule that a packet matches decides; what none matches is dropped."""
    words(given, "rules", 0)
    share(slots()[0], "vifs", 8)
    vfr = variable("vfr", "vfr.c")
    rules, count = whole(vfr["rules"]), int(vfr["count"])
    most = rules.type.range()[1] + 1
    if count > most:
        say(f"{count} rules, of at most {most}: broken; the first {most} are:")
    for i in range(min(count, most)):
        paragraph(f"{i:3}  {rule_words(rules[i])}  ({int(rules[i]['hits'])} hits)", "     ")
    say("What no rule matches is dropped." if count else "There are no rules: nothing passes.")


def rule_words(r: gdb.Value) -> str:
    """A rule as `atl net` takes it and prints it."""
    said = ["drop" if int(r["action"]) else "accept", *_end("from", r), *_end("to", r)]
    if int(r["protocol"]):
        said.append(f"proto {int(r['protocol'])}")
    said += [*_network("src", r["source"], r["source_mask"]), *_network("dst", r["destination"], r["destination_mask"])]
    said += [*_ports("sport", r, "source_port"), *_ports("dport", r, "destination_port"), f"rank {int(r['rank'])}"]
    return " ".join(said)


def _end(what: str, r: gdb.Value) -> list[str]:
    number, vif = int(r[f"{what}_domain"]), int(r[f"{what}_vif"])
    if number in (RULE_ANY, RULE_WIRE):
        return [what, "any" if number == RULE_ANY else "wire"]
    return [what, str(number) if vif == RULE_ANY else f"{number}.{vif}"]


def _network(what: str, address: gdb.Value, mask: gdb.Value) -> list[str]:
    """Both are in network byte order, in a little-endian word."""
    if not int(mask):
        return []
    dotted = ".".join(str(byte) for byte in int(address).to_bytes(4, "little"))
    return [what, f"{dotted}/{int(mask).bit_count()}"]


def _ports(what: str, r: gdb.Value, field: str) -> list[str]:
    low, high = int(r[f"{field}_low"]), int(r[f"{field}_high"])
    return [what, f"{low}-{high}"] if high else []
