# SPDX-License-Identifier: MIT
"""Judges `linux-squeeze`: do four Linuxes give memory back that a fifth domain then finds full of zeros, and lose nothing of their own?"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Created, Finding, Linux
from atelier_grader.observe import Seen

EXERCISE = "whole"
FOUR = range(1, 5)
MIB, PAGE = 1024, 4  # KiB
MEMORY = 240
EACH, NEWCOMER = 44 * MIB, 28 * MIB
DOMAINS = (Linux("linux-squeeze", memory=48 * MIB, atl=True), *(Created(memory=EACH) for _ in FOUR),
           Created("newcomer", memory=NEWCOMER))
READY = 3000  # ms of the machine's time, as in linux-squeeze.c
OVERHEAD = 256  # KiB that the hypervisor itself may have for a domain
STAGES = ("at first", "squeezed", "let go")
WHEN = ("at first", "when they are squeezed", "when there is a fifth", "when they are let go", "when they are gone")


@dataclass(frozen=True)
class Squeezed:
    limit: int  # KiB
    then: int
    secrets: int  # bytes
    secret: int
    words: int

    def sum(self) -> int:
        """As linux-squeeze.c does it."""
        value, total = self.secret, 0
        for _ in range(self.words):
            value = (value * 1664525 + 1013904223) & 0xffffffff
            total = (total << 5 & 0xffffffff | total >> 27) ^ value
        return total


def inputs(rng: Random) -> dict:
    grown = rng.choice(FOUR)
    limits = {d: EACH - PAGE * rng.randrange(8 * MIB // PAGE, 11 * MIB // PAGE) for d in FOUR}
    return {"domains": {d: Squeezed(limits[d], EACH if d == grown else limits[d] + PAGE, 12 << 20, rng.getrandbits(32) | 1,
                                    1024 * rng.randrange(32, 96)) for d in FOUR}}


def encode(given: dict) -> bytes:
    domains = given["domains"].values()
    return observe.encode((tuple((s.limit, s.then) for s in domains), *((s.secrets, s.secret, s.words) for s in domains)))


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    calls = [0] * 4 + [1] + [0] * 4 + [0] + [0] * 4  # create, create in vain, mem, create, mem
    got = [o.status for o in seen.all("atl")]
    if [bool(status) for status in got] != [bool(status) for status in calls]:
        yield Finding(EXERCISE, "atl's statuses: 4 times create, once where there is no room, 4 times mem, create, 4 times mem", calls, got)
    for d, s in given["domains"].items():
        yield from judge_domain(d, s, seen)
    yield from judge_newcomer({s.secret: d for d, s in given["domains"].items()}, seen)
    yield from judge_free(given["domains"], seen)


def judge_domain(d: int, s: Squeezed, seen: Seen) -> Iterator[Finding]:
    before, want_sum = seen.one("state", 0, d), s.sum()
    if before.ms >= READY:
        yield Finding(EXERCISE, f"domain {d}: ms until it was ready", f"less than {READY}", before.ms)
    for key, want in enumerate((EACH, s.limit, s.then)):
        o = seen.one("state", key, d)
        if (o.owned, o.limit) != (want, want):
            yield Finding(EXERCISE, f"domain {d}, {STAGES[key]}: KiB that it has, and its limit", (want, want), (o.owned, o.limit))
        if (got := before.total - o.total) != EACH - want:
            yield Finding(EXERCISE, f"domain {d}, {STAGES[key]}: KiB that Linux's total is less than at first", EACH - want, got)
        if o.sum != want_sum:
            yield Finding(EXERCISE, f"domain {d}, {STAGES[key]}: the sum over memory of its own", want_sum, o.sum)
        if key and (wrong := seen.one("read", key, d).wrong):
            yield Finding(EXERCISE, f"domain {d}, until it was {STAGES[key]}: times that this sum was another", 0, wrong)


def judge_newcomer(secrets: dict[int, int], seen: Seen) -> Iterator[Finding]:
    o = seen.one("newcomer", domain=5)
    if o.frames != NEWCOMER // PAGE or o.looked < o.frames // 2:
        yield Finding(EXERCISE, "the newcomer: its frames, and at how many it looked", f"{NEWCOMER // PAGE}, most of them",
                      (o.frames, o.looked))
    if o.dirty:
        page = seen.all("dirty", 5)[0]
        of = f", which is domain {secrets[page.sample]}'s secret" if page.sample in secrets else ""
        yield Finding(EXERCISE, "the newcomer: frames that were not zeros when it got them", 0,
                      f"{o.dirty}; frame {page.key} had {page.words} words such as {page.sample:#x}{of}")


def judge_free(domains: dict[int, Squeezed], seen: Seen) -> Iterator[Finding]:
    """As domain 0 sees it: what the hypervisor says is free, against what the domains have."""
    free = [seen.one("free", i).kib for i in range(5)]
    has = [{d: seen.one("has", i << 8 | d).kib for d in FOUR} for i in range(4)]
    for i, want in enumerate(({d: EACH for d in FOUR}, {d: s.limit for d, s in domains.items()},
                              {d: s.limit for d, s in domains.items()}, {d: s.then for d, s in domains.items()})):
        if has[i] != want:
            yield Finding(EXERCISE, f"KiB that domain 0 sees the four have, {WHEN[i]}", want, has[i])
            return
    if free[0] >= NEWCOMER:
        yield Finding(EXERCISE, "KiB free when there are four", f"less than {NEWCOMER}", free[0])
    gone = [sum(had.values()) for had in has]
    for i, want, least in ((1, gone[0] - gone[1], 0), (2, -NEWCOMER, OVERHEAD), (3, gone[2] - gone[3], 0),
                           (4, gone[3], len(FOUR) * OVERHEAD)):
        if abs(free[i] - free[i - 1] - want) > least:
            yield Finding(EXERCISE, f"KiB free {WHEN[i]}, more than {WHEN[i - 1]}", want, free[i] - free[i - 1])
