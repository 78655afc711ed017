# SPDX-License-Identifier: MIT
"""What the judges of lab 9's turns share: whoever waits is not passed by more than a batch of anybody's, and all are answered.

The disk takes as many at once as there is room for, so what is begun is what was taken.
"""

from collections.abc import Iterator
from random import Random

import lab9_disks as model
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen
from lab9_disks import END, KICK, NONE, POST, Extent, Piece, Request, Script, VBD_READ

BATCH = 16
SLOTS = 32
ROOM = 64
DOMAINS = 4


def open_script() -> Script:
    s = Script([(4000, ROOM)])
    for d in range(DOMAINS):
        s.vbd(d, 0, Extent(0, 1000 * d, 1000))
    return s


def post(s: Script, rng: Random, domain: int, first: int, count: int) -> None:
    """Requests of a sector each, the @first-th on of a phase, and a kick."""
    for i in range(first, first + count):
        s.do(POST, Request(domain, i, VBD_READ, (Piece(i // 8, i % 8, 1),), rng.randrange(1000)))
    s.do(KICK, domain)


def end(s: Script, rng: Random, count: int) -> None:
    for _ in range(count):
        s.do(END, rng.randrange(ROOM), NONE)


def judge(exercise: str, script: Script, seen: Seen) -> Iterator[Finding]:
    events = {e.key: (what, e) for what in ("begin", "answer") for e in seen.all(what)}
    kicked = {d: 0 for d in range(DOMAINS)}  # requests that the hypervisor was told of, ...
    fresh = dict(kicked)  # ... that it was not told of yet, ...
    begun, answered = dict(kicked), dict(kicked)
    passed = {(a, b): 0 for a in range(DOMAINS) for b in range(DOMAINS)}  # a's that began while b waited
    for i, step in enumerate(script.steps):
        if step[0] == POST:
            fresh[step[1].domain] += 1
        if step[0] == KICK:
            d = step[1]
            kicked[d], fresh[d] = kicked[d] + fresh[d], 0
        got = seen.one("step", i)
        now = {d: 0 for d in range(DOMAINS)}  # begun in this step, in whatever order
        for key in range(getattr(got, "from"), got.until):
            what, e = events.get(key, ("end", None))
            if what == "answer":
                answered[e.who] += 1
            elif what == "begin":
                now[seen.one("piece", key << 4).frame >> 8] += 1
        for (a, b) in passed:
            waits = a != b and kicked[b] > begun[b] and now[b] == 0
            passed[a, b] = passed[a, b] + now[a] if waits else 0
            if passed[a, b] > BATCH:
                yield Finding(exercise, f"step {i}: requests of domain {a} taken, one after another, while domain {b} had some",
                              f"up to {BATCH}", passed[a, b])
                return
        for d in range(DOMAINS):
            begun[d] += now[d]
    for d in range(DOMAINS):
        if answered[d] != kicked[d]:
            yield Finding(exercise, f"answers to domain {d}, when the disk had nothing more to do", kicked[d], answered[d])
