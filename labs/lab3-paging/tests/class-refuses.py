# SPDX-License-Identifier: MIT
"""Judges `class-refuses`: is a type's first use all or nothing, and is nothing usable before it is judged?"""

import errno
from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "3.2"
REFUSAL = -errno.EACCES
FIELDS = ("answer", "refs", "uses", "valid", "free", "held", "validated", "released")


def inputs(rng: Random) -> dict:
    """Each k, with and without asking for itself; and at the end, once, a frame whose last reference goes meanwhile."""
    pages = rng.randrange(12, 24)
    cases = [(k, enter, 0) for k in range(pages) for enter in (0, 1)]  # the last k: no refusal
    rng.shuffle(cases)
    cases.append((rng.choice((rng.randrange(pages - 1), pages - 1)), 1, 1))
    return {"pages": pages, "cases": cases}


def differ(seen: Seen, tag: str, key: int, what: str, want: tuple) -> Iterator[Finding]:
    got = tuple(seen.one(tag, key).fields.values())
    if got != want:
        yield Finding(EXERCISE, f"{what}: {', '.join(FIELDS)}", want, got)


def itself(seen: Seen, key: int, what: str, validating: bool) -> Iterator[Finding]:
    """While it is being judged or released, a frame can be held, and not used."""
    got = seen.one("itself", key)
    want = (-errno.EBUSY, -errno.EBUSY, 0)
    if (got.typed, got.written, got.plain) != want:
        yield Finding(EXERCISE, f"{what}: asked for again meanwhile, as its type, to write, plainly", want,
                      (got.typed, got.written, got.plain))
    if validating and got.usable:
        yield Finding(EXERCISE, f"{what}: frame_is() before it was judged", False, True)


def judge_case(seen: Seen, i: int, pages: int, k: int, enter: int, give_up: int) -> Iterator[Finding]:
    last = pages - 1
    own = 0 if give_up else 1  # what holds the frame besides
    if k < last:
        what = f"a class that refuses at its entry {k}"
        yield from differ(seen, "take", 2 * i, what, (REFUSAL, own, 0, 0, int(give_up), 0, 1, 0))
        if enter:
            yield from itself(seen, 3 * i, what, True)
        return
    what = "a class that does not refuse"
    yield from differ(seen, "take", 2 * i, what, (0, own + 1, 1, 1, 0, last, 1, 0))
    yield from differ(seen, "take", 2 * i + 1, f"{what}, once more", (0, own + 2, 2, 1, 0, last, 1, 0))
    other = seen.one("other", i)
    if other.write != -errno.EBUSY or other.none not in (-errno.EBUSY, -errno.EINVAL):
        yield Finding(EXERCISE, "another type of a frame in use: writable, and one without a class",
                      (-errno.EBUSY, -errno.EBUSY), (other.write, other.none))
    yield from differ(seen, "put", 2 * i, "given back once", (0, own + 1, 1, 1, 0, last, 1, 0))
    yield from differ(seen, "put", 2 * i + 1, "given back for the last time", (0, own, 0, 0, int(give_up), 0, 1, 1))
    if enter:
        yield from itself(seen, 3 * i, what, True)
        yield from itself(seen, 3 * (2 * i + 1) + 2, "a frame being released", False)


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    none = seen.one("none")
    if (none.answer, none.refs, none.uses) != (-errno.EINVAL, 1, 0):
        yield Finding(EXERCISE, "a type without a class: answer, references, uses", (-errno.EINVAL, 1, 0),
                      (none.answer, none.refs, none.uses))
    for i, case in enumerate(given["cases"]):
        yield from judge_case(seen, i, given["pages"], *case)
