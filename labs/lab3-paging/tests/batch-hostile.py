# SPDX-License-Identifier: MIT
"""Judges `batch-hostile`: can a batch write what its caller may not, or end anywhere but at its end?"""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab3_model as model  # noqa: E402
from lab3_model import (  # noqa: E402
    AT_HOLE, BAD_DONE, DIRECTORY0, EMPTY, FLUSH, FOREIGN, HYPERVISOR, M2P, NEW_BASE, NO_DONE, OWN, P,
    PIN_DIRECTORY, PIN_TABLE, PS, RAW, RW, Request, Script, UNPIN, US, VOID, WRAPS, command, entry, invlpg,
    raw, write,
)

EXERCISE = "3.4"
encode = model.encode
DOMAINS = (Guest("neighbour", args="rounds=300"), Guest("batch-hostile"))

TABLE, DIRECTORY, SUBJECT, DATA, HELD, KEPT = range(6)
SLOT = 256
ARENA = SLOT << 22
GONE = RAW | 0x9000  # a number that no frame of the machine has
DOMAIN = 1  # the one that misbehaves
HARMLESS = command(FLUSH)
EFAULT = frozenset({-errno.EFAULT})
EPERM = frozenset({-errno.EPERM})


def stores(rng: Random) -> list[list[Request]]:
    """Batches that would write into what is not the caller's to write, or has just changed what it is."""
    value = raw(rng.randrange(1 << 32) & ~1)
    i = rng.randrange(1024)
    batches = [[HARMLESS, write(name, i, value)] for name in (FOREIGN, FOREIGN | 7, FOREIGN | 1030, VOID, VOID | 3, VOID | 400, GONE)]
    batches += [[write(name, i, entry(DATA, P | RW))] for name in (FOREIGN | 2, VOID | 2, GONE)]
    batches += [
        [command(UNPIN, SUBJECT), write(SUBJECT, i, value), command(PIN_TABLE, SUBJECT)],  # a table no more: plain memory
        [command(UNPIN, SUBJECT), write(SUBJECT, i, entry(FOREIGN, P)), command(PIN_TABLE, SUBJECT)],
        [write(SUBJECT, i, EMPTY), command(PIN_TABLE, SUBJECT), write(SUBJECT, i, entry(FOREIGN, P | RW))],
        [write(TABLE, 3, entry(SUBJECT, P | RW))],
        [write(TABLE, 3, entry(DIRECTORY0, P | RW))],
        [write(DIRECTORY, 1008, entry(TABLE, P | RW))], [write(DIRECTORY, 1023, EMPTY)],
        [write(DIRECTORY0, 1008, EMPTY)], [write(DIRECTORY0, 1015, entry(DATA, P | RW | PS))],
        [write(DATA, i, entry(FOREIGN, P | RW))],  # plain memory holds what it likes
        [write(HELD, i, value)],
        [Request(entry(DATA, 3), value)], [Request(entry(TABLE, 7), entry(FOREIGN, P))],
        [command(6, DATA)], [command(0xfff, TABLE)],
        [command(NEW_BASE, TABLE)], [command(NEW_BASE, FOREIGN)], [command(NEW_BASE, GONE)], [command(NEW_BASE, DATA)],
        [command(PIN_DIRECTORY, FOREIGN)], [command(PIN_TABLE, VOID)], [command(PIN_TABLE, GONE)],
        [command(UNPIN, FOREIGN)], [command(UNPIN, GONE)], [command(UNPIN, DATA)],
        [invlpg(0xfc000000)], [invlpg(0xfffff000)],
        [Request(entry(FOREIGN, M2P), raw(5))], [Request(entry(VOID, M2P), raw(5))], [Request(entry(GONE, M2P), raw(5))],
        [Request(entry(RAW | 0xfffff, M2P), raw(5))], [Request(entry(RAW | 0x40000, M2P), raw(5))],
    ]
    rng.shuffle(batches)
    return batches


def lists(s: Script) -> None:
    """Lists that are not there, or not all of them."""
    two = (HARMLESS, HARMLESS)
    for more in ((1 << 32) - 3, (1 << 31) - 2, (1 << 29) - 2, (1 << 29) + 1):  # counts whose bytes wrap, too
        s.ask(two, EFAULT, None, more=more)
    s.ask((*two, HARMLESS), EFAULT, None, how=AT_HOLE)
    s.ask(two, 0, 2, how=AT_HOLE)
    s.ask(two, EFAULT, None, how=HYPERVISOR)
    s.ask(two, EFAULT, None, how=WRAPS)
    s.ask(two, EFAULT, None, how=BAD_DONE)
    s.call(write(DATA, 9, raw(0x77777000)), how=NO_DONE)
    s.read(DATA, OWN)


def named(s: Script, rng: Random) -> None:
    """Other domains, which only domain 0 may name; and itself, as everybody may."""
    value = raw(rng.randrange(1 << 32) & ~1)
    for domain in (0, 2, 7, 0x7fff, 0xffff, 0xfffe, 0x10001, 0xffffffff):
        for request in (HARMLESS, write(DATA, 0, value), write(TABLE, 3, entry(FOREIGN, P | RW)), write(FOREIGN, 0, value)):
            s.ask((request,), EPERM, 0, domain)
    s.call(write(DATA, 0, value), domain=DOMAIN)
    s.read(DATA, OWN)


def inputs(rng: Random) -> dict:
    s = Script(6)
    s.store(DATA, 0, raw(rng.randrange(1 << 32)))
    for page in (TABLE, DIRECTORY, SUBJECT, HELD):
        s.protect(page, P)
    s.call(command(PIN_TABLE, TABLE), command(PIN_DIRECTORY, DIRECTORY), command(PIN_TABLE, SUBJECT),
           write(DIRECTORY0, SLOT, entry(TABLE, P | RW | US)), write(TABLE, 1, entry(DATA, P | RW)))
    for batch in stores(rng):
        s.call(*batch)
        s.call(command(FLUSH))
        s.read(ARENA + 0x1000)
        s.read(ARENA + 0x3000)
    lists(s)
    named(s, rng)
    s.compare(DIRECTORY)
    s.call(write(TABLE, 2, entry(DATA, P)), command(FLUSH))  # and what is right is done, still
    s.read(ARENA + 0x2000)
    s.m2p(KEPT, rng.randrange(1 << 32))
    return {"script": s}

def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    yield from model.judge(EXERCISE, given["script"], seen, domain=1)
    yield from model.judge_neighbour(EXERCISE, seen, outside)
