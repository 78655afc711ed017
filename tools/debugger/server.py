# SPDX-License-Identifier: MIT
"""A machine that waits for a GDB that somebody else starts, an editor mostly: `atl attach` there takes it over.

It lies in the tree, at build/gdb: one at a time, and nobody has to be told where.
"""

import fcntl
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import machine
from .machine import ROOT, Failure, Target

PLACE = ROOT / "build/gdb"
ALIVE = "alive"
LOOK_SECONDS = 0.5


@contextmanager
def folder() -> Iterator[Path]:
    """The tree's folder for it, emptied."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure("a machine of this tree waits already: end that one first (Ctrl-C where `make gdb-server` was said)") from None
        try:
            _empty()
            yield PLACE
        finally:
            _empty()


def _empty() -> None:
    for path in PLACE.iterdir():
        if path.name not in ("lock", machine.CONSOLE):
            path.unlink()


def serve(target: Target, place: Path, reverse: bool) -> int:
    """Starts the machine, in its folder, and keeps it until GDB ends, or Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    os.mkfifo(place / ALIVE)
    held = os.open(place / ALIVE, os.O_RDONLY | os.O_NONBLOCK)
    with machine.started(target, place, reverse) as process:
        print("ready: say `atl attach` in a GDB that has read tools/gdb/init.py; Ctrl-C here ends the machine", flush=True)
        _until_gdb_ends(process, held)
    return 0


def _until_gdb_ends(process: subprocess.Popen, held: int) -> None:
    """`atl attach` holds the other end of the pipe as long as its GDB lives: that this one is hung up says that it has ended."""
    ended = select.poll()
    ended.register(held, 0)
    while process.poll() is None and not ended.poll(LOOK_SECONDS * 1000):
        pass
