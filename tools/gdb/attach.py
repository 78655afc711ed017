# SPDX-License-Identifier: MIT
"""GDB in an editor's hands: `atl attach` takes over the machine of `make gdb-server`."""

import os
from pathlib import Path

from . import session
from .command import Failure, command, words

PLACE = Path(__file__).resolve().parents[2] / "build/gdb"


@command("attach")
def attach(given: list[str]) -> None:
    """Takes over the machine that `make gdb-server` has started in this tree.

    atl attach

    It stands at its reset then; `continue` leads to the hypervisor's first instruction. For an editor that starts GDB itself.
    The machine ends with this GDB."""
    words(given, "attach", 0)
    if not (PLACE / "session").exists():
        raise Failure("no machine waits in this tree: `make gdb-server LAB=3 TEST=batch` starts one")
    try:
        session.connect(min(f"{PLACE}/session", os.path.relpath(f"{PLACE}/session"), key=len))  # a socket's path has 107 characters at most
        os.open(PLACE / "alive", os.O_WRONLY)  # until GDB ends
    except OSError as error:
        raise Failure(f"the machine does not answer: {error.strerror}") from None
