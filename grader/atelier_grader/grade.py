# SPDX-License-Identifier: MIT
"""Grades one submission on one lab: reads it, builds it, runs the lab's tests, has them judged, each in its own sandbox."""

import filecmp
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import tempfile
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from . import build, emulator, linux, manifest, package, qemu, result, sandbox, score, steps, tree, trial
from .build import Built
from .emulator import ROOT, Crashed, Infra, NotBuilt
from .manifest import Manifest, ManifestError
from .manifest import Test as Listed
from .result import Environment, Finding, Ignored, Lab, Result, Submission, Tool, clean
from .sandbox import Done, Limits, Mount
from .score import WHOLE, Seen
from .submission import Refused
from .tree import Base
from .trial import Verdict

MIB = 1 << 20
NAMED = 20  # files left aside that a result names
MEMORY = 6 << 30  # bytes of address space of an emulator, beside the machine's memory
UNPACKING = Limits(wall=120.0, cpu=60, memory=1 << 30, file=8 * MIB, temporary=8 * MIB)
JUDGING = Limits(wall=600.0, cpu=300, memory=6 << 30, file=128 * MIB)  # a file system that a test left
PROGRAM = Limits(wall=trial.HOST_WALL_SECONDS, cpu=trial.HOST_CPU_SECONDS, memory=4 << 30, file=emulator.LOG_LIMIT, processes=4,
                 asleep=20.0)


class Asleep(Exception):
    """A program of the host waits, and there is nothing to come."""


@dataclass(frozen=True)
class Options:
    test: str | None = None  # only this one
    emulator: str | None = None  # only what runs there
    seed: str = "1"
    key: bytes = b""  # of the course: each submission and test has its own seed
    jobs: int = 2
    root: Path = ROOT  # the tree that grades
    say: Callable[[str], None] = lambda text: None  # what is being done, for who waits


@dataclass(frozen=True)
class Taken:
    """What was read of a submission."""

    files: Mapping[str, bytes]
    aside: tuple[tuple[str, str, str], ...]  # name, why, SHA-256
    more: int


def grade(submission: Path, number: int, options: Options | None = None) -> Result:
    """Grades a folder, an archive or a bare repository. ManifestError if the lab or test is not there; what else goes wrong
    is in the result."""
    options = options or Options()
    options = replace(options, root=options.root.resolve())
    labs = manifest.load_all(options.root)
    lab = next((lab for lab in labs if lab.number == number), None)
    if lab is None:
        raise ManifestError(f"there is no lab {number}; this tree has "
                            + (", ".join(str(lab.number) for lab in labs) or "none"))
    chosen = _choose(lab, options)
    before = [file for earlier in labs if earlier.number < number for file in earlier.editable]
    about = _About(lab, submission.resolve().name or "submission", options)
    try:
        with _workplace() as place:
            try:
                taken = read(submission, [*lab.editable, *before])
                if not any(name in taken.files for name in lab.editable):
                    raise Refused(f"there is none of the files of lab {number} in it: {', '.join(lab.editable)}")
            except Refused as error:
                return about.end(result.REFUSED, str(error))
            about = replace(about, taken=taken)
            base = tree.base(options.root, number, options.jobs, options.say)
            try:
                return _Grading(replace(about, base=base), chosen, place).finish()
            finally:
                base.release()
    except (Infra, ManifestError, OSError) as error:
        return about.end(result.INFRA, emulator.reason(error))


def _choose(lab: Manifest, options: Options) -> list[tuple[Listed, tuple[str, ...]]]:
    """The tests that are asked for, and where each is to run."""
    chosen = [(test, tuple(where for where in test.emulators if options.emulator in (None, where)))
              for test in lab.tests if options.test in (None, test.name)]
    chosen = [(test, where) for test, where in chosen if where]
    if not chosen:
        raise ManifestError(f"lab {lab.number} has no test that fits; it has {', '.join(test.name for test in lab.tests)}")
    here = [(test, where) for test, where in chosen if _handed_out(lab, test)]
    if not here:
        raise ManifestError(f"lab {lab.number}: {chosen[0][0].name} is a hidden test, and not in this tree")
    return here


def _handed_out(lab: Manifest, test: Listed) -> bool:
    """Whether a test is in this tree: a student's has the public ones alone. A public one that is not there is a fault."""
    return test.visibility == "public" or (lab.path.parent / "tests" / f"{test.name}.py").exists()


@contextmanager
def _workplace() -> Iterator[Path]:
    """A folder that goes away. A sandbox's user may reach what is in it, and not list it."""
    folder = Path(tempfile.mkdtemp(prefix="atelier-grade-"))
    try:
        folder.chmod(0o711)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---- unpack ----

def read(path: Path, wanted: Sequence[str]) -> Taken:
    """Reads a submission in its sandbox. Refused, with the reason."""
    try:
        path = path.resolve(strict=True)
        owner = path.stat().st_uid if os.geteuid() == 0 else None
    except (OSError, RuntimeError):
        raise Refused(f"{clean(str(path))} is not there") from None
    with tempfile.TemporaryFile() as orders:
        _ask(orders, {"path": str(path), "wanted": list(wanted)})
        # As its owner: a student's folder may be closed to others.
        done = sandbox.run(package.step("unpack"), [Mount(package.made()), Mount(path)], UNPACKING, stdin=orders, user=owner)
    if done.status and not done.stopped:
        raise Refused("it takes too much memory or processor time to be read; hand in the lab's files alone")
    told = _answer(done, "unpack", 8 * MIB)
    if "refused" in told:
        raise Refused(str(told["refused"]))
    files = {name: b64decode(content) for name, content in told["taken"].items() if name in wanted}
    return Taken(files, tuple((clean(n, 120), clean(why, 120), digest) for n, why, digest in told["aside"]), int(told["more"]))


def _ask(file, orders: Mapping) -> None:
    file.write(json.dumps(orders).encode())
    file.seek(0)


def _answer(done: Done, step: str, limit: int = sandbox.CAPTURED) -> dict:
    """What a step of steps.py said. Infra if it did not come to its end."""
    if done.stopped or done.status or len(done.output) >= limit:
        lines = done.errors.decode(errors="replace").strip().split("\n")
        why = {"wall": "its time was over", "folder": "it wrote too much"}.get(done.stopped) or lines[-1] or f"status {done.status}"
        raise Infra(f"the step `{step}` did not come to its end: {clean(why)}")
    try:
        told = json.loads(done.output)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Infra(f"the step `{step}` gave no answer")
    return told


# ---- the result's frame ----

@dataclass(frozen=True)
class _About:
    """What is known so far of what is graded."""

    lab: Manifest
    name: str
    options: Options
    taken: Taken | None = None
    base: Base | None = None

    def digest(self) -> str:
        if self.taken is None:
            return ""
        digest = hashlib.sha256()
        for name, content in sorted(self.taken.files.items()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    def seed(self, test: Listed) -> str:
        if not self.options.key:
            return self.options.seed
        return hmac.digest(self.options.key, f"{self.digest()}/{self.lab.folder}/{test.name}".encode(), "sha256").hex()[:16]

    def submission(self) -> Submission:
        if self.taken is None:
            return Submission(clean(self.name, 120), "", (), ())
        # What is ours, unchanged, is no news.
        ours = [self.options.root, *([self.base.path] if self.base else [])]
        aside = [(name, why) for name, why, digest in self.taken.aside
                 if not digest or not any(_same(tree / name, digest) for tree in ours)]
        ignored = [Ignored(name, why) for name, why in aside[:NAMED]]
        more = len(aside) - len(ignored) + self.taken.more
        if more:
            ignored.append(Ignored("", f"and {more:,} more"))
        return Submission(clean(self.name, 120), self.digest(), tuple(self.taken.files), tuple(ignored))

    def end(self, status: str, message: str, tests: Sequence[result.Test] = (), notes: Sequence[str] = ()) -> Result:
        got, points = score.total(tests)
        if not tests:
            points = sum(test.points for test, _ in _choose(self.lab, self.options))
        why = sandbox.missing()
        sources = {where for test, _ in _choose(self.lab, self.options) for where in test.emulators}
        environment = Environment(f"none: {why}" if why else "bubblewrap", tuple(_tools(sources)))
        return Result(
            Lab(self.lab.number, self.lab.name, self.lab.title), self.submission(),
            "" if self.options.key else self.options.seed, environment, status, clean(message, 1000),
            None if status == result.INFRA else got, points, tuple(score.exercises(self.lab, tests)), tuple(tests), tuple(notes))


def _same(ours: Path, digest: str) -> bool:
    try:
        return hashlib.sha256(ours.read_bytes()).hexdigest() == digest
    except (OSError, ValueError):
        return False


def _tools(where: set[str]) -> Iterator[Tool]:
    """The versions of what builds and runs."""
    commands = {"gcc": ["/usr/bin/gcc", "-dumpfullversion"]}
    if "qemu" in where:
        commands["qemu"] = [qemu.program(), "--version"]
    if "bochs" in where:
        commands["bochs"] = ["/usr/bin/dpkg-query", "-W", "-f", "${Version}", "bochs"]
    for name, command in commands.items():
        try:
            said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False).stdout
        except (OSError, subprocess.TimeoutExpired):
            said = ""
        line = said.strip().split("\n")[0]
        yield Tool(name, clean(line.removeprefix("QEMU emulator version "), 60) or "unknown")


# ---- build, run, judge ----

class _Grading:
    """One submission on its way: what is built of it is built once."""

    def __init__(self, about: _About, chosen: list[tuple[Listed, tuple[str, ...]]], place: Path):
        self.about = about
        self.options = about.options
        self.base: Base = about.base
        self.lab = self.base.lab
        self.chosen = chosen
        self.place = place
        hidden = [test for test in self.lab.tests if not _handed_out(self.lab, test)]
        points = sum(test.points for test in hidden)
        self.notes = [f"{points} points are for {len(hidden)} hidden tests, which are not in this tree"] if hidden else []
        self.linking = threading.Lock()
        self.kernels: dict[frozenset[str], Built] = {}
        self.solving = threading.Lock()
        self.solved: Built | None = None

    def finish(self) -> Result:
        about, files = self.about, self.about.taken.files
        own = {name: content for name, content in files.items() if self.base.own or name in self.lab.editable}
        parts = [(test, where) for test, where in self.chosen if test.exercise != WHOLE]
        whole = [(test, where) for test, where in self.chosen if test.exercise == WHOLE]
        self.missing = sorted(name for name in self.lab.editable if name not in files)
        if self.missing:
            self.notes.append(f"not handed in, and taken as they are handed out: {', '.join(self.missing)}")
        built = self._build(own, self._targets(parts)) if parts else None
        if built and built.failed and len(own) < len(files):
            again = self._build(files, self._targets(parts))
            if not again.failed:
                built = again
                self.notes.append("it does not build on solved earlier labs, only on your own: all of your files were taken")
        with ThreadPoolExecutor(max_workers=max(self.options.jobs, 1)) as pool:
            longest = [pool.submit(self._whole, test, where, own) for test, where in whole]  # first, or they would be alone at the end
            rows = [*pool.map(lambda chosen: self._test(*chosen, built), parts), *(row.result() for row in longest)]
        tests = score.with_waits(rows, self.lab)
        unrun = sum(t.points for t in tests if t.status == result.NOT_RUN)
        if unrun:
            why = next(t.message for t in tests if t.status == result.NOT_RUN)
            self.notes.append(f"{unrun} points are not counted, because their tests could not run: {why}")
        if any(t.status == result.INFRA for t in tests):
            broken = next(t for t in tests if t.status == result.INFRA)
            return about.end(result.INFRA, f"{broken.name}: {broken.message}", tests, self.notes)
        if tests and all(t.failure == score.NOT_BUILT for t in tests):
            return about.end(result.NOT_BUILT, tests[0].message, tests, self.notes)
        return about.end(result.GRADED, "", tests, self.notes)

    def _targets(self, parts: Sequence[tuple[Listed, tuple[str, ...]]]) -> list[str]:
        programs = [f"{self.base.tests}/{test.name}" for test, where in parts if where == ("host",)]
        return [*([f"build/{trial.TESTED}"] if len(programs) < len(parts) else []), *programs]

    def _build(self, files: Mapping[str, bytes], targets: Sequence[str]) -> Built:
        self.options.say("builds the submission")
        folder = Path(tempfile.mkdtemp(prefix="built-", dir=self.place))
        return build.build(self.base, files, folder, self.options.jobs, targets)

    def _test(self, test: Listed, where: tuple[str, ...], built: Built) -> result.Test:
        runs = [self._seen(test, one, built) for one in where]
        row = score.test(self.lab, test, runs)
        self.options.say(f"{test.name}: {row.status}")
        return row

    def _seen(self, test: Listed, where: str, built: Built) -> Seen:
        """Runs a test once, and has it judged."""
        seed = self.about.seed(test)
        product = f"{self.base.tests}/{test.name}" if where == "host" else f"build/{trial.TESTED}"
        if product in built.failed:
            return Seen(where, seed, Verdict.NOT_BOOTED, unbuilt=built.failed[product])
        try:
            try:
                return self._once(test, where, seed, built, product)
            except Crashed as first:
                return self._crashed(test, where, seed, built, product, first)
        except trial.FAILURES as error:
            end = trial.infra(error)
            return Seen(where, seed, end.verdict, clean(end.detail))

    def _once(self, test: Listed, where: str, seed: str, built: Built, product: str) -> Seen:
        folder = Path(tempfile.mkdtemp(dir=self.place))
        folder.chmod(0o711)
        try:
            asked = trial.ask(self.lab, test, where, seed)
            orders = {"lab": str(self.lab.path), "test": test.name, "where": where, "seed": seed, "folder": str(folder / "run")}
            (folder / "run").mkdir()
            given: list[Mount] = []
            if where == "host":
                orders["status"] = _run_program(built.path(product), asked, folder / "run")
            else:
                boot = trial.boot_of(trial.Built(built.path(product), self.base.path / self.base.tests, self.base.path), test, asked)
                told = steps.give(boot, folder / "given") | {"where": where}
                sandbox.open_to_all(folder / "given")
                given = [Mount(folder / "given")]
                _run_machine(boot, told, folder, given)
                orders["kernel"] = str(folder / "given" / steps.KERNEL)
            sandbox.open_to_all(folder / "run")
            seen = _read_verdict(where, seed, self._judge(orders, [*given, Mount(folder / "run")]))
            if where == "host" and seen.verdict is Verdict.PASSED and not _agrees(built.path(product), asked, folder):
                return Seen(where, seed, Verdict.UNSTEADY, "it ran twice on the same input, and did not observe the same")
            return seen
        except Asleep:
            return Seen(where, seed, Verdict.ASLEEP, f"it waited for {PROGRAM.asleep:.0f} s, and was not told to wait for anything")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _crashed(self, test: Listed, where: str, seed: str, built: Built, product: str, first: Crashed) -> Seen:
        """An emulator ended on its own. If it does that again, and with the solution does not, it is the submission's doing."""
        try:
            return self._once(test, where, seed, built, product)
        except Crashed as error:
            second = error
        reference = self._reference()
        if reference is None:
            raise Infra(f"{second}, twice; no solution is here to tell whether that is the submission's doing")
        try:
            self._once(test, where, seed, reference, product)
        except Crashed as error:
            raise Infra(f"{error}, with the solution as well") from None
        return Seen(where, seed, Verdict.EMULATOR, clean(f"{first}; twice, and not with the solution"))

    def _reference(self) -> Built | None:
        """The solved lab, built; None in a student's tree, or if it cannot be."""
        with self.solving:
            if self.base.own:
                return None
            if self.solved is None:
                files = {name: (self.options.root / name).read_bytes() for name in self.lab.editable}
                self.solved = self._build(files, [f"build/{trial.TESTED}"])
            return None if self.solved.failed else self.solved

    def _judge(self, orders: Mapping, mounts: Sequence[Mount]) -> dict:
        with tempfile.TemporaryFile() as file:
            _ask(file, orders)
            lab = [Mount(self.base.path / "labs" / self.lab.folder)]
            if (image := self.base.path / linux.DEBIAN).exists():
                lab.append(Mount(image.resolve(), str(image)))
            return _answer(sandbox.run(package.step("judge"), [Mount(package.made()), *lab, *mounts], JUDGING, stdin=file), "judge")

    # ---- tests of everything together ----

    def _whole(self, test: Listed, where: tuple[str, ...], own: Mapping[str, bytes]) -> result.Test:
        """Runs on all of the student's files. Where only solved earlier labs with this lab's files pass, that is 4 points in 5."""
        files = self.about.taken.files
        row = self._test(test, where, self._kernel(files))
        earlier = {name for name in files if name not in own}
        if row.status == result.PASSED and not self.base.own:
            lent = sorted(self._earlier() - set(files))
            return row if not lent else replace(
                row, score=_four_fifths(row.points), message=f"4 points in 5: {_some(lent)} of earlier labs, not handed in, were lent.")
        if row.status != result.FAILED or not earlier:
            return row
        lent = self._test(test, where, self._kernel(own))
        if lent.status != result.PASSED:
            return row
        culprit = next((name for name in sorted(earlier) if self._differs(name) and self._test(
            test, where, self._kernel({n: c for n, c in files.items() if n != name})).status == result.PASSED), None)
        found = f"with {culprit} as solved it passes" if culprit else "no single file of them is to blame"
        return replace(row, score=_four_fifths(row.points), message=f"4 points in 5: it passes with the earlier labs as solved, and "
                       f"not with your files of them; {found}.\n{row.message}")

    def _earlier(self) -> set[str]:
        return {file for lab in manifest.load_all(self.options.root) if lab.number < self.lab.number for file in lab.editable}

    def _differs(self, name: str) -> bool:
        return self.about.taken.files[name] != (self.base.path / name).read_bytes()

    def _kernel(self, files: Mapping[str, bytes]) -> Built:
        names = frozenset(files)
        with self.linking:
            if names not in self.kernels:
                self.kernels[names] = self._build(files, [f"build/{trial.TESTED}"])
            return self.kernels[names]


def _four_fifths(points: int) -> int:
    return points * 4 // 5


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more files"


def _run_program(program: Path, asked: trial.Asked, folder: Path) -> int:
    """Runs a program of the host, which is the student's code, and gives its status, or raises Asleep. What it writes is in the folder."""
    with tempfile.TemporaryFile() as told, (folder / steps.OUTPUT).open("wb") as output:
        told.write(asked.told)
        told.seek(0)
        done = sandbox.run(["/p/program", *asked.words()], [Mount(program, "/p/program")], PROGRAM, proc=True, stdin=told, stdout=output,
                           environment=trial.HOST_ENVIRONMENT)
    if done.stopped == "asleep":
        raise Asleep
    if done.stopped:
        raise Infra(f"the wall clock ended the program after {PROGRAM.wall:.0f} s")
    (folder / steps.SAID).write_bytes(done.errors)
    return done.status


def _agrees(program: Path, asked: trial.Asked, folder: Path) -> bool:
    """Whether a program of the host says the same once more: it alone may see clocks, addresses and what memory held."""
    (folder / "again").mkdir()
    status = _run_program(program, asked, folder / "again")
    return status == 0 and filecmp.cmp(folder / "run" / steps.OUTPUT, folder / "again" / steps.OUTPUT, shallow=False)


def _run_machine(boot: emulator.Boot, orders: Mapping, folder: Path, given: Sequence[Mount]) -> None:
    """Runs an emulator, which the student's code runs in; what comes out lies in folder/run."""
    memory = boot.memory << 20
    wall = 2 * boot.wall_seconds() + 60  # a reset is run twice
    limits = Limits(wall=wall, cpu=int(wall), memory=MEMORY + memory, file=max(emulator.LOG_LIMIT, memory) + emulator.PAGE,
                    folder=2 * memory + emulator.LOG_LIMIT + emulator.OUTPUT_LIMIT + 256 * MIB, processes=64)
    with tempfile.TemporaryFile() as file:
        _ask(file, orders)
        mounts = [Mount(package.made()), *given, Mount(folder / "run", "/w", True)]
        done = sandbox.run(package.step("run"), mounts, limits, "/w", stdin=file)
    told = _answer(done, "run")
    if "crashed" in told:
        raise Crashed(clean(str(told["crashed"])))
    if "infra" in told:
        raise Infra(clean(str(told["infra"])))
    # Who broke out of the emulator could have left a link, for the judge to follow.
    if any(path.is_symlink() or not (path.is_file() or path.is_dir()) for path in (folder / "run").rglob("*")):
        raise Infra("the emulator left something that is no file")


def _read_verdict(where: str, seed: str, told: Mapping) -> Seen:
    """What the judge's sandbox said."""
    try:
        return Seen(where, seed, Verdict[told["verdict"]], clean(told["detail"]),
                    tuple(Finding(*(clean(text) for text in finding)) for finding in told["findings"]), int(told["more"]),
                    tuple(told["exercises"]), tuple(told["unwritten"]), tuple(clean(line) for line in told["output"]), told["instructions"])
    except (KeyError, TypeError, ValueError) as error:
        raise Infra(f"the judge's answer cannot be read: {error}") from None
