# SPDX-License-Identifier: MIT
"""The pristine tree of a lab, built, that a submission's files are laid over; kept by content under build/grader/trees/.

Where the tree at hand has a cutter, the pristine tree is lab N as it is handed out with labs 1 to N-1 solved (or, for our own
tests of the tests, lab N too), and all of lab N's tests. In a student's own tree it is a copy of that tree.

What a submission changes is compiled by the very commands that make has for the tree: they are written down here, once, with
what each reads and makes, so that they can be run one by one in sandboxes, and only those that have to be.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from . import linux, manifest, sandbox
from .emulator import Infra
from .manifest import Manifest
from .trial import TESTED

CUTTER = Path("tools/cut")
APART = {"build", ".git", "__pycache__", "solutions", "grader", "handouts", "bench", "doc"}  # of no use to who builds
COMMANDS = "build/commands.json"
KINDS = {"/* host test */": "", "/* Linux test */": ".elf"}  # the second line of a test's source, and what is made of it

Say = Callable[[str], None]


@dataclass(frozen=True)
class Command:
    """What make runs for a file. Names are relative to the tree."""

    output: str
    inputs: tuple[str, ...]  # empty where it is not known: the file could not be made
    text: str


@dataclass(frozen=True)
class Base:
    path: Path
    lab: Manifest
    commands: tuple[Command, ...]  # each behind those that make what it reads
    symbols: str  # a variable that one of them wants
    own: bool  # no pristine tree, but a copy of the one at hand
    programs: tuple[str, ...]  # tests of the host, by name
    lock: int  # held as long as somebody uses the tree, which has to be released

    def release(self) -> None:
        os.close(self.lock)

    @property
    def tests(self) -> str:
        """The folder of the lab's built tests."""
        return f"build/labs/{self.lab.folder}/tests"

    def targets(self) -> list[str]:
        """What is made of a submission."""
        return [f"build/{TESTED}", *(f"{self.tests}/{name}" for name in self.programs)]


def base(root: Path, number: int, jobs: int, say: Say, solved: bool = False) -> Base:
    """The pristine tree of a lab of the tree at hand. Infra if it cannot be made."""
    labs = manifest.load_all(root)
    lab = next(lab for lab in labs if lab.number == number)
    own = not (root / CUTTER).exists()
    if own and solved:
        raise Infra(f"this tree has no {CUTTER}, which makes the solved trees of labs")
    theirs = {file for lab in labs for file in lab.editable} if own else set()
    trees = root / "build/grader/trees"
    trees.mkdir(parents=True, exist_ok=True)
    path = trees / f"{'solved-' if solved else ''}{lab.folder}-{_key(root, theirs)}"
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not _made(path, lock):
            say(f"builds lab {number}, solved" if solved else f"builds the tree that lab {number} is graded on")
            _make(root, lab, path, own, theirs, jobs, solved)
            _forget_others(trees, path)
            fcntl.flock(lock, fcntl.LOCK_SH)
        told = json.loads((path / COMMANDS).read_text())
        return Base(path, manifest.load(path / "labs" / lab.folder / "lab.toml"),
                    tuple(Command(c["output"], tuple(c["inputs"]), c["text"]) for c in told["commands"]),
                    told["symbols"], own, tuple(told["programs"]), lock)
    except BaseException:
        os.close(lock)
        raise


def _made(path: Path, lock: int) -> bool:
    """Whether it is there, whole; if so, we share its lock, and if not, it is ours alone."""
    fcntl.flock(lock, fcntl.LOCK_SH)
    if _whole(path):
        return True
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not _whole(path):  # somebody may have been faster
        return False
    fcntl.flock(lock, fcntl.LOCK_SH)
    return True


def _whole(path: Path) -> bool:
    commands = path / COMMANDS
    return commands.exists() and json.loads(commands.read_text())["whole"]


def _forget_others(trees: Path, mine: Path) -> None:
    """Removes older trees of the same lab that nobody uses."""
    for other in trees.glob(f"{mine.name.rsplit('-', 1)[0]}-*.lock"):
        if other == mine.with_suffix(".lock"):
            continue
        with other.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(other.with_suffix(""), ignore_errors=True)
            other.unlink()


def _files(root: Path) -> Iterator[Path]:
    """The files of a tree, by name, without what is built; relative to it."""
    for top, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - APART)
        for name in sorted(names):
            path = Path(top, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(root)


def _key(root: Path, without: set[str]) -> str:
    digest = hashlib.sha256()
    for path in _files(root):
        if str(path) not in without:
            content = (root / path).read_bytes()
            digest.update(f"{path}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
    return digest.hexdigest()[:16]


def _make(root: Path, lab: Manifest, path: Path, own: bool, theirs: set[str], jobs: int, solved: bool) -> None:
    if not own or not path.exists():
        shutil.rmtree(path, ignore_errors=True)
    if own:
        for file in _files(root):
            if not (path / file).exists() or str(file) in theirs:
                _copy(root / file, path / file)
    else:
        _call([str(root / CUTTER), "tree", "--lab", str(lab.number), "--kind", "solved" if solved else "fresh", str(path)], root)
        shutil.copytree(lab.path.parent / "tests", path / "labs" / lab.folder / "tests", dirs_exist_ok=True)
        _copy(lab.path, path / "labs" / lab.folder / "lab.toml")
    sandbox.open_to_all(path)
    (path / "build").mkdir(exist_ok=True)
    for name in {path.parent for path in linux.BUILT_BY}:
        if not (path / name).is_symlink():
            (path / name).symlink_to((root / name).resolve())

    sources = sorted((path / "labs" / lab.folder / "tests").glob("*.c"))
    kinds = {source.stem: _kind(source) for source in sources}
    targets = [f"build/{TESTED}", *(f"build/labs/{lab.folder}/tests/{name}{suffix}" for name, (_, suffix) in kinds.items())]
    if any(kind == "/* Linux test */" for kind, _ in kinds.values()):
        targets += [str(linux.LIBRARIES / name) for name in (linux.LOADER, linux.LIBRARY)]
        targets += [str(linux.ATL)] if (path / "guestos/atl").is_dir() else []  # it comes with lab 5
    # In a tree of the student's own there may be a file that does not compile: that is found again where it is graded.
    whole = _call(["make", f"-j{jobs}", f"JOBS={jobs}", *(["--keep-going"] if own else []), *targets], path, not own)
    symbols = _call(["make", "JOBS=1", "--eval", "atelier-symbols: ; @printenv HV_SYMBOLS", "atelier-symbols"], path)
    trace = _call(["make", "JOBS=1", "V=1", "--silent", "--dry-run", "--trace", "--always-make", *targets], path)
    told = {"whole": whole is not None, "symbols": (symbols or "").rstrip("\n"),
            "programs": [name for name, (kind, _) in kinds.items() if kind == "/* host test */"],
            "commands": [asdict(command) for command in parse(trace or "")]}
    sandbox.open_to_all(path / "build")
    scratch = path / "build/commands.new"
    scratch.write_text(json.dumps(told))
    scratch.replace(path / COMMANDS)


def _copy(source: Path, to: Path) -> None:
    if to.exists() and to.read_bytes() == source.read_bytes():
        return  # it keeps its time
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, to)
    shutil.copymode(source, to)


def _kind(source: Path) -> tuple[str, str]:
    """What a test's source is, and what make adds to the name of what it makes of it."""
    first = source.read_text(encoding="utf-8").split("\n")[:2]
    return next(((line, KINDS[line]) for line in first if line in KINDS), ("", ".elf"))


def _call(words: list[str], folder: Path, must: bool = True) -> str | None:
    """Runs one of our own commands and gives its output; None if it failed and may."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", check=False)
    if done.returncode == 0:
        return done.stdout
    if must:
        lines = [line for line in done.stderr.split("\n") if line.strip()] or ["it said nothing"]
        raise Infra(f"{Path(words[0]).name} {words[1]} in the tree of the lab failed: "
                    + next((line for line in lines if "rror:" in line or "***" in line), lines[-1]))
    return None


_HEAD = re.compile(r"^\S+:\d+: (?:update )?target '([^']*)' (?:due to: (.*)|does not exist)$")


def parse(trace: str) -> Iterator[Command]:
    """The commands in what `make --dry-run --trace` prints: a line that names a target, then what is run for it."""
    output, inputs, lines = "", "", []
    for line in [*trace.split("\n"), "end:0: target '' does not exist"]:
        head = _HEAD.match(line)
        if not head:
            lines.append(line)
            continue
        text = "\n".join(line for line in lines if line and not line.startswith("rm "))  # make removes what lay between
        if output.startswith("build/") and text:
            yield Command(output, tuple(inputs.split()), text)
        output, inputs, lines = head[1], head[2] or "", []
