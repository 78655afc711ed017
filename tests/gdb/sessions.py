# SPDX-License-Identifier: MIT
"""Scripted sessions of GDB: what each order printed, by order. A session that hangs is a failure."""

import os
import signal
import subprocess
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARK = "--order--"

SCRIPT = """\
python
import gdb
for order in {orders!r}:
    print({mark!r}, flush=True)
    try:
        gdb.execute(order)
    except gdb.error as error:
        print("error:", error, flush=True)
print({mark!r}, flush=True)
end
"""


@dataclass(frozen=True)
class Session:
    """What a session printed: before its first order, and for each of them."""

    status: int
    before: str
    said: tuple[str, ...]
    whole: str

    def __getitem__(self, number: int) -> str:
        return self.said[number]


def needs_lab(number: int):
    """For a test of what is not there before that lab."""
    return unittest.skipUnless(list(ROOT.glob(f"labs/lab{number}-*")), f"lab {number} is not in this tree")


def debug(lab: int, test: str, *orders: str, seed: str = "1", reverse: bool = False, more: tuple[str, ...] = (),
          tree: Path = ROOT, seconds: float = 90.0) -> Session:
    """A lab's test under GDB, from the hypervisor's first instruction on. AssertionError if it is not over in time."""
    words = ["--lab", str(lab), "--test", test, "--seed", seed, *(["--reverse"] if reverse else []), *more]
    return _session([str(tree / "tools/debug"), *words], orders, tree, seconds)


def system(*orders: str, more: tuple[str, ...] = ("--guest=mini",), tree: Path = ROOT, seconds: float = 90.0) -> Session:
    """The system of `make run` under GDB."""
    return _session([str(tree / "tools/run"), "--gdb", *more], orders, tree, seconds)


def _session(words: list[str], orders: tuple[str, ...], tree: Path, seconds: float) -> Session:
    with tempfile.NamedTemporaryFile("w", suffix=".gdb") as script:
        script.write(SCRIPT.format(orders=list(orders), mark=MARK))
        script.flush()
        process = subprocess.Popen([*words, "--script", script.name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, cwd=tree, start_new_session=True)  # fmt: skip
        try:
            out = process.communicate(timeout=seconds)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            out = process.communicate()[0].decode(errors="replace")
            raise AssertionError(f"the session hangs: not over after {seconds:.0f} s; it printed last:\n{out[-2000:]}") from None
    before, *said = out.split(MARK + "\n")
    if len(said) != len(orders) + 1:
        raise AssertionError(f"the session broke off (status {process.returncode}); it printed:\n{out[-3000:]}")
    return Session(process.returncode, before, tuple(said[:-1]), out)
