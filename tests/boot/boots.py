# SPDX-License-Identifier: MIT
"""What the tests of whole systems share: a command of the project, Linux on a drive of a test's own, and saying what was wrong."""

import base64
import os
import re
import signal
import subprocess
import tempfile
import threading
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


# What a person types, and what must have been printed first: bytes that nobody awaits yet are lost on a serial line.
Typed = tuple[tuple[str, str], ...]

PROMPT = "# "  # of a root shell


def _converse(process: subprocess.Popen, typed: Typed) -> bytes:
    """Types each text once its cue has come, looking behind the one before; answers all that was printed."""
    seen, at, waiting = b"", 0, list(typed)
    while True:
        while waiting and (found := seen.find(waiting[0][0].encode(), at)) >= 0:
            cue, text = waiting.pop(0)
            at = found + len(cue)
            process.stdin.write(text.encode())
            process.stdin.flush()
        chunk = os.read(process.stdout.fileno(), 65536)
        if not chunk:
            return seen
        seen += chunk


def run(*words: str, typed: Typed = (), seconds: int = 180, path: str | None = None) -> Done:
    """Runs a command at the root of the tree. @path is its PATH."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    if path is not None:
        environment["PATH"] = path
    with tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, cwd=ROOT, env=environment,
            start_new_session=True,
        )  # fmt: skip
        overdue = threading.Event()
        clock = threading.Timer(seconds, lambda: (overdue.set(), os.killpg(process.pid, 15)))
        clock.start()
        try:
            out = _converse(process, typed)
        except BrokenPipeError:  # it ended before it was told
            out = process.stdout.read()
        status = process.wait()
        clock.cancel()
        err.seek(0)
        done = Done(status, out.decode(errors="replace"), err.read().decode(errors="replace"))
    if overdue.is_set():
        raise AssertionError(f"{' '.join(words)}: not over after {seconds} s; {tail(done.whole())}")
    return done


def make_run(*words: str, typed: Typed = (), seconds: int = 180) -> Done:
    """`make run` with these variables; without a disk unless they name one, for there is one, and one run has it."""
    disk = [] if any(word.startswith("DISK=") for word in words) else ["DISK=none"]
    return run("make", "run", *disk, *words, typed=typed, seconds=seconds)


def does(command: str) -> str:
    """The word of Linux's command line that has it execute @command."""
    return f"atelier.cmd={base64.b64encode(command.encode()).decode()}"


def start_linux(folder: Path, drive: str, initramfs: str, command: str, memory: int = 128, options: str = "") -> subprocess.Popen:
    """Starts a QEMU in @folder whose domain 0 executes @command, with a drive that `make run` has not: in -drive's words."""
    (folder / "vmlinux").symlink_to(ROOT / "build/linux/vmlinux")
    (folder / "initrd").symlink_to(ROOT / f"build/initramfs/{initramfs}.cpio.lz4")
    words = f"console=hvc0 quiet TERM=dumb {does(command)}"
    return subprocess.Popen(
        ["qemu-system-i386", "-M", "pc", "-cpu", "pentium3", "-m", str(memory), "-nodefaults", "-display", "none", "-no-reboot",
         "-serial", "file:console", "-drive", f"{drive},if=ide,format=raw",
         "-kernel", ROOT / "build/atelier.elf", "-append", f"console=com1 {options}", "-initrd", f"vmlinux {words},initrd"],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(folder / "messages").open("wb"),
        start_new_session=True)  # fmt: skip


def end(process: subprocess.Popen) -> None:
    """Ends what start_linux() started, if it runs still."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def console(folder: Path) -> str:
    """What the machine that start_linux() started there has printed so far."""
    file = folder / "console"
    return file.read_text(errors="replace").replace("\r", "") if file.exists() else ""


def messages(folder: Path) -> str:
    """What the QEMU that start_linux() started there has to say about itself."""
    return (folder / "messages").read_text(errors="replace")


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
