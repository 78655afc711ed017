# SPDX-License-Identifier: MIT
"""Judges `batch`: is a batch done up to its first bad request, and no further?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    DIRECTORY0, EMPTY, FLUSH, M2P, OWN, P, PIN_DIRECTORY, PIN_TABLE, PS, RAW, RW, Request, Script, UNPIN,
    US, VOID, command, entry, invlpg, raw, write,
)

EXERCISE = "3.4"
encode = model.encode

TABLE, DIRECTORY, SUBJECT = range(3)
DATA = range(3, 12)
SLOT = 256
ARENA = SLOT << 22
GONE = RAW | 0x9000  # a number that no frame of the machine has

BAD = (
    write(TABLE, 5, entry(DATA[0], P | PS)), write(TABLE, 6, entry(VOID, P)), write(TABLE, 7, entry(TABLE, P | RW)),
    write(DIRECTORY, 8, entry(DIRECTORY, P | RW)), write(DIRECTORY, 1008, EMPTY), write(VOID, 0, raw(1)), write(GONE, 0, raw(1)),
    command(PIN_TABLE, TABLE), command(UNPIN, SUBJECT), command(PIN_DIRECTORY, DATA[1]), command(99, DATA[0]),
    invlpg(0xfc000000), Request(entry(GONE, M2P), raw(1)), Request(entry(DATA[0], 3), raw(1)),
)


def good(s: Script, rng: Random) -> Request:
    match rng.randrange(7):
        case 0 | 1 | 2:
            flags = P | rng.choice((0, RW)) | rng.choice((0, US))
            return write(TABLE, rng.randrange(64), rng.choice((EMPTY, entry(rng.choice(DATA), flags))))
        case 3:
            return write(rng.choice(DATA), rng.randrange(1, 1024), raw(rng.randrange(1 << 32)))
        case 4:
            return write(DIRECTORY, rng.randrange(700), rng.choice((EMPTY, entry(TABLE, P | RW), entry(DIRECTORY, P))))
        case 5:
            return command(FLUSH)
        case _:
            return invlpg(ARENA + (rng.randrange(64) << 12))


def inputs(rng: Random) -> dict:
    s = Script(12)
    for page in DATA:
        s.store(page, 0, raw(rng.randrange(1 << 32)))
    for page in (TABLE, DIRECTORY, SUBJECT):
        s.protect(page, P)
    s.call(command(PIN_TABLE, TABLE), command(PIN_DIRECTORY, DIRECTORY), write(DIRECTORY0, SLOT, entry(TABLE, P | RW | US)))
    s.call()
    bad = rng.sample(BAD, len(BAD))
    for i in range(28):
        requests = [good(s, rng) for _ in range(rng.choice((1, 2, rng.randrange(3, 20), rng.randrange(30, 60))))]
        if i < 2 * len(BAD) and i % 2:
            requests.insert(rng.choice((0, len(requests), rng.randrange(len(requests) + 1))), bad[i // 2])
        else:
            requests += [command(PIN_TABLE, SUBJECT), command(UNPIN, SUBJECT)]
        s.call(*requests, command(FLUSH))
        s.call(command(FLUSH))  # the batch may have ended before its own
        for at in rng.sample(range(64), 4):
            s.read(ARENA + (at << 12))
            s.write(ARENA + (at << 12) + 4 * rng.randrange(1, 1024), raw(rng.randrange(1 << 32)))
        page = rng.choice(DATA)
        s.read(page, OWN)
    s.m2p(rng.choice(DATA), rng.randrange(1 << 32))
    return {"script": s}

def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen)
