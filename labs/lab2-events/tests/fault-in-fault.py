# SPDX-License-Identifier: MIT
"""Judges `fault-in-fault`: does a fault while a fault is served end in a handler, the failsafe or one domain's death?"""

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
from lab2_cases import Case  # noqa: E402

EXERCISE = "2.4"
DYING = 8
DOMAINS = (Guest("clock", args=f"rounds=160 tick=500 others={DYING + 1}"), Guest("fault-in-fault"),
           *(Guest("fault-in-fault", memory=2048) for _ in range(DYING)))
DIES = set(range(2, 2 + DYING))

OPCODE, PAGE_FAULT = 6, 14
MISSING, MISSING_TOO = 0x9, 0x11  # selectors of ring 1 that name nothing, and are not reserved
HANDLER = cases.CODE1 + 0xf00
RECURSIONS = 100_000


def ud2(rng: Random, what: str, **changes: object) -> Case:
    return cases.case(rng, what, 1, cases.UD2, **changes)


def event(rng: Random, what: str) -> Case:
    c = cases.case(rng, what, 1, cases.INT_82 + cases.JUMP_DONE)
    c.regs.update(eax=cases.EVENT_OP, ebx=cases.SEND)
    return c


def all_stubs() -> tuple:
    return cases.table(*(cases.entry(v) for v in range(32)))


def recursion(rng: Random) -> Case:
    """The handler of #UD begins its stack anew, and causes #UD, until ECX is 0."""
    esp = cases.STACK1 + 4096
    code = b"\xbc" + esp.to_bytes(4, "little") + b"\x49\x74\x02" + cases.UD2 + cases.JUMP_DONE
    c = cases.case(rng, f"#UD in its own handler, {RECURSIONS} times", 1, code, eip=HANDLER, esp=esp)
    c.regs["ecx"] = RECURSIONS
    return c


def returns_to(rng: Random, what: str, *words: int) -> Case:
    """iret() with this on the stack below EAX."""
    c = cases.case(rng, what, 1, cases.INT_82 + cases.JUMP_DONE, mask=1,
                   stack=b"".join(word.to_bytes(4, "little") for word in (0x1234, *words)))
    c.regs["eax"] = cases.IRET
    return c


def survivor(rng: Random) -> list:
    missing = (MISSING, cases.STUB_ADDRESS)
    return [
        all_stubs(),
        cases.callbacks(event=missing),
        event(rng, "an event callback in a missing segment"),
        cases.callbacks(),
        returns_to(rng, "iret() to a missing segment", cases.CODE1, MISSING, cases.IF | 2),
        returns_to(rng, "iret() to ring 3 with a missing stack segment", cases.USER, cases.RING3_CODE, cases.IF | 2,
                   cases.STACK3 + 64, 0x13),
        cases.callbacks(event=(cases.RING1_CODE, cases.LINE)),
        cases.callbacks(failsafe=(cases.RING1_CODE, 0xfc400000)),
        cases.callbacks(event=(0xe008, HANDLER)),
        cases.callbacks(failsafe=(cases.RING3_CODE, HANDLER)),
        event(rng, "an event, after callbacks that were refused"),
        ud2(rng, "#UD, after all that"),
        cases.table(cases.entry(OPCODE, address=HANDLER)),
        recursion(rng),
    ]


def dying(rng: Random) -> list[list]:
    """Scripts whose last step is the end."""
    hole = cases.HOLE + 16 * rng.randrange(1000)
    both_missing = cases.callbacks(event=(MISSING, HANDLER), failsafe=(MISSING_TOO, HANDLER))
    esp = rng.choice((cases.HOLE + 400, cases.READONLY + 400, cases.LINE + 64, 0, 0xfc540000))  # the last: the hypervisor's
    return [
        [all_stubs(), ud2(rng, "#UD without room for its frame", esp=esp)],
        [all_stubs(), ud2(rng, "#UD with its stack above the line", esp=cases.LINE + 8)],
        [cases.table(cases.entry(PAGE_FAULT)), ud2(rng, "#UD without a handler")],
        [cases.table(*(cases.entry(v, address=hole) for v in range(32))), ud2(rng, "all handlers in a hole")],
        [cases.table(cases.entry(OPCODE, address=HANDLER)), ud2(rng, "a handler of #UD that begins with UD2", eip=HANDLER)],
        [all_stubs(), both_missing, event(rng, "both callbacks in missing segments")],
        [all_stubs(), cases.callbacks(failsafe=(MISSING, HANDLER)),
         returns_to(rng, "iret() to a missing segment, the failsafe in another", HANDLER, MISSING_TOO, cases.IF | 2)],
        [all_stubs(), cases.case(rng, "#PF in ring 3 without room on the stack for ring 1", 3, b"\xa1\0\0\x40\0",
                                 kernel_esp=cases.HOLE + 64)],
    ]


def inputs(rng: Random) -> dict:
    return {"scripts": [[], survivor(rng), *dying(rng)]}


def encode(given: dict) -> bytes:
    return cases.encode_scripts(given["scripts"])


def lives(steps: list, seen: Seen) -> Iterator[Finding]:
    """What the survivor must have seen, step by step."""
    def differs(key: int, want: dict[str, int], frame: list[int | None]) -> Iterator[Finding]:
        c = steps[key]
        run, stack = seen.one("run", key, domain=1), seen.one("stack", key, domain=1)
        for difference in cases.frame_differs(c, want, frame, run, stack):
            yield Finding(EXERCISE, *difference)

    data = cases.RING1_DATA
    failsafe = {"stub": cases.FAILSAFE, "mask": 1, "cs": cases.RING1_CODE,
                **{name: data for name in ("ss", "ds", "es", "fs", "gs")}}
    segments = [data] * 4
    # The event's frame is there already; below it that of the callback that could not be entered.
    yield from differs(2, {**failsafe, "esp": steps[2].esp - 12 - 28}, [*segments, None, MISSING])
    yield from differs(4, {**failsafe, "esp": steps[4].esp + 16 - 28}, [*segments, cases.CODE1, MISSING])
    yield from differs(5, {**failsafe, "esp": steps[5].kernel_esp - 36},
                       [*segments, cases.USER, cases.RING3_CODE, None, cases.STACK3 + 64, 0x13])
    for key, want in ((1, 0), (3, 0), (6, -errno.EPERM), (7, -errno.EPERM), (8, -errno.EPERM), (9, -errno.EPERM)):
        if (got := seen.one("callbacks", key, domain=1).answer) != want:
            yield Finding(EXERCISE, f"set_callbacks(), step {key}", want, got)
    yield from differs(10, {"stub": cases.EVENT, "esp": steps[10].esp - 12, "mask": 1}, [])
    yield from differs(11, {"stub": OPCODE, "esp": steps[11].esp - 12, "mask": 0}, [])
    yield from differs(13, {"stub": cases.STUB_DONE, "ecx": 0, "esp": steps[13].esp}, [])


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from lives(given["scripts"][1], seen)
    for domain in sorted(DIES):
        end = given["scripts"][domain][-1]
        if (answer := seen.one("table", 0, domain=domain).answer) != 0:
            yield Finding(EXERCISE, f"set_trap_table() of domain {domain}", 0, answer)
        if not cases.died(seen, domain) or seen.all("run", domain=domain):
            yield Finding(EXERCISE, end.what, "the domain dies of it", "it lives")
    for difference in (*cases.clock_differs(seen, 4 * len(DOMAINS)), *cases.code_differs(outside)):
        yield Finding(EXERCISE, *difference)
