# SPDX-License-Identifier: MIT
"""What the judges of lab 9's host tests with disks share: steps, and what may come to the disks and must be answered.

A request is known by its memory: each sector of a buffer is of one request at a time. So of every sector that comes to a
disk is known which one it should be, whatever runs were made of it and in whatever order.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

CREATE, DESTROY, ADD, REMOVE, POST, KICK, END, FEED, KILL, CHECK = range(10)
VBD_READ, VBD_WRITE, VBD_FLUSH, VBD_INFO, VBD_BARRIER = range(5)
READ, WRITE, SHARED = 1, 2, 4
BUFFER, PAGE, FOREIGN, RAW = (kind << 28 for kind in range(4))
BUFFERS = 40  # of a domain
EXTENTS = 16
PIECES = 16  # of a request
DEVICES = 8
NONE = 0xffffffff  # as a bad sector: none
LIMIT = (1 << 32) - 1


@dataclass(frozen=True)
class Extent:
    disk: int
    first: int
    count: int
    rights: int = READ | WRITE


@dataclass(frozen=True)
class Piece:
    frame: int
    first: int
    count: int
    reserved: int = 0


@dataclass
class Request:
    domain: int
    id: int
    op: int
    pieces: tuple[Piece, ...]
    sector: int
    device: int = 0
    claimed: int | None = None  # pieces, as the request says
    status: int = 0  # as it will be answered
    where: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)  # memory sector: disk, sector
    begun: set[tuple[int, int]] = field(default_factory=set)
    left: int = 0  # sectors that are not done
    group: int = 0

    def __str__(self) -> str:
        what = ("read", "write", "flush", "info", "?", "barrier")[self.op] if self.op < 6 else f"op {self.op}"
        return f"domain {self.domain}'s request {self.id} ({what} of {sum(p.count for p in self.pieces)} at {self.sector})"


@dataclass
class Script:
    """Steps as words; the judge goes through them again."""

    disks: list[tuple[int, int]]  # sectors, depth
    steps: list[tuple] = field(default_factory=list)

    def do(self, *step: object) -> None:
        self.steps.append(step)

    def vbd(self, domain: int, number: int, *extents: Extent) -> None:
        self.do(CREATE, domain, number)
        for e in extents:
            self.do(ADD, domain, number, e)

    def encode(self) -> bytes:
        words: list[int] = [len(self.disks)]
        for disk in self.disks:
            words += disk
        words.append(len(self.steps))
        for kind, *rest in self.steps:
            words.append(kind)
            for x in rest:
                words += _words(x)
        return observe.encode(tuple(words))


def _wide(n: int) -> list[int]:
    return [n & LIMIT, n >> 32 & LIMIT]


def _words(x: object) -> list[int]:
    if isinstance(x, Extent):
        return [x.disk, *_wide(x.first), *_wide(x.count), x.rights]
    if isinstance(x, Request):
        words = [x.domain, x.id, x.op, len(x.pieces) if x.claimed is None else x.claimed, x.device, *_wide(x.sector), len(x.pieces)]
        for p in x.pieces:
            words += [p.frame, p.first, p.count, p.reserved]
        return words
    return [x]


def encode(given: dict) -> bytes:
    return given["script"].encode()


class Wrong(Exception):
    """What is wrong, what was wanted, what came."""


@dataclass
class World:
    """The state that the contract gives, followed step by step."""

    exercise: str
    disks: list[tuple[int, int]]
    tables: dict[tuple[int, int], list[Extent]] = field(default_factory=dict)
    closing: set[tuple[int, int]] = field(default_factory=set)
    posted: dict[int, list[Request]] = field(default_factory=lambda: {d: [] for d in range(4)})
    under_way: list[Request] = field(default_factory=list)
    running: dict[tuple[int, int], tuple[Request, int]] = field(default_factory=dict)  # by its first sector of memory
    at_work: list[int] = field(default_factory=lambda: [0] * 6)  # transfers, by disk
    due: list[tuple[int, int, int]] = field(default_factory=list)  # answers that must come now
    groups: dict[int, int] = field(default_factory=dict)
    dead: set[int] = field(default_factory=set)
    order: bool = False  # whether it is judged what waits and may go

    # ---- domain 0's operations

    def _conflict(self, domain: int, e: Extent) -> bool:
        if domain == 0:
            return False
        return any(o != domain and o != 0 and x.disk == e.disk and x.first < e.first + e.count and e.first < x.first + x.count and
                   ((x.rights & WRITE and not e.rights & SHARED) or (e.rights & WRITE and not x.rights & SHARED))
                   for (o, _), table in self.tables.items() for x in table)

    def create(self, domain: int, number: int) -> int:
        if domain in self.dead:
            return -errno.ESRCH
        if number >= DEVICES:
            return -errno.EINVAL
        if (domain, number) in self.tables:
            return -errno.EEXIST
        self.tables[domain, number] = []
        return 0

    def destroy(self, domain: int, number: int) -> int:
        if domain in self.dead:
            return -errno.ESRCH
        if (domain, number) not in self.tables:
            return -errno.ENODEV
        self.closing.add((domain, number))
        if any((r.domain, r.device) == (domain, number) for r in self.under_way):
            return -errno.EAGAIN
        self.closing.discard((domain, number))
        del self.tables[domain, number]
        return 0

    def add(self, domain: int, number: int, e: Extent) -> tuple[int, ...]:
        """The answers that are right: where two things are wrong, either may be said."""
        if domain in self.dead:
            return (-errno.ESRCH,)
        wrong: list[int] = []
        table = self.tables.get((domain, number))
        if table is None or (domain, number) in self.closing or e.disk >= len(self.disks):
            wrong.append(-errno.ENODEV)
        elif e.count == 0 or e.first + e.count > self.disks[e.disk][0]:
            wrong.append(-errno.EINVAL)
        if e.rights & ~7 or not e.rights & 3:
            wrong.append(-errno.EINVAL)
        if not wrong and self._conflict(domain, e):
            wrong.append(-errno.EEXIST)
        if table is not None and len(table) == EXTENTS:
            wrong.append(-errno.ENOSPC)
        if not wrong:
            table.append(e)
        return tuple(wrong) or (0,)

    def remove(self, domain: int, number: int) -> int:
        if domain in self.dead:
            return -errno.ESRCH
        if not self.tables.get((domain, number)):
            return -errno.ENODEV
        self.tables[domain, number].pop()
        return 0

    # ---- requests

    def _refused(self, r: Request) -> int:
        count = sum(p.count for p in r.pieces)
        claimed = len(r.pieces) if r.claimed is None else r.claimed
        table = self.tables.get((r.domain, r.device))
        if table is None or (r.domain, r.device) in self.closing:
            return -errno.ENODEV
        if r.op not in (VBD_READ, VBD_WRITE, VBD_WRITE | VBD_BARRIER):
            return -errno.EINVAL
        if not 1 <= claimed <= PIECES or claimed != len(r.pieces):
            return -errno.EINVAL
        if any(p.count == 0 or p.first + p.count > 8 or p.reserved for p in r.pieces):
            return -errno.EINVAL
        if r.sector + count > LIMIT:
            return -errno.ENXIO
        need = READ if r.op == VBD_READ else WRITE
        for sector in range(r.sector, r.sector + count):
            e = self._holder(table, sector)
            if e is None:
                return -errno.ENXIO
            if not e[0].rights & need:
                return -errno.EACCES
        if any(p.frame >= RAW or BUFFER != p.frame >> 28 << 28 for p in r.pieces):
            return -errno.EINVAL
        return 0

    @staticmethod
    def _holder(table: list[Extent], sector: int) -> tuple[Extent, int] | None:
        at = 0
        for e in table:
            if at <= sector < at + e.count:
                return e, e.first + sector - at
            at += e.count
        return None

    def _take(self, r: Request) -> None:
        """What becomes of a request that was seen just now."""
        error = self._refused(r)
        if error:
            self.due.append((r.domain, r.id, error))
            return
        sector = r.sector
        for p in r.pieces:
            for s in range(p.first, p.first + p.count):
                e, real = self._holder(self.tables[r.domain, r.device], sector)
                r.where[r.domain << 8 | p.frame, s] = (e.disk, real)
                sector += 1
        r.left = len(r.where)
        barrier = bool(r.op & VBD_BARRIER)
        r.group = self.groups.get(r.domain, 0) + barrier
        self.groups[r.domain] = r.group + barrier
        self.under_way.append(r)

    def kick(self, domain: int) -> int:
        if domain in self.dead:
            return 0
        for r in self.posted[domain]:
            self._take(r)
        self.posted[domain].clear()
        return 0

    def may_go(self, r: Request) -> bool:
        return not any(o.domain == r.domain and o.group < r.group for o in self.under_way)

    # ---- what the disks saw

    def begin(self, disk: int, kind: int, first: int, memory: list[tuple[int, int]]) -> None:
        owners = [r for m in memory for r in self.under_way if m in r.where and m not in r.begun]
        if len(owners) != len(memory) or any(r is not owners[0] for r in owners):
            raise Wrong(f"a transfer of disk {disk} at {first}: memory of one request that is to be done", "all sectors",
                        f"{memory[:4]} of {len(memory)}")
        r = owners[0]
        if (kind == 0) != (r.op == VBD_READ):
            raise Wrong(f"{r}: what the disk does", "read" if r.op == VBD_READ else "write", kind)
        for i, m in enumerate(memory):
            if r.where[m] != (disk, first + i):
                raise Wrong(f"{r}: disk and sector for sector {m[1]} of buffer {m[0] & 255}", r.where[m], (disk, first + i))
        if self.order and not self.may_go(r):
            raise Wrong(f"{r} went to the disk", "after all that is on the other side of its barrier", "before it was done")
        r.begun |= set(memory)
        self.running[memory[0]] = (r, len(memory))
        self.at_work[disk] += 1

    def end(self, disk: int, memory: tuple[int, int], error: int) -> None:
        r, count = self.running.pop(memory)
        self.at_work[disk] -= 1
        r.left -= count
        r.status = r.status or error
        if r.left == 0:
            self.under_way.remove(r)
            if r.domain not in self.dead:
                self.due.append((r.domain, r.id, r.status))

    def answer(self, domain: int, number: int, status: int) -> None:
        match [d for d in self.due if d[:2] == (domain, number)]:
            case []:
                raise Wrong(f"an answer to domain {domain}'s request {number}", "not now", f"status {status}")
            case [due, *_]:
                self.due.remove(due)
                if due[2] != status:
                    raise Wrong(f"the status of domain {domain}'s request {number}", due[2], status)

    def settled(self) -> None:
        """Between two steps: what was due came, and no disk rests while there is something that it may do."""
        if self.due:
            d, number, status = self.due[0]
            raise Wrong(f"the answer to domain {d}'s request {number}", f"status {status}", "none came")
        if not self.order:
            return
        for r in self.under_way:
            for m, (disk, sector) in r.where.items():
                if m not in r.begun and self.may_go(r) and self.at_work[disk] < self.disks[disk][1]:
                    raise Wrong(f"{r}, which nothing holds back: its sector {sector} of disk {disk}", "under way", "waits")


def _memory(seen: Seen, event: int, pieces: int) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for i in range(min(pieces, PIECES)):
        p = seen.one("piece", event << 4 | i)
        out += [(p.frame, s) for s in range(p.first, p.first + min(p.count, 8))]
    return out


def _events(world: World, seen: Seen, start: int, stop: int, records: dict[int, tuple[str, object]]) -> None:
    for key in range(start, stop):
        what, e = records[key]
        if what == "end":
            world.end(e.disk, (e.frame, e.first), e.error)
        elif what == "begin":
            world.begin(e.disk, e.kind, e.first, _memory(seen, key, e.pieces))
        else:
            world.answer(e.who, e.id, e.status)


def _do(world: World, step: tuple) -> tuple[int, ...] | None:
    """Follows a step before its events; the answers that are right, None: any."""
    match step:
        case (kind, domain, number) if kind == CREATE:
            return (world.create(domain, number),)
        case (kind, domain, number) if kind == DESTROY:
            return (world.destroy(domain, number),)
        case (kind, domain, number, e) if kind == ADD:
            return world.add(domain, number, e)
        case (kind, domain, number) if kind == REMOVE:
            return (world.remove(domain, number),)
        case (kind, r) if kind == POST:
            world.posted[r.domain].append(r)
        case (kind, domain) if kind == KICK:
            return (world.kick(domain),)
        case (kind, domain) if kind == KILL:
            world.dead.add(domain)
            world.due = [d for d in world.due if d[0] != domain]
    return None


def _buried(world: World) -> None:
    """The dead of whom nothing is under way are gone, and what they had is free."""
    for d in world.dead:
        if not any(r.domain == d for r in world.under_way):
            for key in [k for k in world.tables if k[0] == d]:
                del world.tables[key]


def follow(exercise: str, script: Script, seen: Seen, order: bool = False) -> Iterator[Finding]:
    """Judges up to the first step that is wrong: what follows builds on it."""
    world = World(exercise, script.disks, order=order)
    records = {e.key: (what, e) for what in ("begin", "end", "answer") for e in seen.all(what)}
    for i, step in enumerate(script.steps):
        got = seen.one("step", i)
        try:
            want = _do(world, step)
            if want is not None and got.answer not in want:
                raise Wrong("the answer", " or ".join(map(str, want)), got.answer)
            _events(world, seen, getattr(got, "from"), got.until, records)
            world.settled()
            if step[0] == CHECK:
                _check(world, seen, i)
        except Wrong as wrong:
            what, want, got = wrong.args
            yield Finding(exercise, f"step {i}, {_name(step)}: {what}", want, got)
            return
        except KeyError as error:
            yield Finding(exercise, f"step {i}, {_name(step)}: what was observed", "whole", f"no event {error}")
            return


def _check(world: World, seen: Seen, i: int) -> None:
    text = bytes(seen.one("audit", i).text)
    if text:
        raise Wrong("the state", "sound", text.decode())
    for d in world.dead:
        gone = not any(r.domain == d for r in world.under_way)
        life = seen.one("life", i << 4 | d).state
        if life != (0 if gone else 2):
            raise Wrong(f"domain {d}", "gone" if gone else "dying, as a disk is at work for it", life)
    _buried(world)


NAMES = ("create", "destroy", "add", "remove", "post", "kick", "end", "feed", "kill", "check")


def _name(step: tuple) -> str:
    return f"{NAMES[step[0]]} {' '.join(str(x) for x in step[1:])}"
