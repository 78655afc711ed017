# SPDX-License-Identifier: MIT
"""Judges `port-bounds`: does a number that is no port, or somebody else's, lead nowhere?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab2_cases as cases  # noqa: E402

EXERCISE = "2.2"
DOMAINS = (Guest("clock", args="rounds=120 tick=500"), Guest("port-bounds"), Guest("port-bounds"), Guest("port-bounds"))
DIES = {3}

PORTS = 512
CLOSED, UNBOUND, INTERDOMAIN, BOUND = range(4)
NONE = 0xffff
CONSOLE, DOMAIN, VIRQS = 1, 4, 8


def inputs(rng: Random) -> dict:
    near = [PORTS + n for n in range(0, 40)] + [k * PORTS for k in range(2, 9)] + [k * PORTS + 1 for k in range(1, 9)]
    far = [1 << n for n in range(10, 32)] + [(1 << 32) - 1, (1 << 31) - 1, (1 << 31) + 1, 0xffff, 0x10001, 0xfffffffe]
    ports = [0, PORTS - 1, *near, *far, *(rng.randrange(PORTS, 1 << 32) for _ in range(30))]
    return {"ports": list(dict.fromkeys(ports)), "virqs": [8, 9, 31, 32, 255, 256, 1 << 31, (1 << 32) - 1, CONSOLE, DOMAIN, 0, 2],
            "domains": [4, 5, 159, 160, 161, 255, 256, 0x7fff, NONE, 0xfff1, 0x10000, 0x10001, 0xfff00, 1 << 31, (1 << 32) - 1]}


def encode(given: dict) -> bytes:
    return observe.encode(given)


def named(given: dict, seen: Seen) -> Iterator[tuple]:
    """(what, wanted, got) for what was asked by number."""
    no = -errno.EINVAL
    for i, port in enumerate(given["ports"]):
        n = seen.one("named", i, domain=1)
        want = (no, no, 0 if port == PORTS - 1 else no, no, no)
        if (got := (n.close, n.send, n.status, n.self, n.owner)) != want:
            yield f"port {port:#x}: close, send, status, bind to our own, bind to another's", want, got
    for i, virq in enumerate(given["virqs"]):
        want = no if virq >= VIRQS else -errno.EPERM if virq in (CONSOLE, DOMAIN) else -errno.EEXIST
        if (got := seen.one("virq", i, domain=1).answer) != want:
            yield f"bind_virq of {virq:#x}", want, got
    for i, domain in enumerate(given["domains"]):
        got = seen.one("domain", i, domain=1)
        if (got.alloc, got.bind) != (-errno.ESRCH, -errno.ESRCH):
            yield f"domain {domain:#x}: alloc_unbound, bind_interdomain", (-errno.ESRCH,) * 2, (got.alloc, got.bind)
    virqs, intact = seen.one("virqs", domain=1), seen.one("intact", domain=1)
    if not (0 < virqs.timer < PORTS and 0 < virqs.debug < PORTS):
        yield "ports for two virtual interrupts", "1 to 511", (virqs.timer, virqs.debug)
    if (intact.timer, intact.debug) != (BOUND, BOUND):
        yield "their state after all that", (BOUND, BOUND), (intact.timer, intact.debug)


def reserved(seen: Seen) -> Iterator[tuple]:
    """Ports that wait: for the attacker, one bind and no more; for others, none."""
    waiting = {w.port: w.whom for w in seen.all("waiting", domain=2)}
    tried = {t.port: (t.answer, t.again) for t in seen.all("tried", domain=1) if t.whose == 2}
    want = {port: (0 if whom == 1 else -errno.EPERM, -errno.EPERM) for port, whom in waiting.items()}
    if tried != want:
        yield "ports of another domain that can be bound, and bound again", want, tried
    for t in seen.all("tried", domain=1):
        if t.whose == 0 and (t.answer, t.again) != (-errno.EPERM, -errno.EPERM):
            yield f"domain 0's port {t.port}: bind, again", (-errno.EPERM,) * 2, (t.answer, t.again)


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for difference in (*named(given, seen), *reserved(seen)):
        yield Finding(EXERCISE, *difference)
    alive, dead = seen.one("alive", domain=1), seen.one("dead", domain=1)
    if (got := (alive.state, alive.send)) != (INTERDOMAIN, 0):
        yield Finding(EXERCISE, "a channel to a domain that lives: state, send", (INTERDOMAIN, 0), got)
    want = (UNBOUND, NONE, -errno.EINVAL, -errno.ESRCH, -errno.ESRCH, 0)
    if (got := (dead.state, dead.remote, dead.send, dead.bind, dead.alloc, dead.close)) != want:
        yield Finding(EXERCISE, "after its death: state, who may bind, send, bind, alloc_unbound, close", want, got)

    used, closed = seen.one("used", domain=1), seen.one("closed", domain=1)
    want = (PORTS - 1 - used.open, -errno.ENOSPC, -errno.ENOSPC, -errno.ENOSPC)
    if (got := (used.got, used.refused, used.bind, used.virq)) != want:
        yield Finding(EXERCISE, "ports that could be had; alloc_unbound, bind_interdomain, bind_virq after that", want, got)
    if (got := (closed.ports, closed.again)) != (PORTS - 1, 0):
        yield Finding(EXERCISE, "ports closed, and one more opened", (PORTS - 1, 0), got)
    for difference in (*cases.clock_differs(seen, 8), *cases.code_differs(outside)):
        yield Finding(EXERCISE, *difference)
