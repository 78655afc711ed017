# SPDX-License-Identifier: MIT
"""What the judges of exercise 3.1 share: single references, and what each must answer and leave."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen
from lab3_model import FOREIGN, RAW, VOID

GET, PUT, GET_TYPE, PUT_TYPE, GIVE_UP = range(5)
NAMES = ("frame_get", "frame_put", "frame_get_type", "frame_put_type", "frame_pool_give_up")
ZERO, OURS = 0, 1  # domains
ABSENT = (200, 201, 0x9000, 0xfffff, 0xffffff)  # the machine has 200 frames
STRANGERS = (FOREIGN | 5, FOREIGN | 9, VOID, VOID | 1, VOID | 17)


@dataclass
class Page:
    refs: int = 1  # the reservation
    uses: int = 0
    reserved: bool = True

    @property
    def plain(self) -> int:
        """References that somebody took and that need no type."""
        return self.refs - self.uses - self.reserved


@dataclass(frozen=True)
class Step:
    what: int
    whose: int
    name: int
    answer: int
    left: tuple[int, int, int] | None  # references, uses, and whether it is free; None: not looked at

    def __str__(self) -> str:
        where = f"page {self.name}" if self.name < 1 << 28 else f"{self.name:#x}"
        return f"{NAMES[self.what]}(domain {self.whose}, {where})"


def take(page: Page, what: int, full: int) -> int:
    if page.refs == 0:
        return -errno.EPERM  # it is nobody's now
    if page.refs >= full:
        return -errno.EBUSY
    page.refs += 1
    page.uses += what == GET_TYPE
    return 0


def give(page: Page, what: int) -> None:
    page.refs -= 1
    page.uses -= what == PUT_TYPE
    page.reserved &= what != GIVE_UP


def possible(page: Page) -> list[int]:
    """What may be given back: nobody gives back what he has not."""
    return [what for what, there in ((PUT, page.plain), (PUT_TYPE, page.uses), (GIVE_UP, page.reserved)) if there]


def script(rng: Random, pages: int, count: int, full: int, rising: float) -> list[Step]:
    """Random steps; with `rising` as the part of them that take."""
    table = [Page() for _ in range(pages)]
    steps = []
    for _ in range(count):
        n = rng.randrange(pages)
        page = table[n]
        what = rng.choice((GET, GET_TYPE))
        stranger = rng.random()
        if stranger < 0.1:
            steps.append(Step(what, OURS, rng.choice(STRANGERS), -errno.EPERM, None))
        elif stranger < 0.2:
            steps.append(Step(what, rng.randrange(2), RAW | rng.choice(ABSENT), -errno.EINVAL, None))
        elif stranger < 0.25:
            steps.append(Step(what, ZERO, n, -errno.EPERM, (page.refs, page.uses, int(page.refs == 0))))
        elif rng.random() < rising or not (backs := possible(page)):
            steps.append(Step(what, OURS, n, take(page, what, full), (page.refs, page.uses, int(page.refs == 0))))
        else:
            what = rng.choice(backs) if rng.random() < 0.2 else backs[0]
            give(page, what)
            steps.append(Step(what, OURS, n, 0, (page.refs, page.uses, int(page.refs == 0))))
    return steps


def encode(given: dict) -> bytes:
    return observe.encode((given["pages"], [(s.what, s.whose, s.name) for s in given["steps"]]))


def judge(exercise: str, steps: list[Step], seen: Seen) -> Iterator[Finding]:
    for i, step in enumerate(steps):
        if step.name & ~0xfffffff == RAW:
            got = seen.one("absent", i)
            if got.answer != step.answer:
                yield Finding(exercise, f"step {i}, {step} of a frame that is not there", step.answer, got.answer)
                return
            continue
        got = seen.one("step", i)
        if got.answer != step.answer:
            yield Finding(exercise, f"step {i}, {step}", step.answer, got.answer)
            return
        if step.left and (got.refs, got.uses, got.free) != step.left:
            yield Finding(exercise, f"step {i}, after {step}: references, uses, and whether it is free", step.left,
                          (got.refs, got.uses, got.free))
            return
