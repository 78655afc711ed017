# SPDX-License-Identifier: MIT
"""Judges `wrap`: is a list refused whole if it does not end below the line, however its length wraps?"""

import errno
from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

EXERCISE = "1.2"
DOMAINS = (Guest("honest"), Guest("wrap"))

LINE = 0xfc000000
WINDOW = 0xfb800000  # the writable one, of a guest that lies at 0xfbc00000
SIZE = 32  # of an entry
ENTRIES = 4  # that the guest puts there
WORDS = 1 << 32


def inputs(rng: Random) -> dict:
    """Lists of (address, entries asked for, where entries are put): the first ENTRIES are good ones."""
    starts = [WINDOW + 4 * rng.randrange(0, 3000) for _ in range(3)] + [LINE - ENTRIES * SIZE, LINE - 8 * SIZE]
    lists = []
    for at in starts:
        lists.append((at, ENTRIES, at))  # as it should be
        room = (LINE - at) // SIZE
        for count in (room + 1, 1 << 30, 1 << 31, WORDS - 1, WORDS // SIZE, *(WORDS // SIZE + n for n in range(1, 5)),
                      WORDS // SIZE * rng.randrange(2, SIZE) + rng.randrange(1, 5)):
            lists.append((at, count, at))
    lists.append((LINE - (ENTRIES - 1) * SIZE, ENTRIES, 0))
    for at in (LINE - SIZE + 1, LINE, 0xfc400000, 0xfd000000, 0xffffffe0, 0xfffffff0):
        lists += [(at, count, 0) for count in (1, 2, (WORDS - at) // SIZE + 1, WORDS // SIZE + 1)]
    rng.shuffle(lists)
    # Addresses for a word that the hypervisor is to store.
    stores = [WINDOW, LINE - 4, LINE - 3, LINE - 1, LINE, LINE + 4, 0xfc400000, 0xfc500000, WORDS - 4, WORDS - 1]
    return {"lists": lists, "stores": stores}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for i, (at, count, put) in enumerate(given["lists"]):
        good = at + count * SIZE <= LINE
        want = (count, count if put else 0) if good else (-errno.EFAULT, 0)
        got = seen.one("list", i, domain=1)
        if (got.answer, got.touched) != want:
            yield Finding(EXERCISE, f"a multicall of {count:#x} entries at {at:#x}: answer, entries touched", want,
                          (got.answer, got.touched))
    for i, at in enumerate(given["stores"]):
        want = 0 if at + 4 <= LINE else -errno.EFAULT
        if (got := seen.one("store", i, domain=1).answer) != want:
            yield Finding(EXERCISE, f"get_debugreg() to {at:#x}", want, got)

    honest = seen.one("honest")
    if honest.good != honest.calls - 1:
        yield Finding(EXERCISE, "good calls of the other domain", honest.calls - 1, honest.good)
    text = next(s for s in outside.image.segments
                if s.virtual <= outside.image.symbols["hypercall_dispatch"].address < s.virtual + s.size)
    if outside.read(text.physical, len(text.content)) != text.content:
        yield Finding(EXERCISE, "the hypervisor's own code", "as it was loaded", "changed")
