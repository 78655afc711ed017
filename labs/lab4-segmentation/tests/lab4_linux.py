# SPDX-License-Identifier: MIT
"""What the judges of both Linux tests share: scripts for busybox's shell and what they print; the GDT at the end.

Each is drawn with its numbers; what it prints follows from them here, by other means. None prints a thing that
depends on the time or on which process is faster.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen

import lab4_model as model

EXERCISE = "whole"


@dataclass(frozen=True)
class Script:
    what: str
    text: str
    prints: str
    status: int = 0

    def told(self) -> bytes:
        return self.text.encode() + b"\0"


def lines(values) -> str:
    return "".join(f"{value}\n" for value in values)


def words(rng: Random, count: int) -> list[str]:
    return ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randrange(3, 9))) for _ in range(count)]


def counting(rng: Random) -> Script:
    """A loop of the shell, two programs behind pipes."""
    n, a, b, m = rng.randrange(60, 100), rng.randrange(3, 1000), rng.randrange(1000), rng.randrange(1000, 9999)
    values = sorted((i * a + b) % m for i in range(n))
    text = (f"i=0; while [ $i -lt {n} ]; do echo $(( (i * {a} + {b}) % {m} )); i=$((i + 1)); done |"
            " sort -n | awk '{ s += $1 * NR } END { print s, NR }'")
    return Script("sort and awk behind a loop", text, f"{sum(v * (i + 1) for i, v in enumerate(values))} {n}\n")


def digests(rng: Random) -> Script:
    """A fork and an exec for each word."""
    chosen = words(rng, 6)
    text = f"for w in {' '.join(chosen)}; do printf %s $w | busybox md5sum | cut -c1-32; done"
    return Script("md5sum of each word", text, lines(hashlib.md5(w.encode()).hexdigest() for w in chosen))


def files(rng: Random) -> Script:
    """A file that is written, packed, unpacked, and taken apart."""
    chosen = words(rng, 200)
    content = lines(chosen).encode()
    letter = rng.choice("aeiou")
    text = (f"printf '%s\\n' {' '.join(chosen)} >/tmp/words; gzip -k /tmp/words; rm /tmp/words; gunzip /tmp/words.gz;"
            f" sha256sum </tmp/words | cut -c1-64; grep -c {letter} /tmp/words; tac /tmp/words | sed -n '7s/{letter}/-/gp;7q';"
            " [ -s /tmp/words ] && rm /tmp/words && ls /tmp | wc -l")
    seventh = chosen[-7].replace(letter, "-")
    changed = [seventh] if seventh != chosen[-7] else []
    return Script("a file, gzip, sha256sum, grep, tac and sed", text, lines(
        [hashlib.sha256(content).hexdigest(), sum(letter in w for w in chosen), *changed, 0]))


def signals(rng: Random) -> Script:
    """A shell that signals itself and is killed in the end; another that its child signals."""
    ones, twos, end = rng.randrange(5, 20), rng.randrange(5, 20), rng.choice((9, 15, 6, 14))
    text = (f"sh -c 'a=0; b=0; trap \"a=\\$((a + 1))\" USR1; trap \"b=\\$((b + 2))\" USR2; i=0;"
            f" while [ $i -lt {max(ones, twos)} ]; do i=$((i + 1));"
            f" [ $i -le {ones} ] && kill -USR1 $$; [ $i -le {twos} ] && kill -USR2 $$; done;"
            f" echo $a $b; kill -{end} $$; echo alive' 2>/dev/null; echo $?;"
            " trap 'echo heard' HUP; ( kill -HUP $$ ) & wait $!; wait; echo over")
    return Script("signals and traps", text, f"{ones} {2 * twos}\n{128 + end}\nheard\nover\n")


def nesting(rng: Random) -> Script:
    """Subshells in subshells, each with a variable of its own."""
    depth, start, step = rng.randrange(6, 12), rng.randrange(1000), rng.randrange(1, 100)
    text = (f"down() {{ [ $1 -eq 0 ] && return; ( x=$((x + {step})); down $(($1 - 1)); echo $x ); }};"
            f" x={start}; down {depth}; echo $x; exit {depth}")
    return Script("subshells in subshells", text,
                  lines([start + step * i for i in range(depth, 0, -1)] + [start]), depth)


def background(rng: Random) -> Script:
    """Children at the same time; their statuses, in an order that is the shell's."""
    statuses = [rng.randrange(1, 200) for _ in range(6)]
    text = (f"p=; for s in {' '.join(map(str, statuses))}; do ( exec sh -c \"exit $s\" ) & p=\"$p $!\"; done;"
            " for c in $p; do wait $c; echo $?; done")
    return Script("children in the background", text, lines(statuses))


def bytes_and_sums(rng: Random) -> Script:
    """Bytes of every kind through a pipe of several pages."""
    seed, count = rng.randrange(1, 1 << 15), rng.randrange(1500, 2500)
    numbers = []
    value = seed
    for _ in range(count):
        value = (value * 75 + 74) % 65537
        numbers.append(value)
    text = (f"awk 'BEGIN {{ v = {seed}; for (i = 0; i < {count}; i++) {{ v = (v * 75 + 74) % 65537; print v }} }}' |"
            " tee /tmp/numbers | crc32; wc -c </tmp/numbers; tail -n 2 /tmp/numbers; rm /tmp/numbers")
    content = lines(numbers).encode()
    return Script("a long pipe", text, lines([f"{zlib.crc32(content):08x}", len(content), *numbers[-2:]]))


ALL: tuple[Callable[[Random], Script], ...] = (counting, digests, files, signals, nesting, background, bytes_and_sums)


def scripts(rng: Random, kinds=ALL) -> list[Script]:
    drawn = [kind(rng) for kind in kinds]
    rng.shuffle(drawn)
    return drawn


def judge_scripts(given: list[Script], seen: Seen) -> Iterator[Finding]:
    for i, script in enumerate(given):
        printed, status = seen.one("printed", i).bytes.decode(errors="backslashreplace"), seen.one("left", i).status
        if printed != script.prints:
            yield Finding(EXERCISE, f"busybox, {script.what}: what it prints", *difference(script.prints, printed))
        if status != script.status << 8:
            yield Finding(EXERCISE, f"busybox, {script.what}: how it ends, as wait() tells", script.status << 8, status)


def difference(want: str, got: str) -> tuple[str, str]:
    """The first line that is not the same: wanted, got."""
    wanted, there = want.split("\n"), got.split("\n")
    for i in range(max(len(wanted), len(there))):
        pair = [part[i] if i < len(part) else "nothing more" for part in (wanted, there)]
        if pair[0] != pair[1]:
            return f"line {i + 1}: {pair[0]}", pair[1]
    return want, got


def judge_tables(outside: Outside) -> Iterator[Finding]:
    """What ring 1 and ring 3 could load at the end, from outside: what stands in the processor's tables."""
    table = descriptors(outside, outside.registers["gdt"], outside.registers["gdt_limit"])
    loaded = [d for i, d in table.items() if not reserved(i) and d.bits & model.PRESENT]
    if not loaded:
        yield Finding(EXERCISE, "Linux's own descriptors in the GDT at the end", "some", "none")
    for i, d in table.items():
        if d.bits & model.PRESENT and not (reserved(i) and model.unsafe(d)) and not model.fits(d):
            yield Finding(EXERCISE, f"descriptor {i} of the GDT at the end, of ring {d.bits >> 5 & 3}: {d} reaches",
                          f"only what is below {model.FENCE:#x}", [tuple(map(hex, run)) for run in d.runs()])


def reserved(index: int) -> bool:
    """Whether the hypervisor's own may stand there, which no guest can load if they are of ring 0."""
    return index // model.A_FRAME >= model.RESERVED_FRAME and index % model.A_FRAME < model.RESERVED_SLOTS


def descriptors(outside: Outside, base: int, limit: int) -> dict[int, model.Descriptor]:
    """A table of the processor's, read as it reads it; without what is not mapped."""
    found = {}
    for first in range(0, limit + 1, model.PAGE):
        at = outside.translate(base + first)
        if at is not None:
            page = outside.read(at, min(model.PAGE, limit + 1 - first))
            found |= {first // 8 + i: model.Descriptor(low, high)
                      for i, (low, high) in enumerate(struct.iter_unpack("<II", page))}
    return found
