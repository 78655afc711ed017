# SPDX-License-Identifier: MIT
"""Judges `descriptors`: is each of these made safe or refused? A reason a row."""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_model as model  # noqa: E402
from lab4_model import B32, CODE1, CONFORMING, DATA1, DOWN, Descriptor, G, PRESENT, READABLE, dpl, make  # noqa: E402

EXERCISE = "4.1"

DN = DATA1 | DOWN
D16 = (DATA1 | DOWN) & ~B32
KEEP, REFUSE = "keep", "refuse"

# base, limit, bits; kept as it is, refused, or the limit that it is cut to; why
ROWS = (
    (0, 0xfffff, DATA1 | G, 0xfc3ff, "flat, as every system has it"),
    (0, 0xfffff, CODE1 | G, 0xfc3ff, "flat code"),
    (0, 0xfffff, DATA1 | G | dpl(3), 0xfc3ff, "flat, of ring 3"),
    (0, 0xfffff, DATA1 & ~dpl(3) | dpl(2) | G, 0xfc3ff, "flat, of ring 2"),
    (0, 0xfc3ff, DATA1 | G, KEEP, "ends at the fence"),
    (0, 0xfc400, DATA1 | G, 0xfc3ff, "a page too long"),
    (0, 0xfc3fe, DATA1 | G, KEEP, "a page shorter"),
    (0x1000, 0xfc3ff, DATA1 | G, 0xfc3fe, "the base moves the end"),
    (0xfff, 0xfffff, DATA1 | G, 0xfc3fe, "its end lies inside a page: cut there, inwards"),
    (0x40000000, 0xfffff, DATA1 | G, 0xbc3ff, "over the top and from 0 on: cut at the fence first"),
    (0xfc3ff000, 0, DATA1 | G, KEEP, "the last page"),
    (0xfc3ff000, 1, DATA1 | G, 0, "two pages, the second behind the fence"),
    (0xfc400000, 0, DATA1 | G, REFUSE, "begins at the fence"),
    (0xfffff000, 0xfffff, DATA1 | G, REFUSE, "begins far above it, goes over the top"),
    (0xfc3fffff, 0, DATA1, KEEP, "one byte, the last below the fence"),
    (0xfc3fffff, 1, DATA1, REFUSE, "one byte more: the limit is the last offset, not a length"),
    (0xfc3f0000, 0xffff, DATA1, KEEP, "bytes up to the fence"),
    (0xfc3f0001, 0xffff, DATA1, REFUSE, "bytes to the fence's first"),
    (0xffffffff, 0, DATA1, REFUSE, "the last byte of all"),
    (0xfff00001, 0xfffff, DATA1, REFUSE, "bytes over the top: its last one lies at 0"),
    (0, 0, DATA1 & ~dpl(3), REFUSE, "data of ring 0"),
    (0, 0, CODE1 & ~dpl(3), REFUSE, "code of ring 0"),
    (0, 0, CODE1 & ~dpl(3) | CONFORMING, REFUSE, "conforming code of ring 0: everybody may jump there"),
    (0, 0, CODE1 | CONFORMING, KEEP, "conforming code of ring 1"),
    (0, 0xfffff, CODE1 | CONFORMING | G, 0xfc3ff, "conforming is the bit of expand-down, and is not"),
    (0, 0xfffff, CODE1 & ~READABLE | G, 0xfc3ff, "code that can only be executed"),
    (0xe008, 0, 0xc | dpl(3) | PRESENT, REFUSE, "a call gate of ring 3"),
    (0xe008, 0, 0xc | dpl(1) | PRESENT, REFUSE, "a call gate of ring 1"),
    (0, 0xfff, 0x2 | dpl(3) | PRESENT, REFUSE, "an LDT"),
    (0, 0x67, 0x9 | dpl(3) | PRESENT, REFUSE, "a task"),
    (0xe008, 0, 0xe | dpl(3) | PRESENT, REFUSE, "an interrupt gate"),
    (0, 0, 0, KEEP, "nothing"),
    (0xffffffff, 0xfffff, 0xf07f, KEEP, "absent, whatever else it says"),
    (0xffffffff, 0xfffff, 0xc & ~PRESENT, KEEP, "an absent gate"),
    (0, 0xfffff, DN | G, KEEP, "expand-down and empty: no offset lies above 4 GiB - 1"),
    (0, 0xfc3ff, DN | G, REFUSE, "expand-down: exactly the hypervisor"),
    (0, 0xffffe, DN | G, REFUSE, "expand-down: the last page of all"),
    (0, 0, DN | G, REFUSE, "expand-down: all but a page"),
    (0x10000000, 0xeffff, DN | G, KEEP, "expand-down: the 256 MiB below the base"),
    (0x10000000, 0xefffe, DN | G, REFUSE, "a page more: over the hypervisor and through 0"),
    (0xfc400000, 0xffffe, DN | G, KEEP, "expand-down: its last byte lies below the fence"),
    (0xfc400001, 0xffffe, DN | G, REFUSE, "and one further"),
    (0, 0, D16 | G, KEEP, "16-bit expand-down: 4 KiB to 64 KiB"),
    (0xfc3f0000, 0, D16 | G, KEEP, "16-bit, ends with the last byte below the fence"),
    (0xfc3f0001, 0, D16, REFUSE, "a byte further"),
    (0xffff0000, 0xffff, D16, KEEP, "16-bit and empty"),
    (0xfffff000, 0xfff, D16, KEEP, "16-bit: all of it lies from 0 on"),
    (0xfffff000, 0xffe, D16, REFUSE, "16-bit: a byte of it does not"),
)


def inputs(rng: Random) -> dict:
    return {"rows": rng.sample(ROWS, len(ROWS))}


def encode(given: dict) -> bytes:
    made = [make(*row[:3]) for row in given["rows"]]
    return model.observe.encode([(d.low, d.high) for d in made])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, (base, limit, bits, want, why) in enumerate(given["rows"]):
        o = seen.one("fit", i)
        d, got = make(base, limit, bits), Descriptor(o.low, o.high)
        if (want == REFUSE) != model.must_refuse(d):
            raise ValueError(f"the row '{why}' and the model differ")
        if fault := model.wrong(d, o.answer != 0, got):
            yield Finding(EXERCISE, f"{why} (base {base:#x}, limit {limit:#x}, bits {bits:#x})",
                          want if isinstance(want, str) else f"cut to {want:#x} pages and one", fault[1])
