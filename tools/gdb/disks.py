# SPDX-License-Identifier: MIT
"""Disks, virtual ones and real ones: `atl vbd D`, `atl disk`."""

from collections.abc import Iterator
from dataclasses import dataclass

import gdb

from .command import command, paragraph, say, table, words
from .model import containing, domain, domain_numbers, list_of, name_of, share, slots, type_of, variable, whole
from .rings import error_name, vbd_words

READ, WRITE, SHARED = 1, 2, 4
KINDS = ("read", "write", "flush")
FLUSH = 2
BATCH = 16  # requests a turn: VBD_BATCH
PATIENCE = 256  # jobs that came later, after which one loses patience: DISK_PATIENCE
U32 = 1 << 32


def access(rights: int) -> str:
    names = [name for bit, name in ((READ, "read"), (WRITE, "write"), (SHARED, "shared")) if rights & bit]
    return ", ".join(names) or "none"


@dataclass(frozen=True)
class Request:
    """One that was taken up, and is not answered."""

    place: int
    ring: int
    text: str
    jobs_left: int
    status: int


def _requests() -> Iterator[Request]:
    ios = variable("vbd", "vbd.c")["ios"]
    place, size = int(ios.address), ios.type.target().sizeof
    ios = whole(ios)
    for i in range(ios.type.range()[1] + 1):
        io = ios[i]
        if int(io["ring"]):
            yield Request(place + i * size, int(io["ring"]), vbd_words(io["request"]), int(io["jobs_left"]), int(io["status"]))


# ---- atl vbd ----

@command("vbd", domain_numbers)
def show_vbds(given: list[str]) -> None:
    """A domain's virtual block devices: extents, access, and the requests that are under way.

    atl vbd D

    An extent's sectors begin, to the guest, where the one before it ends (VIRTUAL); REAL is where they lie on the disk.
    Of a request: sector and count as the guest counts, then frame/first sector in it+count of each piece; JOBS of it are
    not done yet."""
    d = domain(words(given, "vbd D", 1)[0])
    devices = share(d, "vbds", 9)["devices"]
    there = [devices[i] for i in range(devices.type.range()[1] + 1) if int(devices[i])]
    say(f"domain {int(d['id'])} ({name_of(d)}): {len(there)} devices")
    for device in there:
        _show_device(int(d.address), whole(device.dereference()))
    rings = share(d, "rings", 6)
    begin, end = int(rings.address), int(rings.address) + rings.type.sizeof
    under_way = [r for r in _requests() if begin <= r.ring < end]
    if under_way:
        table(("JOBS", "STATUS", "REQUEST"), [(r.jobs_left, error_name(r.status) if r.status else "", r.text) for r in under_way], "a")
    else:
        say("no request is under way")


def _show_device(d: int, v: gdb.Value) -> None:
    extents, count = v["table"]["extents"], int(v["table"]["count"])
    most = extents.type.range()[1] + 1
    shown = [extents[i] for i in range(min(count, most))]
    end = max((int(e["first"]["n"]) + int(e["real"]["count"]) for e in shown), default=0)
    paragraph(f"VBD {int(v['number'])}: {end} sectors, {int(v['under_way'])} requests under way, {int(v['reads'])} reads, "
              f"{int(v['writes'])} writes, {int(v['errors'])} errors" + (", is being taken away" if int(v["closing"]) else ""), "  ")
    if int(v["domain"]) != d:
        say("  BROKEN: it is another domain's")
    if count > most:
        say(f"  BROKEN: {count} extents, of at most {most}")
    if shown:
        table(("  VIRTUAL", "SECTORS", "DISK", "REAL", "ACCESS"), [
            (int(e["first"]["n"]), int(e["real"]["count"]), int(e["real"]["disk"]), int(e["real"]["first"]["n"]), access(int(e["rights"])))
            for e in shown], "abcd")  # fmt: skip


# ---- atl disk ----

@dataclass(frozen=True)
class Job:
    place: int
    domain: int
    disk: int
    kind: int
    first: int
    count: int
    group: int
    passed: int
    waits: bool
    may_go: bool
    order: int

    def what(self) -> str:
        return KINDS[self.kind] if self.kind < len(KINDS) else f"kind {self.kind}"


@command("disk")
def show_disks(given: list[str]) -> None:
    """The machine's disks: their queues, the jobs that they are at work on, and the round of the domains.

    atl disk

    A job is one run of sectors of a request. A domain's jobs have groups: one may go (GO) when all of the groups before its own
    are done. AT THE DISK: given to it, and not done. PASSED: how many that came later went before it. The round is
    those domains that may have requests, in the order of their turns."""
    words(given, "disk", 0)
    share(slots()[0], "vbds", 9)
    vbd = variable("vbd", "vbd.c")
    jobs = list(_jobs(vbd))
    queues, known = _queues(), _machine_disks()
    for i in range(max(len(known), max((j.disk + 1 for j in jobs if j.disk < len(queues)), default=0))):
        _show_disk(i, known, int(vbd["running"][i]), queues[i], [j for j in jobs if j.disk == i])
    if not known:
        say("the machine has no disks")
    _show_round(vbd)


def _machine_disks() -> list[gdb.Value]:
    dk = variable("dk", "pc/disk.c")
    disks = whole(dk["disks"])
    return [disks[i]["what"] for i in range(min(int(dk["count"]), disks.type.range()[1] + 1))]


def _queues() -> list[tuple[int, list[int]]]:
    """Of each disk: the sector behind the last job that went, and its jobs' places, oldest first."""
    queues, most = variable("disks", "disk_queue.c")["queues"], variable("vbd", "vbd.c")["jobs"].type.range()[1] + 1
    return [(int(queues[i]["head"]), [int(job.address) for job in list_of(queues[i]["waiting"], "struct disk_job", "waiting", most)])
            for i in range(queues.type.range()[1] + 1)]


def _jobs(vbd: gdb.Value) -> Iterator[Job]:
    """All that are not done. Free ones stand in no domain's order."""
    array = vbd["jobs"]
    place, size = int(array.address), array.type.target().sizeof
    offsets = {field.name: field.bitpos // 8 for field in array.type.target().fields()}
    inner = {field.name: field.bitpos // 8 for field in array[0]["job"].type.strip_typedefs().fields()}
    owners = {r.place: r.ring for r in _requests()}
    oldest: dict[int, int] = {}
    jobs = whole(array)
    for i in range(jobs.type.range()[1] + 1):
        job = jobs[i]["job"]
        at = place + i * size + offsets["job"]
        if int(job["ordered"]["next"]) in (0, at + inner["ordered"]):
            continue
        order, group = int(job["order"]), int(job["group"])
        if order not in oldest:
            oldest[order] = _oldest_group(job["order"])
        ring = owners.get(int(jobs[i]["io"]), 0)
        yield Job(at, _domain_of(ring), int(job["run"]["disk"]), int(job["kind"]), int(job["run"]["first"]["n"]), int(job["run"]["count"]),
                  group, int(job["passed"]), int(job["waiting"]["next"]) != at + inner["waiting"], oldest[order] == group, order)


def _oldest_group(order: gdb.Value) -> int:
    """Of a domain: of the first job in its order."""
    return int(containing(order["jobs"]["next"], "struct disk_job", "ordered")["group"])


def _domain_of(ring: int) -> int:
    """Whose a ring is; -1: nobody's."""
    if not ring:
        return -1
    return int(gdb.Value(ring).cast(type_of("struct ring").pointer())["domain"]["id"])


def _show_disk(i: int, known: list[gdb.Value], running: int, queue: tuple[int, list[int]], jobs: list[Job]) -> None:
    head, waiting = queue
    if i < len(known):
        what = known[i]
        paragraph(f"disk {i}: {int(what['sectors'])} sectors{', with a cache' if int(what['caches']) else ''}; at work on {running} of "
                  f"{int(what['depth'])} jobs; {len(waiting)} wait; the sweep is at sector {head}")
    else:
        say(f"disk {i}, which the machine does not have: {len(waiting)} jobs wait")
    at = {job.place: job for job in jobs}
    gone = [job for job in jobs if not job.waits]
    queued = [at[place] for place in waiting if place in at]
    rows = [("at the disk", j.domain, j.what(), _run(j), j.group, "", j.passed) for j in gone]
    rows += [("waits", j.domain, j.what(), _run(j), j.group, "yes" if j.may_go else "no", j.passed) for j in queued]
    if rows:
        table(("", "D", "WHAT", "SECTORS", "GROUP", "GO", "PASSED"), rows, "beg")
    if queued:
        paragraph(_next(queued, head))


def _run(job: Job) -> str:
    return "" if job.kind == FLUSH else f"{job.first}+{job.count}"


def _next(queued: list[Job], head: int) -> str:
    """Whom disk_queue_next() gives the disk next. @queued: oldest first."""
    can = [j for j in queued if j.may_go]
    if not can:
        return "Next: none may go before others are done."
    tired = next((j for j in can if j.passed >= PATIENCE), None)
    if tired:
        return f"Next: {tired.what()} {_run(tired)}, which was passed {tired.passed} times."
    nearest = min(can, key=lambda j: (j.first - head) % U32)
    return f"Next: domain {nearest.domain}'s {nearest.what()} {_run(nearest)}: the nearest one upwards that may go."


def _show_round(vbd: gdb.Value) -> None:
    turns = [str(int(d["id"])) for d in list_of(vbd["round"], "struct domain", "vbds.round", slots().type.range()[1] + 1)]
    room = int(vbd["free_io_count"])
    paragraph(f"the round: domain {', '.join(turns)}" if turns else "the round: nobody has requests that were not taken", "  ")
    say(f"room for {room} more requests, {int(vbd['free_job_count'])} more jobs")
    if turns and room < BATCH:
        say("there is no room for a whole turn: the round rests until half of the requests under way are done")
