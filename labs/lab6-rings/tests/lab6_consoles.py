# SPDX-License-Identifier: MIT
"""What the judges of lab 6's consoles share: domain 0's steps, what the domains write, and what must have come of it.

Domain 0 is director.c, the others talker.h.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

COLLECT, READ, TYPE, SLEEP, FREE, DESTROY, GONE = range(7)
SLOTS, SLOT_BYTES = 32, 60
TYPED_AHEAD = 256  # bytes typed that nobody has read: more are refused
TOO_MUCH = (SLOT_BYTES + 1, 0x7fff, 0x8000, 0xffff)  # counts that no slot holds


@dataclass(frozen=True)
class Talker:
    """What a domain writes: `counts` are bytes of each request, 0 for one that reads."""

    key: int
    counts: tuple[int, ...]

    @property
    def written(self) -> int:
        return sum(c for c in self.counts if c <= SLOT_BYTES)

    def text(self) -> bytes:
        return bytes(33 + ((i + self.key) * 2654435761 % 2**32 >> 24) % 94 for i in range(self.written))


@dataclass
class Script:
    """Domain 0's steps, the texts that it types, by domain, and the others' requests."""

    typed: Sequence[bytes]
    talkers: Sequence[Talker]
    steps: list[tuple[int, int, int]] = field(default_factory=list)

    def add(self, step: int, domain: int = 0, n: int = 0) -> int:
        """The step's number, which is the key of what it observes."""
        self.steps.append((step, domain, n))
        return len(self.steps) - 1

    def finish(self) -> None:
        """Hears the rest of everybody, types the rest, and waits until they are gone.

        Whoever still writes may read nothing: so all is heard before it is waited for that all is read.
        """
        for d, (typed, talker) in enumerate(zip(self.typed, self.talkers), 1):
            self.add(COLLECT, d, talker.written)
            self.add(TYPE, d, len(typed))
        for d in range(1, len(self.talkers) + 1):
            self.add(GONE, d)

    def encode(self) -> bytes:
        return observe.encode((len(self.typed), *self.typed, self.steps,
                               [(t.key, list(t.counts)) for t in self.talkers]))


def encode(given: dict) -> bytes:
    return given["script"].encode()


def text(rng: Random, length: int) -> bytes:
    """To be typed: any bytes, as they are."""
    return rng.randbytes(length)


def answers(listed: bytes, talker: Talker) -> Iterator[tuple[int, int, bytes]]:
    """(id, count, bytes read) of each answer as talker.h writes it down."""
    at = 0
    while at + 4 <= len(listed):
        number, count = int.from_bytes(listed[at:at + 2], "little"), int.from_bytes(listed[at + 2:at + 4], "little")
        reads = number >= len(talker.counts) or talker.counts[number] == 0
        data = listed[at + 4:at + 4 + min(count, SLOT_BYTES)] if reads else b""
        yield number, count, data
        at += 4 + len(data)


def _difference(want: bytes, got: bytes) -> tuple[str, str]:
    """Two texts from where they differ on, for a reader."""
    at = next((i for i, (a, b) in enumerate(zip(want, got)) if a != b), min(len(want), len(got)))
    return (f"{len(want)} bytes, {want[at:at + 12]!r} from {at} on", f"{len(got)} bytes, {got[at:at + 12]!r} from there on")


def judge_answers(exercise: str, domain: int, talker: Talker, typed: bytes, listed: bytes) -> Iterator[Finding]:
    """Each request is answered once, with what is right for it, and those that read in their order."""
    answered: set[int] = set()
    last_read, read = -1, b""
    for place, (number, count, data) in enumerate(answers(listed, talker)):
        where = f"domain {domain}, answer {place}"
        if number in answered:
            yield Finding(exercise, f"{where}: its id", "one that is not answered yet", number)
            return
        answered.add(number)
        asked = talker.counts[number] if number < len(talker.counts) else 0
        if asked == 0:
            if number < last_read:
                yield Finding(exercise, f"{where}: requests to read are answered in order, after {last_read} comes",
                              f"one after {last_read}", number)
                return
            last_read, read = number, read + data
            if not 0 < count <= SLOT_BYTES:
                yield Finding(exercise, f"{where}: bytes for request {number}, which reads", "1 to 60", count)
                return
        elif count != (asked if asked <= SLOT_BYTES else 0):
            yield Finding(exercise, f"{where}: bytes taken of request {number}, which has {asked}",
                          asked if asked <= SLOT_BYTES else 0, count)
            return
    missing = [i for i, c in enumerate(talker.counts) if c and i not in answered]
    if missing:
        yield Finding(exercise, f"domain {domain}: requests without an answer", "none", missing[:5])
    if read != typed:
        yield Finding(exercise, f"domain {domain}: what it read of what was typed", *_difference(typed, read))


def judge(exercise: str, script: Script, seen: Seen) -> Iterator[Finding]:
    for d, (typed, talker) in enumerate(zip(script.typed, script.talkers), 1):
        if answer := seen.one("open", domain=d).answer:
            yield Finding(exercise, f"domain {d}: the answer to its ring's registration", 0, answer)
            return
        heard = seen.one("heard", d).text
        if heard != talker.text():
            yield Finding(exercise, f"what domain 0 heard of domain {d}", *_difference(talker.text(), heard))
        yield from judge_answers(exercise, d, talker, typed, seen.one("answers", domain=d).list)
