# SPDX-License-Identifier: MIT
"""Runs one command in a sandbox of its own (bubblewrap): it sees the system's /usr, what is mounted for it, and nothing else.

No network, no other process, an empty /tmp, no capability, nothing of the caller's environment; a limit for time, processor
time, memory, processes, and what it writes. Whatever it leaves running dies with it. What comes back is bytes, of a
size that is limited. When started by root, each sandbox is another user, whom nobody else is.

Where the kernel lets nobody make namespaces, `missing` says why; then only the limits hold, and the report says so.
"""

import functools
import itertools
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from . import seccomp
from .emulator import Infra

BUBBLEWRAP = "/usr/bin/bwrap"
PRLIMIT = "/usr/bin/prlimit"
FIRST_USER = 1_700_000_000  # where no user's number is; each sandbox takes the next
USERS = 100_000_000
CAPTURED = 1 << 20  # bytes of output that are read, of what a command wrote
LOOK = 0.2  # seconds between two looks at what it has written
FILES = 10_000  # in the folders that it may write to

SYSTEM = [
    "--unshare-user", "--unshare-all", "--disable-userns", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
    "--uid", "65534", "--gid", "65534", "--hostname", "atelier", "--ro-bind", "/usr", "/usr",
    "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib",
    "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/lib32", "/lib32",
    "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--dev", "/dev"]
PROBE = ["/usr/bin/true"]
ENVIRONMENT = {"PATH": "/usr/bin", "LC_ALL": "C", "HOME": "/tmp", "TMPDIR": "/tmp"}


@dataclass(frozen=True)
class Mount:
    """A file or folder of the host; inside, it has the same path, or `at`."""

    source: Path
    at: str = ""
    writable: bool = False


@dataclass(frozen=True)
class Limits:
    wall: float  # seconds; a stop by it says nothing about the command
    cpu: int  # seconds of each process
    memory: int  # bytes of address space of each process
    file: int  # bytes of each file
    folder: int = 1 << 30  # bytes in all that is mounted to be written to
    processes: int = 32  # threads included
    asleep: float = 0.0  # seconds in which no process of it wants a processor; 0 if that is no matter
    temporary: int = 256 << 20  # bytes in /tmp


@dataclass(frozen=True)
class Done:
    """How a command ended. What it wrote is cut off at CAPTURED bytes."""

    status: int  # as Popen's: a signal is negative
    output: bytes
    errors: bytes
    stopped: str  # "", or which limit that the sandbox watches itself was passed: "wall", "folder" or "asleep"


ENDED = "the grader was told to end"
ending = False  # the grader was told to end: nothing that runs is waited for


@functools.cache
def missing() -> str:
    """Why there are no sandboxes on this machine; "" if there are."""
    if not Path(BUBBLEWRAP).exists():
        return "bubblewrap is not installed; `tools/deps grade` does it"
    done = _run(PROBE, [], Limits(20.0, 10, 1 << 30, 1 << 20), "/", False, None, None, {}, None, True)
    said = done.errors.decode(errors="replace").strip().split("\n")[0]
    return "" if done.status == 0 else f"bubblewrap does not work here: {said or f'status {done.status}'}"


def run(words: Sequence[str], mounts: Sequence[Mount], limits: Limits, cwd: str = "/", proc: bool = False,
        stdin: IO | None = None, stdout: IO | None = None, environment: Mapping[str, str] | None = None,
        user: int | None = None) -> Done:
    """Runs a command and waits for its end. @proc: it sees its own processes in /proc. @stdout: not captured, but written there.
    @user: new_user's, for sandboxes that write to one folder."""
    return _run(words, mounts, limits, cwd, proc, stdin, stdout, environment or {}, user, not missing())


def _run(words: Sequence[str], mounts: Sequence[Mount], limits: Limits, cwd: str, proc: bool, stdin: IO | None,
         stdout: IO | None, environment: Mapping[str, str], user: int | None, caged: bool) -> Done:
    if ending:
        raise Infra(ENDED)
    fds: list[int] = []
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            user = (new_user() if user is None else user) if caged else None
            if not all(_reachable(mount.source) for mount in mounts):
                user = None
            identity = {} if user is None else {"user": user, "group": user, "extra_groups": []}
            command = _limited(words if caged else [_outside(mounts, word) for word in words], limits, caged)
            if caged:
                command = [*_cage(mounts, limits, cwd, proc, {**ENVIRONMENT, **environment}, user, fds), *command]
            process = subprocess.Popen(
                command, stdin=stdin or subprocess.DEVNULL, stdout=stdout or output, stderr=errors, pass_fds=fds,
                start_new_session=True, umask=0o022, cwd="/" if caged else _outside(mounts, cwd),
                env={} if caged else {**ENVIRONMENT, **environment}, **identity)
        except OSError as error:
            raise Infra(f"{error.filename or 'a sandbox'}: {error.strerror}") from error
        finally:
            for fd in fds:
                os.close(fd)
        stopped = _wait(process, limits, [mount.source for mount in mounts if mount.writable])
        status = process.returncode
        if caged and 128 < status <= 128 + signal.SIGRTMAX:
            status = 128 - status
        said = _read(errors)
        if caged and status == 1 and said.startswith(b"bwrap: ") and words != PROBE:
            raise Infra(f"a sandbox did not start: {said.decode(errors='replace').strip()}")
        return Done(status, _read(output), said, stopped)


def _read(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(CAPTURED)


_users = itertools.count(os.getpid() * 64)


def new_user() -> int | None:
    """The number of a user whom nobody else is; None where we may not choose."""
    return FIRST_USER + next(_users) % USERS if os.geteuid() == 0 else None


def _limited(words: Sequence[str], limits: Limits, caged: bool) -> list[str]:
    # The number of processes is one of the user, who outside of a sandbox has others.
    processes = [f"--nproc={limits.processes}"] if caged else []
    return [PRLIMIT, f"--cpu={limits.cpu}:{limits.cpu + 2}", f"--as={limits.memory}", f"--fsize={limits.file}", "--core=0",
            "--nofile=256", "--stack=16777216", *processes, "--", *words]


def _cage(mounts: Sequence[Mount], limits: Limits, cwd: str, proc: bool, environment: Mapping[str, str],
          user: int | None, fds: list[int]) -> list[str]:
    """Bubblewrap's command line. What it is to do goes through a file: inside, its command line can be read."""
    words = [*SYSTEM, "--size", str(limits.temporary), "--tmpfs", "/tmp", "--clearenv"]
    for name, value in environment.items():
        words += ["--setenv", name, value]
    if proc:
        words += ["--proc", "/proc"]
    for mount in mounts:
        # By its number: a name could be another thing by the time that bubblewrap looks.
        fd = os.open(mount.source, os.O_PATH)
        fds.append(fd)
        if mount.writable and user is not None:
            _give(mount.source, user)
        words += ["--bind-fd" if mount.writable else "--ro-bind-fd", str(fd), mount.at or str(mount.source)]
    words += ["--remount-ro", "/", "--chdir", cwd]
    words += ["--seccomp", str(_handed(seccomp.program(), fds))]
    told = _handed(b"".join(os.fsencode(word) + b"\0" for word in words), fds)
    return [BUBBLEWRAP, "--args", str(told), "--"]


def _handed(content: bytes, fds: list[int]) -> int:
    """A descriptor that bubblewrap reads this from."""
    fd = os.memfd_create("handed", 0)
    fds.append(fd)
    os.write(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def open_to_all(folder: Path) -> None:
    """Lets every user read what a sandbox is to see, whatever our umask is."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))


def _reachable(path: Path) -> bool:
    """Whether every user can get to it. If not (a tree under /root, say), a sandbox of root's stays root's, without its powers."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _give(folder: Path, user: int) -> None:
    """Makes a folder and all in it the sandbox's user's."""
    for path in (folder, *folder.rglob("*")):
        if path.lstat().st_uid != user:
            os.chown(path, user, user, follow_symlinks=False)


def _outside(mounts: Sequence[Mount], path: str) -> str:
    """A program or working directory, where nothing is mounted anywhere."""
    return next((str(mount.source) for mount in mounts if mount.at == path), path)


def _wait(process: subprocess.Popen, limits: Limits, folders: list[Path]) -> str:
    """Until the end, which may be ours; then nothing of it runs any more."""
    deadline = time.monotonic() + limits.wall
    looks = 0
    end = os.pidfd_open(process.pid)
    try:
        while not select.select([end], [], [], min(LOOK, max(deadline - time.monotonic(), 0.0)))[0]:
            if ending:
                raise Infra(ENDED)
            if time.monotonic() >= deadline:
                return "wall"
            if any(_too_full(folder, limits.folder) for folder in folders):
                return "folder"
            looks = looks + 1 if limits.asleep and _sleeps(process.pid) else 0
            if limits.asleep and looks >= limits.asleep / LOOK:
                return "asleep"
    finally:
        os.close(end)
        # Without a PID namespace that dies with its first process, its process group is what we know.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    return "folder" if any(_too_full(folder, limits.folder) for folder in folders) else ""


def _sleeps(pid: int) -> bool:
    """Whether no thread of a process and its children runs, is about to, or waits for a disk."""
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            if (task / "stat").read_text().rpartition(")")[2].split()[0] in "RD":
                return False
            if not all(_sleeps(int(child)) for child in (task / "children").read_text().split()):
                return False
    except OSError:
        return False  # one of them has just ended, or this cannot be told here
    return True


def _too_full(folder: Path, limit: int) -> bool:
    size = files = 0
    for top, _, names in os.walk(folder):
        files += len(names) + 1
        for name in names:
            try:
                size += os.lstat(os.path.join(top, name)).st_blocks * 512
            except FileNotFoundError:
                continue
        if size > limit or files > FILES:
            return True
    return False
