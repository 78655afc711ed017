# SPDX-License-Identifier: MIT
"""A ring from both sides: what the hypervisor keeps, what the page says, and what lies in its slots: `atl ring D NAME`."""

import errno
from collections.abc import Callable

import gdb

from .command import Failure, clean, command, paragraph, say, table, words
from .events import bits_of, other_end, ports_of
from .model import PAGE, as_type, domain, domain_numbers, frame_bytes, name_of, share, whole

NAMES = ("console", "vif-tx", "vif-rx", "vbd")  # by number of the class
HEADER = 64
U32 = 1 << 32
ANSWERS = 4  # of the last ones that are shown


@command("ring", lambda: [*domain_numbers(), *NAMES])
def show_ring(given: list[str]) -> None:
    """A ring: the hypervisor's own indices beside those in the page, and what lies in its slots.

    atl ring D [console|vif-tx|vif-rx|vbd][:DEVICE]

    Without a name: all rings of the domain. Indices run freely through 32 bits; index i lies in slot i mod size. The guest
    writes req_prod and rsp_event, the hypervisor rsp_prod and req_event; what counts is what the hypervisor keeps for itself
    (HYPERVISOR). Of the slots are shown those of requests that wait, those whose request was taken and is under way
    (the hypervisor works on its own copy: the slot may hold anything by now), and the last answers."""
    given = list(words(given, "ring D [NAME[:DEVICE]]", 1, 2))
    d = domain(given[0])
    rings = whole(share(d, "rings", 6))["rings"]
    if len(given) == 1:
        _list(d, rings)
        return
    number, device = _named(given[1], rings)
    ring = rings[number][device]
    if not int(ring["class"]):
        raise Failure(f"domain {int(d['id'])} has registered no ring {given[1]}: `atl ring {int(d['id'])}` lists those that it has")
    _show(d, number, device, ring)


def _named(text: str, rings: gdb.Value) -> tuple[int, int]:
    name, _, device = text.partition(":")
    if name not in NAMES or (device and not device.isdigit()):
        raise Failure(f"{text}: a ring is called {', '.join(NAMES)}, with :DEVICE behind it if it is not device 0")
    number, most = int(device or "0"), rings[0].type.range()[1]
    if number > most:
        raise Failure(f"{text}: devices are 0 to {most}")
    return NAMES.index(name), number


def _list(d: gdb.Value, rings: gdb.Value) -> None:
    rows = []
    for number in range(rings.type.range()[1] + 1):
        for device in range(rings[number].type.range()[1] + 1):
            r = rings[number][device]
            if int(r["class"]):
                rows.append((f"{NAMES[number]}:{device}", f"{int(r['frame']['n']):#x}", int(r["port"]), int(r["taken"]), int(r["answered"]),
                             _under_way(r), "yes" if int(r["stopped"]) else ""))
    say(f"domain {int(d['id'])} ({name_of(d)}): {len(rows)} rings")
    if rows:
        table(("NAME", "FRAME", "PORT", "TAKEN", "ANSWERED", "UNDER WAY", "STOPPED"), rows, "bcdef")


def _under_way(ring: gdb.Value) -> int:
    return (int(ring["taken"]) - int(ring["answered"])) % U32


def _show(d: gdb.Value, number: int, device: int, ring: gdb.Value) -> None:
    kind = ring["class"].dereference()
    slots, size = int(kind["slots"]), max(int(kind["request"]), int(kind["response"]))
    page = frame_bytes(int(ring["frame"]["n"]))
    header = as_type(page, "struct ring_header")
    paragraph(f"domain {int(d['id'])} ({name_of(d)}): ring {NAMES[number]}:{device}, {slots} slots of {size} bytes in frame "
              f"{int(ring['frame']['n']):#x}{', STOPPED' if int(ring['stopped']) else ''}")
    say(_port(d, int(ring["port"])))
    _indices(ring, header)
    for line in _suspicions(ring, header, slots):
        paragraph(line, "  ")
    if not 0 < slots or HEADER + slots * size > PAGE:
        raise Failure(f"its class says {slots} slots of {size} bytes, which no page holds")
    rows = _slots(number, ring, header, page, slots, size)
    if rows:
        table(("INDEX", "SLOT", "", "WHAT LIES THERE"), rows, "ab")


def _port(d: gdb.Value, port: int) -> str:
    ports, bits = ports_of(d), bits_of(d)
    if not 0 < port <= ports.type.range()[1]:
        return f"port {port}, which cannot be"
    flags = [name for name, it in (("pending", bits.is_pending(port)), ("masked", bits.is_masked(port))) if it] if bits else []
    return f"port {port} ({other_end(ports[port])}){''.join(f', {flag}' for flag in flags)}"


def _indices(ring: gdb.Value, header: gdb.Value) -> None:
    table(("", "HYPERVISOR", "PAGE", ""), [
        ("requests written", "", int(header["req_prod"]), "req_prod, the guest's"),
        ("requests taken", int(ring["taken"]), "", ""),
        ("responses", int(ring["answered"]), int(header["rsp_prod"]), "rsp_prod, the hypervisor's"),
        ("kick wanted at", "", int(header["req_event"]), "req_event, the hypervisor's"),
        ("event wanted at", "", int(header["rsp_event"]), "rsp_event, the guest's"),
        ("flags", "", int(header["flags"]), "RING_STOPPED" if int(header["flags"]) & 1 else ""),
    ], "bc")  # fmt: skip


def _suspicions(ring: gdb.Value, header: gdb.Value, slots: int) -> list[str]:
    """What of the two sides does not go together, in sentences."""
    taken, answered, written = int(ring["taken"]), int(ring["answered"]), int(header["req_prod"])
    under_way, waiting = (taken - answered) % U32, (written - taken) % U32
    said = []
    if under_way > slots:
        said.append(f"More is under way than it has slots: {under_way} (R2).")
    elif waiting > slots - under_way:
        said.append(f"The guest claims {waiting} requests that were not taken, and there is room for {slots - under_way}: at the next look "
                    "the ring stops." if not int(ring["stopped"]) else f"The guest claims {waiting} requests, and there is room for "
                    f"{slots - under_way}.")
    elif waiting:
        passed = (written - int(header["req_event"])) % U32 < waiting
        said.append(f"{waiting} wait to be taken; the guest's index is {'beyond' if passed else 'before'} req_event, so it "
                    f"{'has to kick' if passed else 'need not kick: the device said that it would look by itself'}.")
    if int(header["rsp_prod"]) != answered and not int(ring["stopped"]):
        said.append(f"rsp_prod is not what was answered, {answered}: somebody else has written it, or an answer was not published.")
    if under_way and under_way <= slots:
        said.append(f"{under_way} are under way: taken, and not answered.")
    return said


# ---- slots ----

def _slots(number: int, ring: gdb.Value, header: gdb.Value, page: bytes, slots: int, size: int) -> list[tuple]:
    """Rows for the last answers, what is under way, and what waits. However the guest's indices are, each slot comes once at most."""
    taken, answered = int(ring["taken"]), int(ring["answered"])
    under_way = min((taken - answered) % U32, slots)
    waiting = (int(header["req_prod"]) - taken) % U32
    if waiting > slots - under_way:
        waiting = 0  # that is no index
    last = min(ANSWERS, slots - under_way - waiting, answered)

    def row(index: int, what: str, decode: Callable[[bytes], str]) -> tuple:
        index %= U32
        at = HEADER + index % slots * size
        return index, index % slots, what, decode(page[at:at + size])

    request, response = DECODERS[number]
    rows = [row(answered - last + i, "answered", response) for i in range(last)]
    rows += [row(answered + i, "under way", request) for i in range(under_way)]
    rows += [row(taken + i, "waits", request) for i in range(waiting)]
    return rows


def error_name(status: int) -> str:
    return "done" if status == 0 else f"-{errno.errorcode.get(-status, -status)}"


def _console(raw: bytes, asks: str) -> str:
    s = as_type(raw, "struct console_slot")
    count, data = int(s["count"]), raw[4:]
    if count == 0:
        return f"id {int(s['id'])}: {asks}"
    if count > len(data):
        return f"id {int(s['id'])}: {count} bytes, which no slot holds"
    return f"id {int(s['id'])}: {count} bytes \"{clean(data[:count].decode('latin-1'))}\""


def _console_request(raw: bytes) -> str:
    return _console(raw, "asks for input")


def _console_response(raw: bytes) -> str:
    return _console(raw, "nothing was taken")


def _tx_request(raw: bytes) -> str:
    q = as_type(raw, "struct vif_tx_request")
    pieces = int(q["pieces"])
    names = [name for bit, name in ((1, "CSUM"), (2, "SEGMENTS")) if int(q["flags"]) & bit]
    if int(q["flags"]) & ~3:
        names.append(f"flags {int(q['flags']):#x}")
    piece = [q["piece"][i] for i in range(min(pieces, q["piece"].type.range()[1] + 1))]
    shown = [f"{int(p['address']):#x}+{int(p['length'])}" for p in piece]
    more = ", more than it can have" if pieces > len(shown) else ""
    return f"id {int(q['id'])}: {pieces} pieces {' '.join([*shown, *names])}{more}"


def _tx_response(raw: bytes) -> str:
    a = as_type(raw, "struct vif_tx_response")
    return f"id {int(a['id'])}: {error_name(int(a['status']))}"


def _rx_request(raw: bytes) -> str:
    q = as_type(raw, "struct vif_rx_request")
    return f"id {int(q['id'])}: frame {int(q['frame']):#x}{' COPY' if int(q['flags']) & 1 else ''}"


def _rx_response(raw: bytes) -> str:
    a = as_type(raw, "struct vif_rx_response")
    length = int(a["length"])
    what = error_name(length) if length < 0 else f"{length} bytes at {int(a['offset'])}"
    names = [name for bit, name in ((1, "CSUM_OK"), (2, "CSUM_BLANK")) if int(a["flags"]) & bit]
    return " ".join([f"id {int(a['id'])}: {what} of frame {int(a['frame']):#x}", *names])


OPERATIONS = {0: "read", 1: "write", 2: "flush", 3: "info", 5: "write, barrier"}


def vbd_words(q: gdb.Value) -> str:
    """A request to a disk, in a line."""
    pieces, piece = int(q["pieces"]), q["piece"]
    op = OPERATIONS.get(int(q["op"]), f"op {int(q['op'])}")
    shown = [piece[i] for i in range(min(pieces, piece.type.range()[1] + 1))]
    count = sum(int(p["count"]) for p in shown)
    memory = " ".join(f"{int(p['frame']):#x}/{int(p['first'])}+{int(p['count'])}" for p in shown)
    return f"id {int(q['id'])}: {op}, VBD {int(q['device'])}, sector {int(q['sector'])}+{count} {memory}".rstrip()


def _vbd_request(raw: bytes) -> str:
    return vbd_words(as_type(raw, "struct vbd_request"))


def _vbd_response(raw: bytes) -> str:
    a = as_type(raw, "struct vbd_response")
    return f"id {int(a['id'])}: {error_name(int(a['status']))}"


DECODERS = (
    (_console_request, _console_response),
    (_tx_request, _tx_response),
    (_rx_request, _rx_response),
    (_vbd_request, _vbd_response),
)
