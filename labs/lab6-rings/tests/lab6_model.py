# SPDX-License-Identifier: MIT
"""What the judges of lab 6's host tests share: steps with rings, and what each must answer and leave (steps.h has the other half)."""

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

(REGISTER, RELEASE, PRODUCE, CLAIM, TAKE, RESPOND, THRESHOLD, MORE, SCRIBBLE, UNMAP, GIVE_UP, RETYPE, DIE, CONSOLE) = range(14)
NAMES = ("register", "release", "produce", "claim", "take", "respond", "threshold", "more", "scribble", "unmap", "give up",
         "retype", "die", "console")
PAGE, TABLE, DIRECTORY, SHARED, FOREIGN, FREE, SLOT, RAW = range(8)
SLOTS, PAGES, PORTS, DEVICES = 8, 5, 2, 2
RINGS = 3
DOMAIN_OF = (0, 0, 1)
OWN_DEVICE = 0xffffffff
FRAMES_OF_A_DOMAIN = 3 + PAGES + 1  # and the one with its windows
U32 = 1 << 32


@dataclass
class Ring:
    page: int
    port: int
    made: int
    taken: int
    answered: int
    threshold: int
    stopped: bool = False


@dataclass(frozen=True)
class Want:
    """What a step must leave: (record, field) and value."""

    text: str
    records: dict[str, dict[str, int]]


@dataclass
class Script:
    start: int = 0  # where indices begin
    words: list[int] = field(default_factory=list)
    wants: list[Want] = field(default_factory=list)
    rings: list[Ring | None] = field(default_factory=lambda: [None] * RINGS)
    stops: list[int] = field(default_factory=lambda: [0] * RINGS)
    frames_free: int = 0  # more than at the start
    given_up: set[tuple[int, int]] = field(default_factory=set)  # domain, page: free when nobody holds it
    mapped: set[tuple[int, int]] = field(default_factory=lambda: {(d, p) for d in range(2) for p in range(PAGES)})

    def _add(self, step: int, ring: int, *words: int, told: int = 0, free: int = 0, **records: dict[str, int]) -> None:
        self.words += [step, ring, *(w % U32 for w in words)]
        self.frames_free += free
        records["state"] = {"told": told, "stops": self.stops[ring], "kicks": 0, "free": self.frames_free}
        self.wants.append(Want(f"step {len(self.wants)}, {NAMES[step]} of ring {ring} {words}", records))

    def _held(self, domain: int, page: int) -> bool:
        """By a ring."""
        return any(r is not None and DOMAIN_OF[i] == domain and r.page == page for i, r in enumerate(self.rings))

    def _freed(self, domain: int, page: int) -> int:
        gone = (domain, page) in self.given_up and (domain, page) not in self.mapped and not self._held(domain, page)
        return int(gone)

    # ---- registration ----

    def register(self, ring: int, page: int, port: int) -> None:
        self.rings[ring] = Ring(page, port, self.start, self.start, self.start, self.start)
        self._add(REGISTER, ring, PAGE, page, port, OWN_DEVICE, 0, answer={"it": 0},
                  begins={"req_event": (self.start + 1) % U32, "rsp_prod": self.start, "flags": 0})

    def register_refused(self, ring: int, error: int, frame: tuple[int, int], port: int = 0, device: int = OWN_DEVICE,
                         reserved: int = 0) -> None:
        self._add(REGISTER, ring, *frame, port, device, reserved, answer={"it": -error})

    def release(self, ring: int) -> None:
        r = self.rings[ring]
        if r is None:
            self._add(RELEASE, ring, answer={"it": -errno.ENODEV})
            return
        self.stops[ring] += 1
        if r.taken != r.answered:
            self._add(RELEASE, ring, answer={"it": -errno.EAGAIN})
            return
        self.rings[ring] = None
        self._add(RELEASE, ring, free=self._freed(DOMAIN_OF[ring], r.page), answer={"it": 0})

    # ---- use ----

    def produce(self, ring: int, count: int) -> None:
        self.rings[ring].made += count
        self._add(PRODUCE, ring, count)

    def claim(self, ring: int, ahead: int) -> None:
        """The guest's index is so far ahead of what was answered."""
        r = self.rings[ring]
        r.made = r.answered + ahead
        self._add(CLAIM, ring, ahead)

    def take(self, ring: int, lie: int | None = None) -> None:
        """
        With a lie, the page changes when its index has been read, and claims so many requests.

        What was there at one look may have been copied then, all of it: so a guest lies, or takes its index back, only when all that
        it had shown was taken.
        """
        r = self.rings[ring]
        stops = not r.stopped and (r.made - r.answered) % U32 > SLOTS or (r.made - r.taken) % U32 > SLOTS
        told = 0
        if stops and not r.stopped:
            r.stopped = True
            self.stops[ring] += 1
            told = 1 << r.port
        there = not r.stopped and r.made != r.taken
        want = {"answer": -errno.EIO if r.stopped else int(there), "id": r.taken % U32 if there else 0, "whole": int(there),
                "reads": 1}
        r.taken += there
        if lie is not None:
            r.made = r.answered + lie
        self._add(TAKE, ring, int(lie is not None), lie or 0, told=told, take=want)

    def respond(self, ring: int, ids: Sequence[int]) -> None:
        r = self.rings[ring]
        r.answered += len(ids)
        if r.stopped:
            raise ValueError("answers on a stopped ring leave the page alone: there is nothing to see")
        passed = (r.answered - r.threshold) % U32 < len(ids)
        self._add(RESPOND, ring, len(ids), *ids, told=int(passed) << r.port,
                  respond={"index": r.answered % U32, "good": len(ids)})

    def threshold(self, ring: int, ahead: int) -> None:
        r = self.rings[ring]
        r.threshold = r.answered + ahead
        self._add(THRESHOLD, ring, ahead)

    def more(self, ring: int) -> None:
        """The threshold matters to a device that rests. One that is told to go on may find it as it was."""
        r = self.rings[ring]
        if r.made % U32 != r.taken % U32:
            self._add(MORE, ring, more={"yes": 1})
        else:
            self._add(MORE, ring, more={"yes": 0, "event": (r.taken + 1) % U32})

    def scribble(self, ring: int, word: int) -> None:
        self._add(SCRIBBLE, ring, word)

    def console(self, ring: int) -> int:
        """The step's number: what was heard is its caller's to judge."""
        self._add(CONSOLE, ring)
        return len(self.wants) - 1

    # ---- the page ----

    def unmap(self, ring: int, page: int) -> None:
        d = DOMAIN_OF[ring]
        self.mapped.discard((d, page))
        self._add(UNMAP, ring, page, free=self._freed(d, page), answer={"it": 0})

    def give_up(self, ring: int, page: int) -> None:
        d = DOMAIN_OF[ring]
        self.given_up.add((d, page))
        self._add(GIVE_UP, ring, page, free=self._freed(d, page))

    def retype(self, ring: int, page: int, directory: bool) -> None:
        d = DOMAIN_OF[ring]
        busy = self._held(d, page) or (d, page) in self.mapped
        self._add(RETYPE, ring, page, int(directory), answer={"it": -errno.EBUSY if busy else 0})

    def die(self, ring: int) -> None:
        """The last step of a domain: all requests of its ring that the device is at work on are answered afterwards."""
        r = self.rings[ring]
        under_way = r.taken - r.answered
        if not r.stopped:
            self.stops[ring] += 1
        d = DOMAIN_OF[ring]
        gone_before = sum(1 for domain, page in self.given_up if domain == d and self._freed(d, page))
        self._add(DIE, ring, under_way, free=FRAMES_OF_A_DOMAIN - gone_before,
                  die={"early": int(under_way == 0), "changed": 0, "gone": 1})

    def encode(self) -> bytes:
        return observe.encode((len(self.wants), *self.words))


def encode(given: dict) -> bytes:
    return given["script"].encode()


def judge(exercise: str, script: Script, seen: Seen) -> Iterator[Finding]:
    free = seen.one("start").free
    for key, want in enumerate(script.wants):
        for record, fields in want.records.items():
            got = seen.one(record, key)
            for name, value in fields.items():
                is_free = (record, name) == ("state", "free")
                it = getattr(got, name) - free if is_free else getattr(got, name)
                if it != value:
                    what = "frames that became free so far" if is_free else f"{record} {name}"
                    yield Finding(exercise, f"{want.text}: {what}", value, it)
                    return
        if wrong := bytes(seen.one("audit", key).text):
            yield Finding(exercise, f"{want.text}: the state", "sound", wrong.decode())
            return
