# SPDX-License-Identifier: MIT
"""What the judges of tests with waker.h share: the moments at which it is woken, and how late it was."""

from collections.abc import Iterator
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

START = 25  # ms: domain 0 has set all weights by then


def moments(rng: Random, count: int, least: int, most: int) -> dict:
    """Pauses between `count` moments, in ns; all of it is over after `until` ms."""
    pauses = [rng.randrange(least, most) for _ in range(count)]
    return {"count": count, "from": START, "pauses": tuple(pauses), "until": START + sum(pauses) // 1_000_000 + 2}


def encode(given: dict) -> bytes:
    """As director.c, shares.c and waker.h read it."""
    return observe.encode((given["domains"], given["until"], given["wishes"], given["count"], given["from"], *given["pauses"]))


def judge(exercise: str, given: dict, seen: Seen, waker: int, most: int, what: str) -> Iterator[Finding]:
    answers = [seen.one("answer", i).it for i in range(len(given["wishes"]))]
    if any(answers):
        yield Finding(exercise, f"{what}: answers to {given['wishes']}", [0] * len(answers), answers)
    late = [o.ns for o in seen.all("late", domain=waker)]
    if len(late) < given["count"] * 3 // 4:
        yield Finding(exercise, f"{what}: wakes that were not too late for the next one, of {given['count']}",
                      f"{given['count'] * 3 // 4} or more", len(late))
    for i, ns in enumerate(late):
        if ns > most:
            yield Finding(exercise, f"{what}: ns between the alarm of wake {i} and its first look", f"up to {most}", ns)
