# SPDX-License-Identifier: MIT
"""What the tests of whole systems share: running a command of the project, and saying what was wrong."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CRASHED, RESET, FAILED = 97, 96, 98  # statuses of tools/run


@dataclass(frozen=True)
class Done:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    def whole(self) -> str:
        return self.out + self.err


def run(*words: str, typed: str = "", seconds: int = 180, path: str | None = None) -> Done:
    """Runs a command at the root of the tree. @typed goes to its input, @path is its PATH."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    if path is not None:
        environment["PATH"] = path
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment,
        start_new_session=True,
    )  # fmt: skip
    try:
        out, err = process.communicate(typed.encode(), timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 15)
        out, err = process.communicate()
        raise AssertionError(f"{' '.join(words)}: not over after {seconds} s; {tail(out + err)}") from None
    return Done(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


def make_run(*words: str, typed: str = "", seconds: int = 180) -> Done:
    """`make run` with these variables."""
    return run("make", "run", *words, typed=typed, seconds=seconds)


def tail(text: bytes | str) -> str:
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    return "it printed last: " + " / ".join(line.strip() for line in text.splitlines()[-4:])


def expect(condition: object, what: str, done: Done | None = None) -> None:
    """Fails the test with @what, and what the command printed last, unless @condition holds."""
    if not condition:
        raise AssertionError(what + (f" (status {done.status}; {tail(done.whole())})" if done else ""))


def refused(done: Done, *words: str) -> None:
    """A person's mistake: one line that names it, no traceback, a status that is not 0."""
    lines = [line for line in done.err.splitlines() if line.strip()]
    expect(done.status != 0, "it was not refused", done)
    expect(len(lines) == 1, f"{len(lines)} lines instead of one", done)
    for word in words:
        expect(re.search(word, lines[0]), f"the line does not say `{word}`", done)
