# SPDX-License-Identifier: MIT
"""Sourced by GDB: makes every table of the stopped hypervisor full, which then is good for being looked at, no longer for running."""

import time

import gdb

INFERIOR = gdb.selected_inferior()


def evaluate(text: str) -> gdb.Value:
    return gdb.parse_and_eval(text)


def number(text: str) -> int:
    return int(evaluate(text))


def fill(place: int, data: bytes) -> None:
    INFERIOR.write_memory(place, data)


def word(value: int) -> bytes:
    return (value % (1 << 32)).to_bytes(4, "little")


def offset(kind: str, member: str) -> int:
    return number(f"(int)&(({kind} *)0)->{member}")


def ring_of(head: int, entries: list[int]) -> None:
    """A struct list of these entries."""
    places = [head, *entries]
    for i, place in enumerate(places):
        fill(place, word(places[(i + 1) % len(places)]) + word(places[i - 1]))


def all_domains() -> None:
    """Each slot holds a copy of domain 0, which can run, has set an alarm, and may have requests."""
    first, size = number("(int)&domains.slots[0]") % (1 << 32), number("sizeof(struct domain)")
    image = bytearray(INFERIOR.read_memory(first, size).tobytes())
    name, share = offset("struct domain", "name"), offset("struct domain", "id")
    places = [first + i * size for i in range(number("sizeof(domains.slots) / sizeof(domains.slots[0])"))]
    for i, place in enumerate(places):
        image[share:share + 2] = i.to_bytes(2, "little")
        image[name:name + 31] = b"a name, as long as it can be%03d" % i
        fill(place, bytes(image))
    for head, member in (("policy.queue", "sched.queue"), ("timer.armed", "timers.armed"), ("vbd.round", "vbds.round")):
        at = offset("struct domain", member)
        ring_of(number(f"(int)&{head}") % (1 << 32), [place + at for place in places])


def all_ports() -> None:
    """Each of the first two domains' is bound to the other's of the same number."""
    for d in (0, 1):
        place = number(f"(int)&domains.slots[{d}].events.ports")
        fill(place % (1 << 32), b"".join(b"\2\0" + (1 - d).to_bytes(2, "little") + i.to_bytes(2, "little") for i in range(512)))
    page = number("(int)domains.slots[0].shared") % (1 << 32)
    fill(page + 8, b"\xff" * 128)


def all_handlers() -> None:
    handlers = number("(int)&domains.slots[0].traps.handlers") % (1 << 32)
    fill(handlers, b"".join(word(0xC0000000 + 16 * i) + b"\x19\xe0\7\0" for i in range(256)))


def all_requests() -> None:
    """All requests are under way, of sixteen pieces, with all jobs in the queue of one disk."""
    ring, device = number("(int)&domains.slots[0].rings.rings[3][0]"), number("(int)domains.slots[0].vbds.devices[5]")
    for i in range(number("sizeof(vbd.ios) / sizeof(vbd.ios[0])")):
        for member, value in (("ring", ring), ("vbd", device)):
            fill(number(f"(int)&vbd.ios[{i}].{member}") % (1 << 32), word(value))
        fill(number(f"(int)&vbd.ios[{i}].request") % (1 << 32) + 2, b"\0\20")
    jobs = range(number("sizeof(vbd.jobs) / sizeof(vbd.jobs[0])"))
    places = [number(f"(int)&vbd.jobs[{i}].job") % (1 << 32) for i in jobs]
    order = number("(int)&domains.slots[0].vbds.order") % (1 << 32)
    for i, place in zip(jobs, places, strict=True):
        fill(place + offset("struct disk_job", "order"), word(order))
        fill(place + offset("struct disk_job", "run"), word(0))
        fill(number(f"(int)&vbd.jobs[{i}].io") % (1 << 32), word(number("(int)&vbd.ios[0]")))
    waiting, ordered = offset("struct disk_job", "waiting"), offset("struct disk_job", "ordered")
    ring_of(order, [place + ordered for place in places])
    ring_of(number("(int)&disks.queues[0].waiting") % (1 << 32), [place + waiting for place in places])


def all_vifs() -> None:
    """Every VIF is in the row, and four of them are domain 0's; the ring to receive into is full."""
    places = [number(f"(int)&state.vifs[{i}]") % (1 << 32) for i in range(number("sizeof(state.vifs) / sizeof(state.vifs[0])"))]
    ring_of(number("(int)&state.row") % (1 << 32), [place + offset("struct vif", "turn") for place in places])
    fill(number("(int)&domains.slots[0].vifs.vifs") % (1 << 32), b"".join(map(word, places[:4])))
    ring = number("(int)&domains.slots[0].rings.rings[2][0]") % (1 << 32)
    other = number("(int)&domains.slots[0].rings.rings[3][0]") % (1 << 32)
    fill(ring, INFERIOR.read_memory(other, number("sizeof(struct ring)")).tobytes())
    for member, value in (("class", number("(int)classes[2]")), ("taken", 128), ("answered", 0)):
        fill(number(f"(int)&domains.slots[0].rings.rings[2][0].{member}") % (1 << 32), word(value))
    fill(number("(int)&vfr.count") % (1 << 32), word(512))


def timed(name: str, tries: int) -> None:
    """Prints what a command takes of the processor, the least of some: others use it too; how many lines it has, and how wide they are."""
    times = []
    for _ in range(tries):
        start = time.process_time()
        text = gdb.execute(f"atl {name}", to_string=True)
        times.append(time.process_time() - start)
    print(min(times), text.count("\n"), max(map(len, text.splitlines())))


all_domains()
all_ports()
all_handlers()
all_requests()
all_vifs()
