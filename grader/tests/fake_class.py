#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""grade-class with a grader that is a fake: what a submission says in its marks.txt is how its tests end.

A line `refs passed` or `types failed` there is a test's end; `flush infra` breaks the machinery, `raise` the grader itself,
`types breaks` the emulator, and `wait 0.2` takes that long; `die FILE` ends the process once, and leaves FILE.
$FAKE_LOG, if it is set, gets a line for each begin and end.
"""

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from atelier_grader import classcli, classtable, result
from atelier_grader.classrun import digest
from atelier_grader.result import Result
from tests import samples

NAMES = {test.name: test for test in (samples.PASSED, samples.FAILED, samples.HIDDEN, samples.WAITING, samples.BROKEN, samples.ABSENT)}
FAILURES = {result.PASSED: "", result.FAILED: "wrong observation", result.WAITS: "did not boot", result.INFRA: "INFRA", result.NOT_RUN: ""}


def marks(path: Path) -> str:
    return (path / "marks.txt").read_text() if path.is_dir() else path.read_text()


def say(text: str) -> None:
    if os.environ.get("FAKE_LOG"):
        log = os.open(os.environ["FAKE_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, f"{text}\n".encode())
        os.close(log)


def grade(path: Path) -> Result:
    say(f"begin {path.name}")
    tests = []
    for line in marks(path).splitlines():
        name, *rest = line.split()
        if name == "raise":
            raise ZeroDivisionError(f"in /tmp/grader\n{path.name}")
        if name == "wait":
            time.sleep(float(rest[0]))
        elif name == "die" and not Path(rest[0]).exists():
            Path(rest[0]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        elif name == "refuse":
            return replace(samples.REFUSED, submission=replace(samples.REFUSED.submission, name=path.name))
        elif name in NAMES:
            status = result.FAILED if rest[0] == "breaks" else rest[0]
            score = None if status in (result.INFRA, result.NOT_RUN) else NAMES[name].points if status == result.PASSED else 0
            failure = "crashed the emulator" if rest[0] == "breaks" else FAILURES[status]
            tests.append(replace(NAMES[name], failure=failure, status=status, score=score, instructions=1000 * NAMES[name].points))
    made = samples.make(tuple(tests), path.name)
    say(f"end {path.name}")
    return replace(made, submission=replace(made.submission, digest=digest(path)))


def take(path: Path, lab: object) -> dict[str, bytes]:
    file = path / "src/frame.c"
    return {"src/frame.c": file.read_bytes()} if file.exists() else {}


if __name__ == "__main__":
    classtable.draw = lambda *given: []  # plots take longer than all the rest
    sys.exit(classcli.main(root=Path(os.environ["FAKE_ROOT"]), grader=grade, take=take, program=Path(__file__)))
