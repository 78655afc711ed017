# SPDX-License-Identifier: MIT
"""Judges `bad-stack`: does an event for which there is no room cost the domain whose stack it is, and nobody else?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab2_cases as cases  # noqa: E402
from lab2_cases import Case  # noqa: E402

EXERCISE = "2.3"
IMAGE = 0xfc400000  # the hypervisor's own
HYPERVISOR_DATA = IMAGE + 0x140000
DYING = 10
DOMAINS = (Guest("clock", args=f"rounds=120 tick=500 others={DYING + 1}"), Guest("bad-stack"),
           *(Guest("bad-stack", memory=2048) for _ in range(DYING)))
DIES = set(range(2, 2 + DYING))

LINE, PAGE = cases.LINE, cases.PAGE


def event_on(rng: Random, ring: int, esp: int) -> Case:
    """An event whose frame goes below `esp`, from either ring."""
    if ring == 1:
        c = cases.case(rng, f"an event in ring 1 with ESP {esp:#x}", 1, cases.INT_82 + cases.JUMP_DONE, esp=esp)
        c.regs.update(eax=cases.EVENT_OP, ebx=cases.SEND)
        return c
    return cases.case(rng, f"an event in ring 3, the stack for ring 1 being at {esp:#x}", 3, cases.SPIN, kernel_esp=esp,
                      delay=rng.randrange(60000, 90000))


def bad_stacks(rng: Random) -> list[tuple[int, int]]:
    """(ring, ESP), DYING of them."""
    return [
        (1, LINE + 4 * rng.randrange(1, 4)), (3, LINE + 4 * rng.randrange(1, 17)), (rng.choice((1, 3)), LINE + 64),
        (1, rng.choice((0, 4, 8))), (3, rng.choice((0, 4, 8))),
        (rng.choice((1, 3)), cases.HOLE + 4 * rng.randrange(8, 4000)), (3, cases.READONLY + 4 * rng.randrange(8, 4000)),
        (1, cases.READONLY + rng.choice((4, 8, 12))),
        (3, HYPERVISOR_DATA + 4 * rng.randrange(0x1000)), (1, HYPERVISOR_DATA + 4 * rng.randrange(0x1000)),
    ]


def inputs(rng: Random) -> dict:
    good = [(ring, esp) for ring in (1, 3) for esp in (
        LINE, LINE - 4, LINE - 64, cases.READONLY, cases.READONLY - 4, cases.STACK1 + 4 * rng.randrange(100, 1000))]
    scripts = [[], [cases.callbacks(), *(event_on(rng, *g) for g in good)]]
    scripts += [[cases.callbacks(), event_on(rng, 1, cases.STACK1 + 256), event_on(rng, *bad)] for bad in bad_stacks(rng)]
    return {"scripts": scripts}


def encode(given: dict) -> bytes:
    return cases.encode_scripts(given["scripts"])


def fitted(seen: Seen, domain: int, key: int, c: Case) -> Iterator[Finding]:
    """An event for which there was room."""
    want = cases.arrival(c, cases.EVENT, 0, 1)
    if c.ring == 1:
        want["eax"] = 0
    frame = cases.frame(c, c.eip + (2 if c.ring == 1 else 0), c.eflags)
    run, stack = seen.one("run", key, domain=domain), seen.one("stack", key, domain=domain)
    for difference in cases.frame_differs(c, want, frame, run, stack):
        yield Finding(EXERCISE, *difference)


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for key, c in enumerate(given["scripts"][1][1:], 1):
        yield from fitted(seen, 1, key, c)
    for domain in sorted(DIES):
        good, bad = given["scripts"][domain][1:]
        yield from fitted(seen, domain, 1, good)
        if not cases.died(seen, domain) or len(seen.all("run", domain=domain)) != 1:
            yield Finding(EXERCISE, bad.what, "the domain dies of it", "it lives")
    for difference in (*cases.clock_differs(seen, 4 * len(DOMAINS)), *cases.code_differs(outside)):
        yield Finding(EXERCISE, *difference)
