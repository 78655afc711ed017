# SPDX-License-Identifier: MIT
"""Judges `die-anywhere`: does everything come home that a domain had, wherever it dies?"""

import copy
import errno
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    DIRECTORY0, EMPTY, NEW_BASE, P, PIN_DIRECTORY, PIN_TABLE, RW, UNPIN, US, Script, Unspecified, command,
    entry, write,
)

EXERCISE = "3.5"
MEMORY = 32
FRAMES = MEMORY * 256
VICTIMS = range(1, 5)
OWN = 1024  # frames of each
DOMAINS = (Guest("die-anywhere"), *(Guest("victim", memory=4 * OWN) for _ in VICTIMS))
DIES = frozenset(VICTIMS)
ROUNDS = 60  # that domain 0 lets the others run, before it lets go of what it has mapped

DIRECTORIES = range(0, 5)
TABLES = range(5, 12)
DATA = range(12, 18)


def act(s: Script, rng: Random) -> None:
    """One step of a build-up."""
    directory, table, data = rng.choice(DIRECTORIES), rng.choice(TABLES), rng.choice(DATA)
    made = [page for page in DIRECTORIES if s.model.frames[page].valid]
    match rng.randrange(10):
        case 0 | 1:
            if not s.model.frames[directory].valid:
                s.protect(directory, P | RW)
                s.clone(directory)
                s.protect(directory, P)
                s.call(command(PIN_DIRECTORY, directory))
        case 2:
            s.call(command(PIN_TABLE, table))
        case 3 | 4:
            s.call(write(table, rng.randrange(1024), entry(rng.choice((data, table, directory)), P | rng.choice((0, RW)))))
        case 5 | 6 if made:
            s.call(write(rng.choice(made), rng.randrange(1, 700), entry(table, P | RW | US)))
        case 7 if made:
            at = rng.choice(made)  # linear: itself, or another one
            s.call(write(at, rng.randrange(1, 700), entry(rng.choice((at, *made)), P)))
        case 8 if made:
            s.call(command(NEW_BASE, rng.choice((DIRECTORY0, *made, *made, *made))))
        case 9 if made:
            s.call(command(UNPIN, rng.choice(made)))


def dare(s: Script, action: Callable, *args) -> Script:
    """The script with an action, or as it was if the interface leaves open what that would do."""
    tried = copy.deepcopy(s)
    try:
        action(tried, *args)
    except Unspecified:
        return s
    return tried


def build_up(rng: Random) -> Script:
    s = Script(18)
    for page in TABLES:
        s.protect(page, P)
    for _ in range(rng.randrange(5, 60)):
        s = dare(s, act, rng)
    if rng.random() < 0.5:  # runs on a directory that nothing else holds
        page = rng.choice(DIRECTORIES)
        s = dare(s, lambda s: s.call(command(NEW_BASE, page), command(UNPIN, page)))
    return s


def inputs(rng: Random) -> dict:
    """The last one waits until the others are gone."""
    return {"held": rng.randrange(700), "scripts": [build_up(rng) for _ in VICTIMS],
            "deaths": [rng.randrange(3) for _ in VICTIMS], "waits": [rng.randrange(20) for _ in VICTIMS[:-1]] + [2 * ROUNDS]}


def encode(given: dict) -> bytes:
    parts = [observe.encode((how, wait)) + script.encode()
             for how, wait, script in zip(given["deaths"], given["waits"], given["scripts"], strict=True)]
    return observe.encode((given["held"], ROUNDS, *parts))


def judge_census(given: dict, seen: Seen) -> Iterator[Finding]:
    first = seen.one("census", 0)
    rows = ((0, len(VICTIMS) * OWN, "before"), (1, OWN + 1, "when only one lives and a frame of a dead one is still mapped"),
            (2, 0, "when all are dead"))
    for stage, foreign, when in rows:
        got = seen.one("census", stage)
        want = (foreign, first.nobody + len(VICTIMS) * OWN - foreign)
        if (got.foreign, got.nobody) != want:
            yield Finding(EXERCISE, f"frames of others, and of nobody, {when}", want, (got.foreign, got.nobody))
    kept = seen.one("kept")
    if kept.pfn == model.NO_PFN or not kept.same:
        yield Finding(EXERCISE, "the frame of a dead domain that domain 0 maps still", "kept, and as it was",
                      f"pseudo-physical number {kept.pfn:#x}, same: {kept.same}")
    if kept.answer != -errno.ESRCH:
        yield Finding(EXERCISE, "update_va_mapping() that names a dying domain", -errno.ESRCH, kept.answer)
    if (got := seen.one("let-go").answer) != 0:
        yield Finding(EXERCISE, "update_va_mapping() that lets that frame go", 0, got)


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for domain, script in zip(VICTIMS, given["scripts"], strict=True):
        yield from model.judge(EXERCISE, script, seen, domain)
    yield from judge_census(given, seen)

    own = seen.one("own").frames
    own = struct.unpack(f"<{len(own) // 4}I", own)
    used = model.used_frames(outside, FRAMES)
    if used != set(own):
        stranger = min(used ^ set(own))
        yield Finding(EXERCISE, f"frames in use at the end that are not domain 0's, such as {stranger:#x}", 0, len(used ^ set(own)))
    if (loaded := outside.registers["cr3"] >> 12) not in own:
        yield Finding(EXERCISE, "the frame that CR3 names at the end", "one of domain 0", hex(loaded))
