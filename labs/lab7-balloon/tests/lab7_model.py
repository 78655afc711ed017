# SPDX-License-Identifier: MIT
"""What the judges of lab 7 share: steps with frames in slots, and what each must answer and leave.

memory_steps.h does them on the host; guest_steps.h in a domain of mini's, and then counts of frames are from what it had at first.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

INCREASE, DECREASE, EXCHANGE = range(3)
OPERATIONS = ("increase", "decrease", "exchange")
SLOT, FOREIGN, FREE, MACHINE, RAW = (kind << 28 for kind in range(5))
ASK, LIMIT, HOLD, LET_GO, FAIL_AFTER, LOOK, LINE = range(7)
READ, WRITE, TABLE, DIRECTORY, DOMAIN_0 = HOLDS = range(5)
OWN = 32  # frames at the start, ...
DATA = OWN - 3  # ... of which these are in slots
SLOTS = 64
MEMORY = 200  # frames of the machine
NEVER = 0xffffffff
GIVE, LIMIT_OF, SLEEP, FREE_FRAMES, HAS, GONE = range(6)  # domain 0's steps


@dataclass(frozen=True)
class Step:
    """A memory_op, and what must come of it."""

    key: int
    text: str
    answer: int
    good: int  # newcomers, each zero, owned, and in the M2P
    same: int  # entries that are as they were
    owned: int
    limit: int
    freed: int  # more frames free than at the start


@dataclass
class Script:
    words: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    count: int = 0
    full: set[int] = field(default_factory=lambda: set(range(DATA)))  # slots with a frame
    held: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)  # slots whose frame was given away, and named again it is nobody's
    owned: int = OWN
    limit: int = OWN
    left: int = NEVER  # allocations that work
    lines: list[int] = field(default_factory=list)  # steps
    looks: dict[int, int] = field(default_factory=dict)  # step and how many frames are as they were

    def _add(self, *words: int) -> None:
        self.words += words
        self.count += 1

    def set_limit(self, frames: int) -> None:
        self.limit = frames
        self._add(LIMIT, frames)

    def fail_after(self, n: int) -> None:
        self.left = n
        self._add(FAIL_AFTER, n)

    def hold(self, how: int, slot: int) -> None:
        self.held.add(slot)
        self._add(HOLD, how, slot)

    def let_go(self, how: int, slot: int) -> None:
        self.held.discard(slot)
        self._add(LET_GO, how, slot)

    def _judge(self, op: int, name: int, done: set[int]) -> int:
        """Why an entry is refused; 0: it is not."""
        if op == INCREASE:
            return 0 if self.owned < self.limit and self.left else errno.ENOMEM
        if name >= 1 << 28 or name in done:
            return errno.EINVAL
        if name in self.held:
            return errno.EBUSY
        return errno.ENOMEM if op == EXCHANGE and not self.left else 0

    def ask(self, op: int, *names: int) -> None:
        done: set[int] = set()
        error = 0
        n = 0
        for name in names:
            if error := self._judge(op, name, done):
                break
            n += 1
            done.add(name)
            self.owned += (op == INCREASE) - (op == DECREASE)
            if op != DECREASE and self.left != NEVER:
                self.left -= 1
            self.full = self.full | {name} if op != DECREASE else self.full - {name}
        text = f"{OPERATIONS[op]} of {', '.join(f'{n:#x}' for n in names)}"
        self.steps.append(Step(self.count, text, n or -error, n if op != DECREASE else 0, len(names) - n, self.owned,
                               self.limit, OWN - self.owned))
        self._add(ASK, op, len(names), *names)

    def line(self, op: int, below: int, count: int) -> None:
        """A list with so many entries below the line, where nothing is mapped, and others beyond it."""
        self.lines.append(self.count)
        self._add(LINE, op, below, count)

    def look(self) -> None:
        """At all frames: each is what it was, and where both maps have it."""
        full = sorted(self.full)
        self.looks[self.count] = len(full)
        self._add(LOOK, len(full), *full)

    def encode(self) -> bytes:
        return observe.encode((self.count, *self.words))


@dataclass
class GuestScript(Script):
    """Steps of a domain of mini's, the first `data` slots full; and what domain 0 does."""

    data: int = 0
    director: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.full = set(range(self.data))
        self.owned, self.limit = -1, 0  # it has given away the page in whose place it looks at others

    def direct(self, step: int, domain: int = 0, n: int = 0) -> int:
        self.director.append((step, domain, n))
        return len(self.director) - 1

    def encode(self) -> bytes:
        return observe.encode((self.director, self.data, self.count, *self.words))


def encode(given: dict) -> bytes:
    return given["script"].encode()


def judge(exercise: str, script: Script, seen: Seen) -> Iterator[Finding]:
    for key in script.lines:
        got = seen.one("line", key)
        if (got.answer, got.more) != (-errno.EFAULT, 0):
            yield Finding(exercise, f"step {key}, a list over the line: (answer, frames more)", (-errno.EFAULT, 0),
                          (got.answer, got.more))
    free = seen.one("start").free
    for step in script.steps:
        got = seen.one("ask", step.key)
        for name in ("answer", "good", "same", "owned", "limit"):
            if getattr(got, name) != getattr(step, name):
                yield Finding(exercise, f"step {step.key}, {step.text}: {name}", getattr(step, name), getattr(got, name))
                return
        if got.free - free != step.freed:
            yield Finding(exercise, f"step {step.key}, {step.text}: frames that became free", step.freed, got.free - free)
            return
        if wrong := bytes(seen.one("audit", step.key).text):
            yield Finding(exercise, f"step {step.key}, {step.text}: the state", "sound", wrong.decode())
            return


def judge_guest(exercise: str, script: GuestScript, seen: Seen, domain: int = 1) -> Iterator[Finding]:
    for step in script.steps:
        got = seen.one("ask", step.key, domain=domain)
        wants = {"answer": step.answer, "good": max(step.answer, 0), "same": step.same, "owned": step.owned, "limit": step.limit}
        for name, want in wants.items():
            if getattr(got, name) != want:
                yield Finding(exercise, f"step {step.key}, {step.text}: {name}", want, getattr(got, name))
                return
    for key, want in script.looks.items():
        if (good := seen.one("look", key, domain=domain).good) != want:
            yield Finding(exercise, f"step {key}: frames that are as they were, and in both maps", want, good)
