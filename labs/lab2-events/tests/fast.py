# SPDX-License-Identifier: MIT
"""Judges `fast`: do system calls through a fast gate leave the hypervisor alone, and come where the gate was made to lead?"""

from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen

EXERCISE = "2.5"
MARKS = True

FEW, MANY = 1, 1000
SOME = 5  # entries of the hypervisor that may come in between: a clock's, say
# By the table; by a gate; by a gate, the table being another; by a gate made anew; by the table.
RUNS = ((FEW, 0, False), (MANY, 0, False), (FEW, 0, True), (MANY, 0, True), (MANY, 0, True), (MANY, 1, True), (MANY, 1, False))


def inputs(rng: Random) -> dict:
    return {"few": FEW, "many": MANY}


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for answers in seen.all("answers"):
        if (got := (answers.table, answers.fast, answers.again)) != (0, 0, 0):
            yield Finding(EXERCISE, f"set_trap_table() and set_fast_trap(), part {answers.key}", (0, 0, 0), got)
    entered = [after.entered - before.entered for before, after in zip(outside.marks[::2], outside.marks[1::2])]
    for i, (calls, handler, fast) in enumerate(RUNS):
        run = seen.one("calls", i)
        want = (calls, 1, *((calls, 0) if handler == 0 else (0, calls)))
        if (got := (run.made, run.ended, run.first, run.second)) != want:
            yield Finding(EXERCISE, f"run {i}: calls made, came to an end, counted by either handler", want, got)
        if fast and entered[i] > entered[2] + SOME:
            yield Finding(EXERCISE, f"run {i}: entries of the hypervisor for {calls} fast calls", 0, entered[i] - entered[2])
        if not fast and calls == MANY and entered[i] < MANY:
            yield Finding(EXERCISE, f"run {i}: entries of the hypervisor for {calls} calls by the table", f"{MANY} or more",
                          entered[i])
