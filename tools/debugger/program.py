# SPDX-License-Identifier: MIT
"""A test of the host under GDB: the hypervisor's deciding code in a program of this machine, with the input that it is graded with."""

import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

from atelier_grader import trial

from .machine import Failure


def debug(program: Path, asked: trial.Asked, place: Path, script: str) -> int:
    """Stops it at main(), for a person or with a script of orders. GDB's status."""
    if not shutil.which("gdb"):
        raise Failure("GDB is missing: run `make deps`, or install gdb")
    if not program.exists():
        raise Failure(f"{program} is not there: build it first (`make {program.name}`)")
    (place / "input").write_bytes(asked.told)
    words = [
        "gdb", "-nx", "-q", *(["-batch"] if script else []), "-iex", "set auto-load no", "-iex", "set pagination off",
        "-ex", "tbreak main", "-ex", f"run {shlex.join(asked.words())} < {place}/input > {place}/pages",
        *(["-x", script] if script else []), str(program),
    ]  # fmt: skip
    if not script:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is GDB's
    return subprocess.run(words, check=False, env={**os.environ, **trial.HOST_ENVIRONMENT}).returncode
