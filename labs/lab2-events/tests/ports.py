# SPDX-License-Identifier: MIT
"""Judges `ports`: do two domains find their ports as all the operations before must have left them?

How ports are numbered is the hypervisor's affair: the model goes by the numbers that it gave.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

EXERCISE = "2.2"
DOMAINS = (Guest("ports"), Guest("ports"))

STEPS = 700
PORTS = 512
SELF, NONE, NOBODY = 0xfff0, 0xffff, 7
ALLOC, BIND, VIRQ, CLOSE, SEND, STATUS = range(6)
OP, BIND_ANY, ALARM = range(3)
CLOSED, UNBOUND, INTERDOMAIN, BOUND = range(4)
TIMER, CONSOLE, DEBUG, VTIMER, DOMAIN, LIMIT, SHUTDOWN, DEVICES, VIRQS = range(9)
MINE = 0x80000000  # one of the last eight ports that the domain got


def step(rng: Random) -> tuple[int, ...]:
    """(what, op, port, remote, remote port, virq)"""
    remote = rng.choice((0, 1, 0, 1, SELF, NOBODY, NONE))
    near = rng.choice((MINE | rng.randrange(8), MINE | rng.randrange(8), rng.randrange(14), rng.randrange(PORTS)))
    kind = rng.choices(("alloc", "any", "bind", "virq", "close", "send", "status", "alarm", "bad"), (6, 8, 2, 2, 5, 8, 8, 2, 1))[0]
    match kind:
        case "alloc":
            return OP, ALLOC, 0, remote, 0, 0
        case "any":
            return BIND_ANY, BIND, 0, rng.choice((0, 1)), 0, 0
        case "bind":
            return OP, BIND, 0, remote, near, 0
        case "virq":
            return OP, VIRQ, 0, 0, 0, rng.choice((*range(VIRQS + 1), TIMER))
        case "alarm":
            return ALARM, 0, 0, 0, 0, 0
        case "bad":
            return OP, rng.choice((6, 7, 1 << 31, (1 << 32) - 1)), near, remote, near, 0
        case _:
            return OP, {"close": CLOSE, "send": SEND, "status": STATUS}[kind], near, 0, 0, 0


def inputs(rng: Random) -> dict:
    return {"counts": (STEPS, STEPS), "scripts": ([step(rng) for _ in range(STEPS)], [step(rng) for _ in range(STEPS)])}


def encode(given: dict) -> bytes:
    return observe.encode((given["counts"], tuple(w for script in given["scripts"] for s in script for w in s)))


@dataclass(frozen=True)
class Port:
    state: int = CLOSED
    remote: int = NONE
    remote_port: int = 0
    virq: int = 0


class Model:
    """The ports of both domains, and what was raised since each of them looked."""

    def __init__(self):
        self.ports: tuple[dict[int, Port], ...] = ({}, {})
        self.raised: tuple[set[int], ...] = (set(), set())
        self.maybe: tuple[set[int], ...] = (set(), set())  # raised, and closed since: the bit may be there

    def at(self, d: int, port: int) -> Port:
        return self.ports[d].get(port, Port())

    def bindable(self, d: int, remote: int, port: int) -> int:
        p = self.at(remote, port)
        if p.state == CLOSED:
            return -errno.EINVAL
        return 0 if p.state == UNBOUND and p.remote == d else -errno.EPERM

    def close(self, d: int, port: int) -> None:
        p = self.ports[d].pop(port)
        if port in self.raised[d]:
            self.raised[d].discard(port)
            self.maybe[d].add(port)
        if p.state == INTERDOMAIN and (p.remote, p.remote_port) != (d, port):
            self.ports[p.remote][p.remote_port] = Port(UNBOUND, d)

    def virq_port(self, d: int, virq: int) -> int | None:
        return next((n for n, p in self.ports[d].items() if p.state == BOUND and p.virq == virq), None)

    def answer(self, d: int, what: int, o: object) -> int:
        """What a step must answer, from what it asked."""
        remote = d if o.remote == SELF else o.remote
        if what == ALARM:
            return 0
        if o.op in (ALLOC, BIND) and remote not in (0, 1):
            return -errno.ESRCH
        match o.op:
            case 0:
                return 0
            case 1 if what == BIND_ANY:
                found = any(self.bindable(d, remote, port) == 0 for port in self.ports[remote])
                return 0 if found else self.bindable(d, remote, PORTS - 1)
            case 1:
                return self.bindable(d, remote, o.remote_port)
            case 2:
                if o.virq >= VIRQS:
                    return -errno.EINVAL
                if o.virq in (CONSOLE, DOMAIN) and d != 0:
                    return -errno.EPERM
                return 0 if self.virq_port(d, o.virq) is None else -errno.EEXIST
            case 3:
                return 0 if self.at(d, o.port).state != CLOSED else -errno.EINVAL
            case 4:
                return 0 if self.at(d, o.port).state == INTERDOMAIN else -errno.EINVAL
            case 5:
                return 0 if 0 < o.port < PORTS else -errno.EINVAL
        return -errno.EINVAL

    def do(self, d: int, what: int, o: object, r: object) -> Iterator[tuple[str, object, object]]:
        """A step that succeeded: changes the model, and yields what its results have wrong."""
        remote = d if o.remote == SELF else o.remote
        if what == ALARM:
            if (port := self.virq_port(d, TIMER)) is not None:
                self.raised[d].add(port)
            return
        if o.op in (ALLOC, BIND, VIRQ) and (self.at(d, r.port).state != CLOSED or not 0 < r.port < PORTS):
            yield "a port that was closed", "one of 1 to 511", r.port
        match o.op:
            case 0:
                self.ports[d][r.port] = Port(UNBOUND, remote)
            case 1:
                first = next(p for p in range(1, PORTS) if self.bindable(d, remote, p) == 0) if what == BIND_ANY else o.remote_port
                if r.remote_port != first:
                    yield "the other's port", first, r.remote_port
                self.ports[remote][r.remote_port] = Port(INTERDOMAIN, d, r.port)
                self.ports[d][r.port] = Port(INTERDOMAIN, remote, r.remote_port)
            case 2:
                self.ports[d][r.port] = Port(BOUND, virq=o.virq)
            case 3:
                self.close(d, o.port)
            case 4:
                p = self.at(d, o.port)
                self.raised[p.remote].add(p.remote_port)
            case 5:
                p = self.at(d, o.port)
                want = {"status": p.state}
                if p.state in (UNBOUND, INTERDOMAIN):
                    want["remote"] = p.remote
                if p.state == INTERDOMAIN:
                    want["remote_port"] = p.remote_port
                if p.state == BOUND:
                    want["virq"] = p.virq
                for name, value in want.items():
                    if (got := getattr(r, name)) != value:
                        yield name, value, got


def news(seen: Seen, d: int, key: int) -> set[int]:
    bits = int.from_bytes(seen.one("news", key, domain=d).bits, "little")
    return {n for n in range(bits.bit_length()) if bits >> n & 1}


def look(model: Model, seen: Seen, d: int, key: int) -> Iterator[Finding]:
    """The domain took its pending bits."""
    got = news(seen, d, key) - model.maybe[d]
    want = model.raised[d] - model.maybe[d]
    if got != want:
        yield Finding(EXERCISE, f"domain {d}, before step {key}: ports raised", sorted(want), sorted(got))
    model.raised[d].clear()
    model.maybe[d].clear()


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    steps = [(r.high << 32 | r.low, d, r) for d in (0, 1) for r in seen.all("step", domain=d)]
    model = Model()
    for _, d, r in sorted(steps, key=lambda s: s[0]):
        yield from look(model, seen, d, r.key)
        what, o = given["scripts"][d][r.key][0], seen.one("asked", r.key, domain=d)
        name = f"domain {d}, step {r.key}: op {o.op}" if what == OP else f"domain {d}, step {r.key}: {('', 'bind', 'alarm')[what]}"
        want = model.answer(d, what, o)
        if r.answer != want:
            yield Finding(EXERCISE, f"{name} (port {o.port}, remote {o.remote:#x}:{o.remote_port}, virq {o.virq}): the answer",
                          want, r.answer)
            return  # from here on the model is another story
        if want == 0:
            for difference, good, got in model.do(d, what, o, r):
                yield Finding(EXERCISE, f"{name}: {difference}", good, got)
    for d in (0, 1):
        yield from look(model, seen, d, STEPS)
