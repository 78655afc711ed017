# SPDX-License-Identifier: MIT
"""Judges `linux-shell`: does an unmodified Linux run unmodified programs on the student's hypervisor, to its end?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Linux, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_linux as linux  # noqa: E402
from lab4_model import PAGE, WORDS  # noqa: E402

EXERCISE = "whole"
MEMORY = 64
DOMAINS = (Linux("linux-shell"),)

PAGE_WORDS = PAGE // 4
SIGSTOP = 19
ENDS = (9, 10, 12, 15)
READ_ONLY, NO_ACCESS, UNMAPPED, MOVED = range(4)
MAPERR, ACCERR = 1, 2  # SEGV_…


def inputs(rng: Random) -> dict:
    pages = rng.randrange(4, 9)
    return {
        "scripts": linux.scripts(rng),
        "copies": (pages, rng.getrandbits(32), [(rng.randrange(pages * PAGE_WORDS), rng.getrandbits(32))
                                                for _ in range(rng.randrange(5, 9))]),
        "faults": (pages, rng.getrandbits(32), [(rng.randrange(pages), rng.randrange(4)) for _ in range(40)]),
        "queue": ([(rng.randrange(4), rng.getrandbits(24)) for _ in range(rng.randrange(20, 40))], rng.choice(ENDS)),
    }


def encode(given: dict) -> bytes:
    return observe.encode({**given, "scripts": [s.told() for s in given["scripts"]]})


def mix(total: int, word: int) -> int:
    return (total << 5 & 0xffffffff | total >> 27) ^ word


def mixed(words: list[int]) -> int:
    total = 0
    for word in words:
        total = mix(total, word)
    return total


def filled(count: int, value: int) -> list[int]:
    words = []
    for _ in range(count):
        value = (value * 1664525 + 1013904223) % WORDS
        words.append(value)
    return words


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from linux.judge_scripts(given["scripts"], seen)
    yield from judge_copies(*given["copies"], seen)
    yield from judge_faults(*given["faults"], seen)
    yield from judge_queue(*given["queue"], seen)
    yield from linux.judge_tables(outside)


def judge_copies(pages: int, seed: int, written: list[tuple[int, int]], seen: Seen) -> Iterator[Finding]:
    words = filled(pages * PAGE_WORDS, seed)
    for i, (at, value) in enumerate(written):
        want = mixed([*words[:at], value, *words[at + 1:]])
        if (got := seen.one("copy", i).sum) != want:
            yield Finding(EXERCISE, f"fork: the sum over child {i}'s copy, word {at} changed", want, got)
    if (got := seen.one("original").sum) != mixed(words):
        yield Finding(EXERCISE, "fork: the sum over what the children copied", mixed(words), got)


def judge_faults(pages: int, seed: int, faults: list[tuple[int, int]], seen: Seen) -> Iterator[Finding]:
    words = filled(pages * PAGE_WORDS, seed)
    for i, (page, kind) in enumerate(faults):
        o, at = seen.one("fault", i), page * PAGE_WORDS + i % PAGE_WORDS
        want = (0, 4 * at, ACCERR if kind in (READ_ONLY, NO_ACCESS) else MAPERR, 1)
        if (o.first, o.at, o.code, o.second) != want:
            yield Finding(EXERCISE, f"write {i}, to a page that is {('read-only', 'forbidden', 'unmapped', 'moved')[kind]}: "
                          "whether it went through, where the fault was, SIGSEGV's code, whether it goes through afterwards",
                          want, (o.first, o.at, o.code, o.second))
        if kind == UNMAPPED:
            words[page * PAGE_WORDS:(page + 1) * PAGE_WORDS] = [0] * PAGE_WORDS
        words[at] = i
    if (got := seen.one("pages").sum) != mixed(words):
        yield Finding(EXERCISE, "mmap: the sum over the pages in the end", mixed(words), got)


def judge_queue(queue: list[tuple[int, int]], end: int, seen: Seen) -> Iterator[Finding]:
    total = mixed([value ^ number << 24 for number, value in sorted(queue, key=lambda q: q[0])])
    o, want = seen.one("stopped"), (SIGSTOP << 8 | 0x7f, total)
    if (o.status, o.sum) != want:
        yield Finding(EXERCISE, f"{len(queue)} queued signals: how the child stopped, the sum over what it heard", want,
                      (o.status, o.sum))
    if (got := seen.one("killed").status) != end:
        yield Finding(EXERCISE, f"signal {end}: how the child ended", end, got)
