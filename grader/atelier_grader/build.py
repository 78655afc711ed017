# SPDX-License-Identifier: MIT
"""Builds a submission on the pristine tree: compiles what its files change, and links, each command in a sandbox of its own.

The compiler obeys whoever wrote the source, so it sees sources that the student has as well, and nothing else: the
hidden tests are compiled before, or in other sandboxes, and the linker, which obeys nobody's source, is the first to see both.
"""

import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from . import sandbox
from .emulator import Infra
from .result import clean
from .sandbox import Done, Limits, Mount
from .tree import Base, Command

CPU = 30  # seconds of each process of the compiler
LIMITS = Limits(wall=300.0, cpu=CPU, memory=1536 << 20, file=64 << 20, folder=512 << 20, temporary=128 << 20)
PLACE = "/w"
SOURCES = ("src", "guestos", "tests")  # what any of a student's files may include


@dataclass(frozen=True)
class Built:
    """What became of a submission's build."""

    base: Base
    folder: Path
    made: frozenset[str]  # what was made again, by its name in the tree
    failed: Mapping[str, str]  # what could not be made, and why: one line

    def path(self, name: str) -> Path:
        """Where something that the tree builds lies: made of the submission, or as it was."""
        return (self.folder if name in self.made else self.base.path) / name


def build(base: Base, files: Mapping[str, bytes], folder: Path, jobs: int, targets: Sequence[str]) -> Built:
    """Builds targets with these files in the place of the tree's, in a new folder. Infra if the machinery failed."""
    changed = {name for name, content in files.items() if (base.path / name).read_bytes() != content}
    stale = _stale(base, changed, targets)
    _lay_out(base, files, changed, folder, stale)
    sandbox.open_to_all(folder)
    user = sandbox.new_user()
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=max(jobs, 1)) as pool:
        futures: dict[str, Future[None]] = {}

        def make(command: Command, before: list[Future[None]]) -> None:
            for future in before:
                future.result()
            bad = next((name for name in command.inputs if name in failed), None)
            why = failed[bad] if bad else _run(base, command, folder, user)
            if why:
                failed[command.output] = why

        for command in stale:  # what each waits for was begun before it
            before = [futures[name] for name in command.inputs if name in futures] if command.inputs else list(futures.values())
            futures[command.output] = pool.submit(make, command, before)
        for future in futures.values():
            future.result()
    return Built(base, folder, frozenset(futures), failed)


def _stale(base: Base, changed: set[str], targets: Sequence[str]) -> list[Command]:
    """What has to run for the targets, in order."""
    made = {command.output: command for command in base.commands}
    needed: set[str] = set()
    queue = list(targets)
    while queue:
        name = queue.pop()
        if name in made and name not in needed:
            needed.add(name)
            queue += made[name].inputs
    moved = set(changed)
    for command in base.commands:
        if command.output in needed and (moved.intersection(command.inputs) or not (base.path / command.output).exists()):
            moved.add(command.output)
    return [command for command in base.commands if command.output in moved]


def _lay_out(base: Base, files: Mapping[str, bytes], changed: set[str], folder: Path, stale: Sequence[Command]) -> None:
    """The tree as links to the pristine one, but for the student's files, and without what is to be made."""
    for top in SOURCES:
        for where, _, names in os.walk(base.path / top):
            inner = Path(where).relative_to(base.path)
            (folder / inner).mkdir(parents=True)
            for name in names:
                if str(inner / name) not in changed:
                    (folder / inner / name).symlink_to(base.path / inner / name)
    for name in changed:
        (folder / name).write_bytes(files[name])
    made = {command.output for command in stale}
    for name in made.union(*(command.inputs for command in stale)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name not in made and not path.exists() and not path.is_symlink():
            path.symlink_to(base.path / name)


def _run(base: Base, command: Command, folder: Path, user: int | None) -> str:
    """Runs one command; says in one line why it failed, if it did."""
    output = folder / command.output
    writable = Mount(output.parent, f"{PLACE}/{Path(command.output).parent}", True)
    seen = [Mount(base.path / top) for top in SOURCES]
    if not sees_sources_alone(command):
        seen += [Mount(base.path / "labs"), Mount(base.path / "build")]
    done = sandbox.run(["/bin/sh", "-e", "-c", command.text], [Mount(folder, PLACE), *seen, writable], LIMITS, PLACE,
                       environment={"HV_SYMBOLS": base.symbols}, user=user)
    if done.stopped == "wall":
        raise Infra(f"the wall clock ended the build of {command.output} after {LIMITS.wall:.0f} s")
    if done.status == 0 and output.is_file() and not output.is_symlink():
        return ""
    return explain(done, command, base.path)


def sees_sources_alone(command: Command) -> bool:
    """Whether it compiles what students have, for the hypervisor: then nothing else is there."""
    return (command.output.endswith(".o") and "labs" not in Path(command.output).parts
            and not any(name.startswith("build/") for name in command.inputs))


_ERROR = re.compile(r"^([\w./+-]+:\d+)(?::\d+)?: (?:fatal )?[Ee]rror: (.*)$", re.MULTILINE)
_LINKER = re.compile(r"(?:^|/)([\w.+-]+/[\w./+-]+?:\d+): ((?:undefined reference|multiple definition).*)$", re.MULTILINE)
_LOOSE = re.compile(r"((?:undefined reference to|multiple definition of|undefined symbol) .*)$", re.MULTILINE)
_FATAL = re.compile(r"^[\w<>.-]+: fatal (error): (.*)$", re.MULTILINE)
_LIMITS = (
    (r"CPU time limit exceeded|Killed", f"the compiler used {CPU} s of processor time"),
    (r"out of memory|[Vv]irtual memory exhausted|[Cc]annot allocate memory|memory exhausted",
     f"the compiler wants more than {LIMITS.memory >> 20} MiB"),
    (r"File size limit exceeded|[Ff]ile too large|No space left", f"it makes a file of more than {LIMITS.file >> 20} MiB"),
)


def explain(done: Done, command: Command, tree: Path) -> str:
    """The first error, with file and line as far as they are told; paths are those of the tree."""
    text = (done.errors + done.output).decode(errors="backslashreplace").replace(f"{PLACE}/", "").replace(f"{tree}/", "")
    source = next((name for name in command.inputs if name.endswith((".c", ".S"))), command.output)
    if done.stopped == "folder":
        return f"{source}: it makes more than {LIMITS.folder >> 20} MiB"
    for pattern, why in _LIMITS:
        if done.status in (-24, -9) or re.search(pattern, text):
            return f"{source}: {why}"
    for pattern in (_ERROR, _LINKER):
        found = pattern.search(text)
        if found:
            return clean(f"{source if found[1].startswith('/') else found[1]}: {found[2]}")  # the assembler knows no other line
    loose = _LOOSE.search(text) or _FATAL.search(text)
    lines = [line for line in text.split("\n") if line.strip()] or [f"status {done.status}"]
    return clean(f"{source}: {loose[loose.lastindex] if loose else lines[-1]}")
