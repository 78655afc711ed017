# SPDX-License-Identifier: MIT
"""A machine in QEMU for GDB: alive, or recorded first and then replayed, when GDB can go backwards in it.

What QEMU needs for that (measured on Debian 12's 7.2): software emulation, one processor, instructions counted; no local-APIC
ROM (without which a replay hangs sooner or later); a qcow2 disk that takes the snapshot that going backwards starts from.
Everything of a session lies in one private folder: no port of the network, no fixed name.
"""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from atelier_grader.qemu import Monitor

ROOT = Path(__file__).resolve().parent.parent.parent
QEMU = "/usr/libexec/qemu-system-i386"  # the program itself: /usr/bin's is a shell script of Debian's around it

CONSOLE, SOCKET, MONITOR, LOG, RECORDING, SNAPSHOTS, SESSION = "console", "gdb", "monitor", "log", "recording", "snapshots", "session"
COUNTED = "shift=0"  # a nanosecond an instruction, as graded
MARGIN = 64  # instructions that are recorded behind the end, so that there is something to step into
START_SECONDS, QUIT_SECONDS, LOOK_SECONDS, SHOW_SECONDS = 20, 30, 1.0, 5.0
IDLE_LOOKS = 5  # without an instruction between them: the machine sleeps for ever
CLUSTER = 65536


class Failure(Exception):
    """Something a person can put right; the text is one line, with the remedy."""


@dataclass(frozen=True)
class Target:
    """What is debugged."""

    words: tuple[str, ...]  # QEMU's, to be run in the folder; without com1, the clock, and the debugger
    hypervisor: Path  # with symbols
    kernels: tuple[Path, ...]  # what domains may run: where their symbols are
    entry: int  # real address of the first instruction
    end: int  # address of machine_stop()
    budget: int = 0  # instructions to be recorded at most; 0: as many as there are in `seconds`
    seconds: float = 600.0
    finding: str = ""  # what the grader says of the same run
    sources: tuple[str, ...] = ()  # where the hypervisor was compiled, and where that is now
    inherited: tuple[int, ...] = field(default=())


@contextmanager
def folder() -> Iterator[Path]:
    """A session's folder. Its name is short: a socket's path has 107 characters at most."""
    with tempfile.TemporaryDirectory(prefix="atelier-gdb-") as name:
        yield Path(name)


def debug(target: Target, place: Path, reverse: bool, script: str = "", out: IO | None = None, seconds: float | None = None) -> int:
    """Starts the machine, in its folder, and GDB on it, for a person or with a script of its orders. GDB's status.

    @out: what GDB prints goes there; @seconds: as long as it may take, after which subprocess.TimeoutExpired."""
    if not shutil.which("gdb"):
        raise Failure("GDB is missing: run `make deps`, or install gdb")
    with started(target, place, reverse):
        if not script and not reverse:
            terminal = _monitor(place / MONITOR).call("query-chardev")
            name = next(one["filename"].removeprefix("pty:") for one in terminal if one["label"] == "com1")
            print(f"the console is {name}: `screen {name}` in another terminal types into it", flush=True)
        return _gdb(target, place, script, out, seconds)


@contextmanager
def started(target: Target, place: Path, reverse: bool) -> Iterator[subprocess.Popen]:
    """The machine, in its folder, stopped at its reset, recorded first if it is to go backwards; and what GDB is to know of it."""
    if reverse:
        end = record(target, place)
        how = _rewound("replay")
    else:
        end, how = 0, LIVE
    told = {"replay": reverse, "end": end, "finding": target.finding, "entry": target.entry,
            "kernels": [str(kernel) for kernel in target.kernels]}  # fmt: skip
    with _machine(target, place, how) as process:
        (place / SESSION).write_text(json.dumps(told))
        yield process


# Time goes on while GDB has stopped the machine, unless it is counted; and where it sleeps is where it would (no sleep=off).
LIVE = ["-icount", f"{COUNTED},sleep=on", "-chardev", f"pty,id=com1,logfile={CONSOLE}", "-serial", "chardev:com1"]


def _rewound(how: str) -> list[str]:
    """The clock of a recording, its console, and the disk for its snapshot."""
    return ["-icount", f"{COUNTED},sleep=off,rr={how},rrfile={RECORDING},rrsnapshot=start", "-serial", f"file:{CONSOLE}",
            "-drive", f"file={SNAPSHOTS},if=none,id=snapshots"]  # fmt: skip


@contextmanager
def _machine(target: Target, place: Path, more: Sequence[str]) -> Iterator[subprocess.Popen]:
    """QEMU, stopped at its reset, with GDB's and the monitor's sockets."""
    for name in (SOCKET, MONITOR):
        (place / name).unlink(missing_ok=True)
    words = [
        QEMU if Path(QEMU).exists() else "qemu-system-i386", *target.words, *more, "-S",
        "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",  # it runs anybody's code
        "-gdb", f"unix:path={SOCKET},server=on,wait=off", "-qmp", f"unix:{MONITOR},server=on,wait=off",
    ]  # fmt: skip
    with (place / LOG).open("wb") as log:
        try:
            process = subprocess.Popen(words, cwd=place, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True, pass_fds=target.inherited)  # fmt: skip
        except OSError as error:
            raise Failure(f"QEMU could not be started: {error.strerror}: run `make deps`, or install qemu-system-x86") from error
    try:
        _until(process, place, lambda: (place / SOCKET).exists() and (place / MONITOR).exists())
        yield process
    finally:
        process.kill()  # SIGTERM does not end one that hangs in a replay
        process.wait()


def _until(process: subprocess.Popen, place: Path, ready) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None:
            raise Failure(f"QEMU did not start: {_last_words(place / LOG)}")
        if time.monotonic() > deadline:
            raise Failure(f"QEMU did not start within {START_SECONDS} s")
        time.sleep(0.02)


def _last_words(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] if log.exists() else []
    return lines[-1] if lines else "it said nothing"


# ---- GDB ----

def _gdb(target: Target, place: Path, script: str, out: IO | None, seconds: float | None) -> int:
    batch = ["-batch", "-iex", "set confirm off"] if script else []
    moved = ["-iex", "set substitute-path {} {}".format(*target.sources)] if target.sources else []
    words = [
        "gdb", "-nx", "-q", *batch, "-iex", "set auto-load no", *moved, str(target.hypervisor),
        "-ex", f"source {ROOT}/tools/gdb/init.py", "-ex", f"python import atl.session; atl.session.begin('{place / SESSION}')",
        *(["-x", script] if script else []),
    ]  # fmt: skip
    if not script:
        print(f"what it says is in {place / CONSOLE}; `help atl` lists the commands; `quit` ends the machine too", flush=True)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is GDB's
    told = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(words, check=False, cwd=ROOT, env=told, stdout=out, stderr=out, timeout=seconds).returncode


# ---- recording ----

def record(target: Target, place: Path) -> int:
    """Runs the machine to its end, as it is graded, and writes down what it cannot compute again. How many instructions that were.

    The end is where the hypervisor stops the machine, found by a breakpoint, and not its stopping: of a power-off QEMU writes
    down the moment in which it was noticed, and a replay would end too early.
    """
    _empty_qcow2(place / SNAPSHOTS)
    with _machine(target, place, _rewound("record")) as process:
        monitor, stub = _monitor(place / MONITOR), Stub(place / SOCKET)
        stub.ask(f"Z1,{target.end:x},1")
        stub.send("c")
        if sys.stdout.isatty():
            print("records the run to its end, or to Ctrl-C", flush=True)
        if _watch(target, monitor, stub):
            for _ in range(MARGIN):
                stub.ask("s")
        end = monitor.call("query-replay")["icount"]
        monitor.call("quit")
        try:
            process.wait(QUIT_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure("QEMU did not finish its recording; `make doctor` tries whether it can") from None
    return max(end - 1, 1)


def _watch(target: Target, monitor: Monitor, stub: "Stub") -> bool:
    """Waits for the end. True: at machine_stop(); false: it was reset, sleeps for ever, or has done enough."""
    deadline, shown = time.monotonic() + target.seconds, time.monotonic()
    before, idle = -1, 0
    try:
        while not stub.stopped(LOOK_SECONDS):
            now, done = time.monotonic(), monitor.call("query-replay")["icount"]
            if now - shown > SHOW_SECONDS:
                print(f"  RECORD  {done:,} instructions", flush=True)
                shown = now
            idle, before = idle + 1 if done == before else 0, done
            if now > deadline or idle == IDLE_LOOKS or (target.budget and done > target.budget):
                break
        else:
            monitor.call("query-status")
            return not any(event["event"] == "SHUTDOWN" for event in monitor.events)
    except KeyboardInterrupt:
        pass
    monitor.call("stop")
    return False


def _monitor(path: Path) -> Monitor:
    line = socket.socket(socket.AF_UNIX)
    line.connect(str(path))
    monitor = Monitor(line)
    monitor.receive(START_SECONDS)
    monitor.call("qmp_capabilities")
    return monitor


class Stub:
    """As much of GDB's protocol as a recording needs."""

    def __init__(self, path: Path):
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(str(path))
        self.got = b""

    def send(self, text: str) -> None:
        data = text.encode()
        self.line.sendall(b"$%s#%02x" % (data, sum(data) & 0xFF))

    def ask(self, text: str) -> None:
        self.send(text)
        if not self.stopped(START_SECONDS):
            raise Failure("QEMU's debugger does not answer")

    def stopped(self, seconds: float) -> bool:
        """Waits for a packet, and takes it."""
        self.line.settimeout(seconds)
        while not (b"#" in self.got and len(self.got) - self.got.index(b"#") >= 3):
            try:
                piece = self.line.recv(4096)
            except TimeoutError:
                return False
            if not piece:
                raise Failure("QEMU ended on its own")
            self.got += piece
        self.got = self.got[self.got.index(b"#") + 3:]
        self.line.sendall(b"+")
        return True


def _empty_qcow2(path: Path) -> None:
    """A disk of 1 MiB with nothing on it (the format: QEMU's docs/interop/qcow2.txt, version 2): its table of references and their
    one block, and its first table, a cluster each behind the head."""
    head = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, 1 << 20, 0, 1, 3 * CLUSTER, CLUSTER, 1, 0, 0)
    data = bytearray(4 * CLUSTER)
    data[:len(head)] = head
    struct.pack_into(">Q", data, CLUSTER, 2 * CLUSTER)
    struct.pack_into(">4H", data, 2 * CLUSTER, 1, 1, 1, 1)
    path.write_bytes(data)
