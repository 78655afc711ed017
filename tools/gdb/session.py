# SPDX-License-Identifier: MIT
"""One session of `make gdb`: tools/debugger has started the machine, and says in a file what GDB is to know of it.

With a recording the machine's own clock is its count of instructions, and the emulator's monitor tells and takes it.
"""

import json
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import gdb

sys.path.append(str(Path(__file__).resolve().parents[2] / "grader"))

from atelier_grader.qemu import Monitor  # noqa: E402

from .command import Failure, say


@dataclass(frozen=True)
class Session:
    folder: Path
    replay: bool
    end: int  # instructions that were recorded
    finding: str  # what the grader said of the same run
    kernels: tuple[str, ...]  # files that domains may run


current: Session | None = None
_monitor: Monitor | None = None
_over = False  # a machine that is alive has come to its end


class _End(gdb.Breakpoint):
    """Before the machine stops, GDB does: there is nothing to look at afterwards."""

    def __init__(self) -> None:
        super().__init__("machine_stop", gdb.BP_HARDWARE_BREAKPOINT, internal=True)
        self.silent = True

    def stop(self) -> bool:
        global _over
        _over = not current.replay
        say("the machine is about to stop" + (": the end of the recording" if current.replay else ""))
        return True


def begin(path: str) -> None:
    """Attaches to the machine, and goes to the hypervisor's first instruction; ends GDB if that cannot be."""
    try:
        connect(path)
        gdb.execute("continue", to_string=True)
    except (gdb.error, OSError, ValueError, KeyError) as error:
        say(f"gdb: {error}")
        gdb.execute("quit 98")


def connect(path: str) -> None:
    """Attaches to the machine at its reset, to be stopped at the hypervisor's first instruction."""
    global current, _monitor
    told = json.loads(Path(path).read_text())
    folder = Path(path).parent
    current = Session(folder, told["replay"], told["end"], told["finding"], tuple(told["kernels"]))
    for words_ in ("set architecture i386", "set pagination off", "set print pretty on", "set tcp auto-retry off",
                   f"target remote {folder}/gdb"):
        gdb.execute(words_, to_string=True)
    if current.replay:
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(folder / "monitor"))
        _monitor = Monitor(line)
        _monitor.receive(20.0)
        _monitor.call("qmp_capabilities")
        gdb.events.stop.connect(_guard)
        _guard(None)
    _fence()
    _End()
    gdb.execute(f"thbreak *{told['entry']:#x}", to_string=True)


def _guard(_event: object) -> None:
    """A recording ends with its last instruction, and QEMU with it, if one goes on: so it always stops there."""
    if _monitor is not None and position() < current.end:
        _monitor.call("replay-break", icount=current.end)


class _NoFurther(gdb.Command):
    """Keeps orders that go forwards from going behind the end, where QEMU would end, or GDB wait for it for ever."""

    def __init__(self) -> None:
        super().__init__("atl-no-further", gdb.COMMAND_OBSCURE)

    def invoke(self, _arguments: str, _from_tty: bool) -> None:
        if _over:
            raise gdb.GdbError("the machine is about to stop, and stays so: look around, then `quit`")
        if _monitor is None or "everse" in gdb.execute("show exec-direction", to_string=True):
            return
        if position() >= current.end:
            raise gdb.GdbError("the recording is over: from here only reverse-continue, reverse-stepi and their like lead on")


def _fence() -> None:
    _NoFurther()
    for order in ("continue", "stepi", "step", "nexti", "next", "finish", "until", "advance"):
        gdb.execute(f"define hook-{order}\natl-no-further\nend", to_string=True)


def position() -> int:
    """How many instructions have been executed, of a recording."""
    if _monitor is None:
        raise Failure("only a recording knows its instructions: make gdb REVERSE=1")
    return _monitor.call("query-replay")["icount"]


def stop_at(instruction: int) -> None:
    """The machine will stop there when it goes forwards, instead of at the end of the recording; once."""
    position()
    _monitor.call("replay-break", icount=instruction)
