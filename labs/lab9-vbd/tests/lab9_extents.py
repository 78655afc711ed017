# SPDX-License-Identifier: MIT
"""What the judges of lab 9's tables share: steps on a few of them, and what each must answer, sector by sector."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

ADD, REMOVE, RESOLVE, CONFLICT = range(4)
READ, WRITE, SHARED = 1, 2, 4
EXTENTS = 16  # of a table
LIMIT = (1 << 32) - 1  # no end lies behind it
UNTOUCHED = 0xeeeeeeee


@dataclass(frozen=True)
class Extent:
    disk: int
    first: int
    count: int
    rights: int


@dataclass(frozen=True)
class Step:
    """@runs: what must come out, neighbours on the disk as one; None: nothing comes out."""

    text: str
    answer: int | None  # None: any number that is not negative
    end: int
    runs: list[tuple[int, int, int]] | None = None


def join(runs: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Runs on a disk that lie side by side may be given as one or as several."""
    out: list[tuple[int, int, int]] = []
    for disk, first, count in runs:
        if out and out[-1][0] == disk and out[-1][1] + out[-1][2] == first:
            out[-1] = (disk, out[-1][1], out[-1][2] + count)
        else:
            out.append((disk, first, count))
    return out


@dataclass
class Script:
    words: list[int] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    tables: list[list[Extent]] = field(default_factory=lambda: [[], [], [], []])

    def end(self, table: int) -> int:
        return sum(e.count for e in self.tables[table])

    def _add(self, table: int, step: Step, *words: int) -> None:
        self.words += (words[0], table, *words[1:])
        self.steps.append(step)

    def add(self, table: int, e: Extent) -> bool:
        answer = 0
        if e.count == 0 or e.first + e.count > LIMIT or self.end(table) + e.count > LIMIT:
            answer = -errno.EINVAL
        elif e.rights & ~7 or not e.rights & 3:
            answer = -errno.EINVAL
        elif len(self.tables[table]) == EXTENTS:
            answer = -errno.ENOSPC
        else:
            self.tables[table].append(e)
        self._add(table, Step(f"table {table}: add {e}", answer, self.end(table)), ADD, e.disk, e.first, e.count, e.rights)
        return not answer

    def remove(self, table: int) -> None:
        answer = 0 if self.tables[table] else -errno.ENODEV
        self.tables[table] = self.tables[table][:-1]
        self._add(table, Step(f"table {table}: remove", answer, self.end(table)), REMOVE)

    def conflict(self, table: int, e: Extent) -> None:
        answer = any(mine.disk == e.disk and mine.first < e.first + e.count and e.first < mine.first + mine.count and
                     ((mine.rights & WRITE and not e.rights & SHARED) or (e.rights & WRITE and not mine.rights & SHARED))
                     for mine in self.tables[table])
        self._add(table, Step(f"table {table}: does {e} stand against it", int(answer), self.end(table)),
                  CONFLICT, e.disk, e.first, e.count, e.rights)

    def _walk(self, table: int, first: int, count: int, need: int, most: int) -> int | list[tuple[int, int, int]]:
        if count == 0 or first + count > LIMIT:
            return -errno.EINVAL
        runs: list[tuple[int, int, int]] = []
        at = 0
        for e in self.tables[table]:
            skip = first - at
            at += e.count
            if skip >= e.count or count == 0:
                continue
            if e.rights & need != need:
                return -errno.EACCES
            if len(runs) == most:
                return -errno.E2BIG
            take = min(e.count - skip, count)
            runs.append((e.disk, e.first + skip, take))
            first, count = first + take, count - take
        return -errno.ENXIO if count else runs

    def resolve(self, table: int, first: int, count: int, need: int, most: int = EXTENTS) -> None:
        found = self._walk(table, first, count, need, most)
        text = f"table {table}: {count} sectors from {first}, needing {need}, in {most} runs"
        step = (Step(text, found, self.end(table)) if isinstance(found, int)
                else Step(text, None, self.end(table), join(found)))
        self._add(table, step, RESOLVE, first, count, need, most)

    def encode(self) -> bytes:
        return observe.encode((len(self.steps), *self.words))


def encode(given: dict) -> bytes:
    return given["script"].encode()


def _runs(seen: Seen, key: int, answer: int) -> list[tuple[int, int, int]]:
    found = [seen.one("run", key << 8 | i) for i in range(min(answer, EXTENTS))]
    return join([(r.disk, r.first, r.count) for r in found])


def judge(exercise: str, script: Script, seen: Seen) -> Iterator[Finding]:
    """Judges up to the first step that is wrong: what follows builds on it."""
    for key, step in enumerate(script.steps):
        got = seen.one("step", key)
        if step.answer is not None and got.answer != step.answer:
            yield Finding(exercise, f"step {key}, {step.text}: the answer", step.answer, got.answer)
            return
        if step.answer is None and got.answer <= 0:
            yield Finding(exercise, f"step {key}, {step.text}: the answer", f"runs: {step.runs}", got.answer)
            return
        if got.end != step.end:
            yield Finding(exercise, f"step {key}, {step.text}: where the device ends", step.end, got.end)
            return
        if step.runs is not None and (runs := _runs(seen, key, got.answer)) != step.runs:
            yield Finding(exercise, f"step {key}, {step.text}: disk, first and count of the runs", step.runs, runs)
            return
        if step.text.endswith("runs") and seen.one("behind", key).disk not in (0, UNTOUCHED):
            yield Finding(exercise, f"step {key}, {step.text}: what lies behind the room for runs", "untouched", "written")
            return
