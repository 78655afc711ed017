# SPDX-License-Identifier: MIT
"""Judges `close-any-state`: whatever three domains do to their ports, and whenever they die, do both ends of each agree?

How ports are numbered is the hypervisor's affair: the model goes by the numbers that it gave.
"""

import errno
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "2.2"

COUNT, EVERY = 100_000, 5_000
GUESTS, PORTS, RECENT = 3, 512, 16
ALLOC, BIND, VIRQ, CLOSE, SEND, STATUS, DIE, RETURN = range(8)
CLOSED, UNBOUND, INTERDOMAIN, BOUND = range(4)
CONSOLE, DOMAIN, VIRQS = 1, 4, 8
NOBODY = 63
NAMES = ("alloc_unbound", "bind_interdomain", "bind_virq", "close", "send", "status", "death", "return")


def operation(rng: Random) -> int:
    """A word as the guest reads it."""
    what = rng.choices(range(8), (18, 24, 3, 9, 24, 12, 1, 3))[0]
    number = rng.randrange(PORTS) if rng.random() < 0.1 else rng.randrange(24)
    d = rng.randrange(1, GUESTS) if what == DIE else rng.randrange(GUESTS)
    whose = rng.choices(range(4), (5, 5, 5, 1))[0]
    return what | d << 3 | whose << 5 | number << 7 | (rng.random() < 0.1) << 16


def inputs(rng: Random) -> dict:
    return {"count": COUNT, "every": EVERY, "words": [operation(rng) for _ in range(COUNT)]}


def encode(given: dict) -> bytes:
    return observe.encode((given["count"], given["every"], *given["words"]))


@dataclass(frozen=True)
class Port:
    state: int = CLOSED
    remote: int = NOBODY  # the number of a domain
    remote_port: int = 0
    virq: int = 0
    stale: bool = False  # waits for a domain that has died: whether for its successor in that number is left open

    def words(self) -> set[int]:
        """What status may report."""
        remotes = {self.remote if self.state in (UNBOUND, INTERDOMAIN) else NOBODY} | ({NOBODY} if self.stale else set())
        return {self.state | remote << 2 | self.remote_port << 8 | self.virq << 17 for remote in remotes}


NONE = Port()


class Model:
    """The ports of all domains, by number, as the operations until now leave them."""

    def __init__(self):
        self.number: list[int | None] = list(range(GUESTS))  # None: dead
        self.ports: dict[int, dict[int, Port]] = {n: {} for n in range(GUESTS)}  # of the living
        self.recent = [[0] * RECENT for _ in range(GUESTS)]
        self.recents = [0] * GUESTS

    def at(self, n: int, port: int) -> Port:
        return self.ports[n].get(port, NONE)

    def close(self, n: int, port: int, for_whom: int) -> None:
        p = self.ports[n].pop(port)
        if p.state == INTERDOMAIN and p.remote_port in self.ports[p.remote]:
            self.ports[p.remote][p.remote_port] = Port(UNBOUND, for_whom)

    def die(self, d: int) -> None:
        n = self.number[d]
        for port in list(self.ports[n]):
            self.close(n, port, NOBODY)
        del self.ports[n]
        self.number[d] = None
        for ports in self.ports.values():
            for port, p in ports.items():
                if p.state == UNBOUND and p.remote == n:
                    ports[port] = replace(p, stale=True)

    def errors(self, what: int, n: int, whose: int | None, port: int, virq: int) -> set[int]:
        """The errno that an operation may give; 0: none."""
        if what in (ALLOC, BIND) and whose is None:
            return {errno.ESRCH}
        full = {errno.ENOSPC if what <= VIRQ and len(self.ports[n]) == PORTS - 1 else 0}
        match what:
            case 1:  # BIND
                peer = self.at(whose, port)
                if port == 0 or peer.state == CLOSED:
                    return {errno.EINVAL}
                if peer.state != UNBOUND or peer.remote != n:
                    return {errno.EPERM}
                return full | {errno.EPERM} if peer.stale else full
            case 2:  # VIRQ
                if virq >= VIRQS:
                    return {errno.EINVAL}
                if virq in (CONSOLE, DOMAIN) and n != 0:
                    return {errno.EPERM}
                if any(p.state == BOUND and p.virq == virq for p in self.ports[n].values()):
                    return {errno.EEXIST}
            case 3 if self.at(n, port).state == CLOSED:
                return {errno.EINVAL}
            case 4 if self.at(n, port).state != INTERDOMAIN:
                return {errno.EINVAL}
            case 5 if port == 0:
                return {errno.EINVAL}
        return full

    def do(self, word: int, result: int) -> tuple[str, object, object] | None:
        """One operation and what came of it: what is wrong with that, or nothing."""
        what, d, whose, number = word & 7, word >> 3 & 3, word >> 5 & 3, word >> 7 & 511
        if what == RETURN and self.number[d] is None:
            self.number[d] = result
            self.ports[result] = {}
        if what == RETURN or self.number[d] is None:
            return None
        if what == DIE:
            self.die(d)
            return None
        owner = whose if what == BIND and whose < GUESTS else d
        port = number if word >> 16 & 1 else self.recent[owner][number % RECENT]
        remote = self.number[whose] if whose < GUESTS else None
        name = f"{NAMES[what]} by domain {self.number[d]} (domain {remote}, port {port}, virq {number % 6})"
        want, got = self.errors(what, self.number[d], remote, port, number % 6), result & 0xff
        if got not in want:
            return f"{name}: the answer", " or ".join(str(-e) for e in want), -got
        return None if got else self.succeed(name, what, d, remote, port, number % 6, result >> 8)

    def succeed(self, name: str, what: int, d: int, remote: int | None, port: int, virq: int, results: int) -> tuple | None:
        n = self.number[d]
        if what <= VIRQ:
            if not 0 < results < PORTS or self.at(n, results).state != CLOSED:
                return f"{name}: the port", "a closed one of 1 to 511", results
            self.recent[d][self.recents[d] % RECENT] = results
            self.recents[d] += 1
        match what:
            case 0:
                self.ports[n][results] = Port(UNBOUND, remote)
            case 1:
                self.ports[remote][port] = Port(INTERDOMAIN, n, results)
                self.ports[n][results] = Port(INTERDOMAIN, remote, port)
            case 2:
                self.ports[n][results] = Port(BOUND, virq=virq)
            case 3:
                self.close(n, port, n)
            case 4:
                p = self.at(n, port)
                want = (1, self.number.index(p.remote), p.remote_port)
                if (got := (results >> 11, results >> 9 & 3, results & 511)) != want:
                    return f"{name}: events raised, the last one's guest and port", want, got
            case 5:
                if results not in (want := self.at(n, port).words()):
                    return f"{name}: state, remote, remote port, virq", [fields(w) for w in want], fields(results)
        return None


def fields(word: int) -> tuple[int, ...]:
    return word & 3, word >> 2 & 63, word >> 8 & 511, word >> 17 & 7


def look(model: Model, key: int, states: bytes) -> Iterator[Finding]:
    words = struct.unpack(f"<{GUESTS * PORTS}I", states)
    for d, n in enumerate(model.number):
        for port in range(1, PORTS):
            want, got = {0} if n is None else {w << 8 for w in model.at(n, port).words()}, words[d * PORTS + port]
            if got not in want:
                yield Finding(EXERCISE, f"look {key}, port {port} of guest {d}: state, remote, remote port, virq",
                              [fields(w >> 8) for w in want], fields(got >> 8))


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    results = b"".join(o.results for o in seen.all("done"))
    if len(results) != 4 * COUNT:
        yield Finding(EXERCISE, "operations done", COUNT, len(results) // 4)
        return
    model = Model()
    for i, (word, result) in enumerate(zip(given["words"], struct.unpack(f"<{COUNT}I", results), strict=True)):
        wrong = model.do(word, result)
        if wrong:
            yield Finding(EXERCISE, f"operation {i}: {wrong[0]}", *wrong[1:])
            return  # from here on the model is another story
        if i % EVERY == EVERY - 1:
            yield from look(model, i // EVERY, seen.one("all", i // EVERY).states)
    yield from look(model, COUNT // EVERY, seen.one("all", COUNT // EVERY).states)
