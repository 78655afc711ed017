# SPDX-License-Identifier: MIT
"""Grades a folder of submissions: resumable, some at a time, one shard of N, cached by content.

What a run leaves behind, in the folder that it was told:

    journal.jsonl           what was begun and done, in order, only ever added to; with --shard K/N journal-K-of-N.jsonl
    results/NAME/           result.json; classtable.py adds report.html, to hand back
    cache/KEY.json          the same results by content: of a submission, of all that grades it, of the seed

A result goes into the cache, then into results/, then into the journal, and each is on the disk before the next begins: wherever
a run is killed, what the journal calls done is there, and what is in the cache is not graded again. INFRA is never cached, and
is graded again by the next run. Nothing in results/ knows when, where, in which order or beside whom it was graded.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from . import linux, result, submission
from .result import GRADED, INFRA, Environment, Lab, Result, Submission, clean

Grader = Callable[[Path], Result]
SUFFIXES = (".tar.gz", ".tar.xz", ".tar.bz2", ".tgz", ".txz", ".tar", ".zip")
NAME = 100  # characters of a submission's name
HASHED = 64 << 20  # bytes of a file that the digest reads; no submission that large is accepted
# What decides a result: the lab, the tree that a submission is laid over, and the grader; not the tests of other labs.
DECIDES = ("src", "guestos", "labs", "grader", "tests/host", "tests/build.mk", "tools", "Makefile")
DECIDES_NOT = ("grader/tests/", "grader/atelier_grader/report/", "grader/grade-class", "grader/atelier_grader/class",
               "grader/atelier_grader/similar.py", "grader/atelier_grader/slurm.py")
TOOLS = ("qemu-system-x86", "bochs", "gcc", "binutils", "libc6-dev-i386")


class ClassError(Exception):
    """One line: what is wrong with the folder or with what was asked, and what to do."""


@dataclass(frozen=True)
class Entry:
    """A submission: a folder or an archive."""

    name: str  # without the suffix of an archive
    path: Path


@dataclass(frozen=True)
class Shard:
    number: int = 1  # from 1
    of: int = 1

    @property
    def journal(self) -> str:
        return "journal.jsonl" if self.of == 1 else f"journal-{self.number}-of-{self.of}.jsonl"


@dataclass(frozen=True)
class Done:
    """A submission that has been dealt with."""

    name: str
    result: Result
    source: str  # "graded", "cache", or "before": by an earlier run
    seconds: float


def _suffix(path: Path) -> str | None:
    """What is no part of a submission's name; None if it is no submission."""
    if path.name.startswith("."):
        return None
    return "" if path.is_dir() else next((s for s in SUFFIXES if path.name.lower().endswith(s)), None)


def _name(name: str) -> str:
    """A name that a folder and a table can have. One that is too long is cut, and stays another than what begins in the same way."""
    whole = clean(name, len(name))
    cut = clean(name, NAME)
    return cut if cut == whole else f"{cut[:NAME - 20]}...{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise ClassError(f"{folder}: {error.strerror}: is this the folder of submissions?") from None


def left_aside(folder: Path) -> list[str]:
    """What lies among the submissions, and is none."""
    return [clean(path.name, NAME) for path in _listed(folder) if _suffix(path) is None]


def entries(folder: Path) -> list[Entry]:
    """The submissions of a folder, by name."""
    found: dict[str, Entry] = {}
    for path in _listed(folder):
        suffix = _suffix(path)
        if suffix is None:
            continue
        name = _name(path.name[:len(path.name) - len(suffix)])
        if name in found:
            raise ClassError(f"{folder}: {found[name].path.name} and {path.name} are both there: which one is to be graded?")
        found[name] = Entry(name, path)
    if not found:
        raise ClassError(f"{folder}: there is no submission in it: each is a folder, a .zip or a .tar")
    return list(found.values())


def digest(path: Path) -> str:
    """SHA-256 of a file or folder, over names and contents. Links are not followed, and nothing but files is opened."""
    whole = hashlib.sha256()
    for file in [path] if not path.is_dir() else sorted(_files(path)):
        name = os.fsencode(file.relative_to(path)) if file != path else b""
        whole.update(len(name).to_bytes(8, "big") + name)
        try:
            if file.is_symlink():
                target = os.fsencode(os.readlink(file))
                whole.update(b"link" + len(target).to_bytes(8, "big") + target)
            elif file.is_file():
                size = file.stat().st_size
                whole.update(b"file" + size.to_bytes(8, "big"))
                with file.open("rb") as opened:
                    whole.update(opened.read(min(size, HASHED)))
            else:
                whole.update(b"other")
        except OSError as error:
            whole.update(f"unreadable {error.errno}".encode())
    return whole.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    """All that the grader could read of a submission (submission.py): of a bare repository everything, else not what is built."""
    bare = all((folder / name).exists() for name in ("HEAD", "objects", "refs"))
    try:
        alone = os.listdir(folder) == [".git"]
    except PermissionError:
        alone = False
    apart = set() if bare or alone else submission.NOT_LOOKED_INTO
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        folders[:] = [name for name in folders if name not in apart and name not in links]
        for name in [*names, *links]:
            yield Path(place) / name


def tests_digest(root: Path, lab: str) -> str:
    """Of all that decides a result but the submission and the seed: the lab, the tree around it, the grader, the emulators."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *DECIDES],
                            cwd=root, capture_output=True, text=True, check=False)
    names = sorted(set(filter(None, listed.stdout.split("\0"))))
    if not any(name.startswith(f"labs/{lab}/") for name in names):
        raise ClassError(f"{root}: git knows no files of labs/{lab} here: run this in the course's repository")
    others = tuple(f"labs/{path.name}/tests/" for path in (root / "labs").iterdir() if path.name != lab)
    whole = hashlib.sha256()
    for name in names:
        path = root / name
        if path.is_file() and not name.startswith((*DECIDES_NOT, *others)):
            whole.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    versions = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${Version}\n", *TOOLS], capture_output=True, text=True, check=False)
    whole.update("".join(sorted(versions.stdout.splitlines(keepends=True))).encode())
    whole.update(str([(root / built).exists() for built in linux.BUILT_BY]).encode())  # without them some tests do not run
    return whole.hexdigest()


def write_whole(path: Path, text: str, beside: str = "new") -> None:
    """Leaves the old file or the new one, whatever happens meanwhile, and the new one on the disk.

    Where two may write the same path at the same time, they take different names for `beside`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{beside}")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


class Journal:
    """Lines of JSON, only ever added to; each is on the disk when `add` returns. One process at a time has it open."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A line that a kill cut short is no line.
            os.ftruncate(self._file, path.read_bytes().rfind(b"\n") + 1)
            sync_folder(path.parent)
        except BlockingIOError:
            self.close()
            raise ClassError(f"{path}: another grade-class is at work there: wait for it, or take another folder") from None
        except BaseException:
            self.close()
            raise

    def add(self, event: str, **what: object) -> None:
        line = json.dumps({"event": event, **what, "at": round(time.time(), 3)}) + "\n"
        with self._lock:
            os.write(self._file, line.encode())
            os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


def read_journal(path: Path) -> list[dict]:
    """The whole lines of a journal."""
    found = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        try:
            found.append(json.loads(line))
        except ValueError:
            raise ClassError(f"{path}: line {number} is no line of a journal: put the file aside, the results stay") from None
    return found


def seconds(out: Path) -> dict[str, float]:
    """How long the grading of each submission took, as the journals have it."""
    taken: dict[str, float] = {}
    for path in sorted(out.glob("journal*.jsonl")):
        taken.update((line["name"], line["seconds"]) for line in read_journal(path)
                     if line["event"] == "done" and line["source"] == "graded")
    return taken


def ended(path: Path) -> bool:
    """Whether the last run that wrote this journal came to its end."""
    return path.exists() and [line["event"] for line in read_journal(path)][-1:] == ["end"]


def read_result(path: Path) -> Result | None:
    """A result that was written, or None."""
    try:
        return result.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, result.ResultError):
        return None


def results(out: Path) -> dict[str, Result]:
    """All that a run has left, by name."""
    found = {path.parent.name: read_result(path) for path in sorted((out / "results").glob("*/result.json"))}
    return {name: one for name, one in found.items() if one is not None}


@dataclass(frozen=True)
class Run:
    """What a run needs to know.

    `grader` gives a result or raises; `decided` stands for all that a result follows from but the submission.
    """

    lab: Lab
    points: int
    out: Path
    grader: Grader
    decided: str
    jobs: int = 1
    shard: Shard = Shard()
    cache: Path | None = None  # out/cache if None

    def key(self, entry: Entry) -> str:
        return hashlib.sha256(f"{self.decided}\n{digest(entry.path)}".encode()).hexdigest()


def grade_all(run: Run, submissions: list[Entry]) -> Iterator[Done]:
    """Grades the shard's part of the submissions; gives each as it is done. Those that are done already come first."""
    mine = submissions[run.shard.number - 1::run.shard.of]
    journal = Journal(run.out / run.shard.journal)
    before = {(line["name"], line["key"]) for path in run.out.glob("journal*.jsonl") for line in read_journal(path)
              if line["event"] == "done"}
    same: dict[str, threading.Lock] = defaultdict(threading.Lock)
    guard = threading.Lock()

    def one(entry: Entry) -> Done:
        key = run.key(entry)
        place = run.out / "results" / entry.name / "result.json"
        kept = read_result(place) if (entry.name, key) in before else None
        if kept and kept.status != INFRA:
            return Done(entry.name, kept, "before", 0.0)
        with guard:
            turn = same[key]
        with turn:  # two that are the same are graded once
            return _one(run, journal, entry, key, place)

    pool = ThreadPoolExecutor(max_workers=max(run.jobs, 1))
    try:
        journal.add("run", lab=run.lab.number, submissions=len(mine), shard=f"{run.shard.number}/{run.shard.of}", decided=run.decided)
        waiting: set[Future[Done]] = {pool.submit(one, entry) for entry in mine}
        while waiting:
            ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in ready)
        journal.add("end")
    finally:
        pool.shutdown(cancel_futures=True)
        journal.close()


def _one(run: Run, journal: Journal, entry: Entry, key: str, place: Path) -> Done:
    cached = (run.cache or run.out / "cache") / f"{key}.json"
    found, source, taken = read_result(cached), "cache", 0.0
    if found is None:
        journal.add("begun", name=entry.name, key=key)
        start = time.monotonic()
        found, source = _graded(run, entry), "graded"
        taken = round(time.monotonic() - start, 3)
        if found.status != INFRA:
            write_whole(cached, result.to_json(_named(found, "")), f"{os.uname().nodename}-{os.getpid()}")
    found = _named(found, entry.name)
    write_whole(place, result.to_json(found))
    journal.add("done", name=entry.name, key=key, status=found.status, score=found.score, source=source, seconds=taken)
    return Done(entry.name, found, source, taken)


def _named(found: Result, name: str) -> Result:
    """The cache has no names: the same files may come from two."""
    return replace(found, submission=replace(found.submission, name=name))


def _graded(run: Run, entry: Entry) -> Result:
    """The grader's result. If the grader itself fails that is INFRA, of this submission alone."""
    try:
        return run.grader(entry.path)
    except Exception as error:  # whatever it is: the others are graded all the same
        why = clean(f"the grader failed: {type(error).__name__}: {error}")
        return Result(run.lab, Submission(entry.name, "", (), ()), "", Environment("", ()), INFRA, why, None, run.points, (), ())


def outcome(done: Result) -> str:
    """A result in a few words, for a line of progress."""
    return f"{done.score} of {done.points}" if done.status == GRADED else f"{done.status}: {done.message.split(chr(10))[0]}"
