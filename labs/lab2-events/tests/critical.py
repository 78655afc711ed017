# SPDX-License-Identifier: MIT
"""Judges `critical`: does an event in a critical range restart it, with no frame, and does the stack stay one frame deep?"""

import errno
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab2_cases as cases  # noqa: E402
from lab2_cases import Case  # noqa: E402

EXERCISE = "2.3"

LINE = 0xfc000000
MOST = 8  # CALLBACK_RANGES
STORM = 2500


def some_ranges(rng: Random) -> list[tuple[int, int]]:
    """Up to MOST ranges that do not overlap, in no order; some empty, some next to each other, one at the line."""
    borders = sorted(rng.sample(range(0x1000, LINE), 2 * rng.randrange(1, MOST)))
    ranges = list(zip(borders[::2], borders[1::2]))
    kind = rng.randrange(3)
    if kind == 0:
        ranges.append((ranges[0][1], ranges[0][1] + 1 if len(ranges) == 1 else ranges[1][0]))
    elif kind == 1:
        ranges.append((LINE - rng.randrange(2, 100), LINE))
        ranges = [r for r in ranges[:-1] if r[1] <= ranges[-1][0]] + ranges[-1:]
    else:
        ranges.append((ranges[0][0], ranges[0][0]))
    rng.shuffle(ranges)
    return ranges[:MOST]


@dataclass(frozen=True)
class Return(Case):
    """A call of iret()."""

    back: tuple[int, ...] = ()  # where to: ring, EIP, CS, EFLAGS, EAX, ESP, SS


def comes_back(rng: Random, ring: int, eip: int) -> Return:
    """iret() to an address, which nothing is executed at: an event is pending, and what iret() does unmasks it."""
    c = cases.case(rng, f"an event at {eip:#x} in ring {ring}", 1, cases.INT_82 + cases.JUMP_DONE, mask=1, raised=True)
    code, data = (cases.RING1_CODE, cases.RING1_DATA) if ring == 1 else (cases.RING3_CODE, cases.RING3_DATA)
    flags = rng.getrandbits(32) & cases.FLAGS | 2 | cases.IF
    eax, esp = rng.getrandbits(32), cases.STACK3 + 4 * rng.randrange(100, 1000)
    stack = [eax, eip, code, flags] + ([esp, data] if ring == 3 else [])
    c.regs["eax"] = cases.IRET
    return Return(**vars(c) | {"stack": b"".join(word.to_bytes(4, "little") for word in stack),
                               "back": (ring, eip, code, flags, eax, esp, data)})


def addresses(rng: Random, ranges: list[tuple[int, int]]) -> list[int]:
    near = {border + n for r in ranges for border in r for n in (-2, -1, 0, 1, 2)} | {(a + b) // 2 for a, b in ranges}
    return [eip for eip in near if 0 < eip < LINE] + [rng.randrange(LINE) for _ in range(3)]


def refused(rng: Random) -> list[tuple]:
    """(the step, its answer). Were one of them to be believed, every address would be in a range."""
    everywhere = (0, LINE)
    return [
        (cases.callbacks(*[everywhere] * MOST, count=MOST + 1), -errno.EINVAL),
        (cases.callbacks(*[everywhere] * MOST, count=rng.getrandbits(31) + 9), -errno.EINVAL),
        (cases.callbacks(everywhere, (rng.randrange(1, LINE), 0)), -errno.EINVAL),
        (cases.callbacks(everywhere, (0, 1, LINE)), -errno.EPERM),
        (cases.callbacks((*everywhere, rng.randrange(LINE, 0xfffffff0))), -errno.EPERM),
    ]


def inputs(rng: Random) -> dict:
    steps, answers = [], []
    for _ in range(6):
        ranges = some_ranges(rng)
        part = [(comes_back(rng, ring, eip), ranges) for ring in (1, 1, 3) for eip in addresses(rng, ranges)]
        part += refused(rng)
        rng.shuffle(part)
        part.insert(0, (cases.callbacks(*ranges), 0))
        steps += [step for step, _ in part]
        answers += [answer for _, answer in part]
    return {"steps": steps, "answers": answers}


def encode(given: dict) -> bytes:
    return observe.encode((cases.encode_steps(given["steps"]), STORM))


def expected(c: Return, ranges: list[tuple[int, int]]) -> tuple[dict[str, int], list[int]]:
    ring, eip, code, flags, eax, esp, data = c.back
    want = {**c.regs, "eax": eax, "mask": 1, "cs": cases.RING1_CODE, "ss": cases.RING1_DATA}
    inside = [i for i, (start, end) in enumerate(ranges) if start <= eip < end]
    if ring == 1:
        if inside:
            return {**want, "stub": cases.RESUME + inside[0], "esp": c.esp + 16}, []
        return {**want, "stub": cases.EVENT, "esp": c.esp + 4}, [eip, code, flags]
    return {**want, "stub": cases.EVENT, "esp": c.kernel_esp - 20}, [eip, code, flags, esp, data]


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, (c, answer) in enumerate(zip(given["steps"], given["answers"], strict=True)):
        if not isinstance(c, Case):
            if (got := seen.one("callbacks", key).answer) != answer:
                yield Finding(EXERCISE, f"set_callbacks(), step {key}", answer, got)
            continue
        want, frame = expected(c, answer)
        for difference in cases.frame_differs(c, want, frame, seen.one("run", key), seen.one("stack", key)):
            yield Finding(EXERCISE, *difference)

    storm = seen.one("storm")
    for what, want, got in (
            ("alarms set", STORM, storm.alarms), ("of them come", STORM, storm.events), ("come too early", 0, storm.early),
            ("bytes of stack between the deepest handler and the highest", 0, storm.deep)):
        if got != want:
            yield Finding(EXERCISE, f"events one after the other: {what}", want, got)
