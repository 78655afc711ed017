# SPDX-License-Identifier: MIT
"""The command grader/run-tests: runs the labs' tests on a built tree and says what failed."""

import argparse
import multiprocessing
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from . import manifest, tree, trial
from .emulator import ROOT, Infra
from .judge import show
from .manifest import Manifest, ManifestError, Test
from .trial import Outcome, Verdict

SHOWN_FINDINGS = 5
LINUX_TEST = "/* Linux test */"
SPAWN = multiprocessing.get_context("spawn")  # another interpreter, with another order of sets


@dataclass(frozen=True)
class Job:
    """A test of a built tree on "qemu", "bochs" or the "host", to be run once a seed."""

    root: Path
    lab: Manifest
    test: Test
    where: str
    seeds: tuple[str, ...]

    def run(self, seed: str, folder: Path, keep: bool, traced: bool) -> Outcome:
        outcome = trial.run(self.root, self.lab, self.test, self.where, seed, folder, traced)
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)  # a machine's memory is in it
        return outcome


@dataclass(frozen=True)
class Series:
    """What became of a job."""

    outcomes: tuple[Outcome, ...]  # one a seed
    again: Outcome | None = None  # with the first seed once more, in another process

    @property
    def first(self) -> Outcome:
        return self.outcomes[0]

    @property
    def failed(self) -> list[Outcome]:
        return [o for o in self.outcomes if o.failed]

    @property
    def differs(self) -> list[str]:
        """What was not the same although the seed was."""
        if self.again is None:
            return []
        one, other = ({"verdict": o.verdict.value, **dict(o.trace)} for o in (self.first, self.again))
        return [name for name in one | other if one.get(name) != other.get(name)]

    @property
    def seconds(self) -> float:
        return sum(o.seconds for o in (*self.outcomes, *([self.again] if self.again else [])))


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="grader/run-tests", description="Runs the tests of the labs on the built tree.")
    parser.add_argument("--lab", type=int, metavar="N", help="only this lab")
    parser.add_argument("--test", metavar="T", help="only this test")
    parser.add_argument("--emulator", choices=("qemu", "bochs", "host"), help="only what runs there")
    parser.add_argument("--linux", choices=("only", "none"), help="only the tests that boot Linux, or none of them")
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--seed", default="1", help="what the inputs are drawn from (default: 1)")
    seeds.add_argument("--seeds", type=int, metavar="N", help="run each test with each of the seeds 1 to N")
    parser.add_argument("--twice", action="store_true",
                        help="run each test with its first seed once more, in another process, and compare all that the runs left")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="tests at a time (default: 2)")
    parser.add_argument("--list", action="store_true", help="only list the tests")
    trees = parser.add_mutually_exclusive_group()
    trees.add_argument("--tree", type=Path, metavar="DIR", help="run what is built in another tree (tools/kill-matrix)")
    trees.add_argument("--solved", action="store_true",
                       help="run each lab's tests on that lab's tree with all its exercises solved, cut and built for it")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the files of each run in DIR")
    return parser.parse_args(words)


def select(root: Path, options: argparse.Namespace) -> list[Job]:
    """What the options ask for. ManifestError if they name what is not there."""
    labs = manifest.load_all(root)
    if options.lab is not None and options.lab not in [lab.number for lab in labs]:
        raise ManifestError(f"there is no lab {options.lab}; this tree has "
                            + (", ".join(str(lab.number) for lab in labs) or "none"))
    seeds = (options.seed,) if options.seeds is None else tuple(str(seed) for seed in range(1, options.seeds + 1))
    jobs = [Job(root, lab, test, where, seeds) for lab in labs if options.lab in (None, lab.number)
            for test in lab.tests if options.test in (None, test.name)
            for where in test.emulators if options.emulator in (None, where)
            if options.linux is None or (options.linux == "only") == boots_linux(lab, test)]
    if not seeds:
        raise ManifestError(f"--seeds {options.seeds}: with none nothing is run")
    if not jobs:
        raise ManifestError("no test fits; --list shows all")
    return jobs


def boots_linux(lab: Manifest, test: Test) -> bool:
    """Whether its program is one for Linux: make goes by the same line."""
    source = lab.path.parent / "tests" / f"{test.name}.c"
    return source.exists() and LINUX_TEST in source.read_text(encoding="utf-8").split("\n")[:2]


def on_solved(jobs: list[Job], options: argparse.Namespace, held: ExitStack) -> Iterator[Job]:
    """The same jobs on the solved trees of their labs, which are held until `held` is closed. Infra if one cannot be made."""
    bases: dict[int, tree.Base] = {}
    for job in jobs:
        number = job.lab.number
        if number not in bases:
            bases[number] = tree.base(job.root, number, options.jobs, lambda text: print(text, file=sys.stderr), solved=True)
            held.callback(bases[number].release)
        yield replace(job, root=bases[number].path, lab=bases[number].lab)


def ignore_interrupts() -> None:
    """In a process of --twice: the one that started it is interrupted too, and ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_all(jobs: list[Job], options: argparse.Namespace) -> Iterator[Series]:
    """Runs the jobs, some at a time, and gives what became of them in order."""
    workers = max(options.jobs, 1)
    with tempfile.TemporaryDirectory(prefix="atelier-") as scratch, ThreadPoolExecutor(max_workers=workers) as pool, \
            ProcessPoolExecutor(workers, SPAWN, ignore_interrupts, max_tasks_per_child=1) as elsewhere:
        base = (options.keep or Path(scratch)).resolve()

        def one(job: Job) -> Series:
            folder, keep = base / job.lab.folder, options.keep is not None
            name = f"{job.test.name}-{job.where}"
            outcomes = tuple(job.run(seed, folder / (f"{name}-{seed}" if len(job.seeds) > 1 else name), keep,
                                     options.twice and seed == job.seeds[0]) for seed in job.seeds)
            if not options.twice or outcomes[0].verdict is Verdict.NOT_RUN:
                return Series(outcomes)
            return Series(outcomes, elsewhere.submit(job.run, job.seeds[0], folder / f"{name}-again", keep, True).result())

        try:
            yield from pool.map(one, jobs)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def line(series: Series) -> str:
    first, failed, many = series.first, series.failed, len(series.outcomes)
    name = f"{first.lab.folder:<18} {first.test.exercise:<6} {first.test.name:<20} {first.emulator:<6}"
    if first.verdict is Verdict.NOT_RUN:
        return f"{name} not run: {first.detail}"
    if failed:
        if many == 1:
            return f"{name} FAILED  {failed[0].verdict.value}"
        return f"{name} FAILED  with {len(failed)} of {many} seeds: " + ", ".join(f"{o.seed} ({o.verdict.value})" for o in failed)
    if series.differs:
        return f"{name} FAILED  seed {first.seed} once more differs in {', '.join(series.differs)}"
    return f"{name} ok      " + (f"{many} seeds, " if many > 1 else "") + f"{series.seconds:.1f} s"


def waits_for(outcome: Outcome, outcomes: list[Outcome]) -> list[str]:
    """The exercises that a failed test leans on and that have failed tests themselves."""
    failed = {o.test.exercise for o in outcomes if o.failed}
    return [number for number in outcome.test.needs if number in failed]


def explain(outcome: Outcome, outcomes: list[Outcome]) -> Iterator[str]:
    """A failure, for the one who has to mend it."""
    yield f"{outcome.test.name} ({outcome.emulator}), exercise {outcome.test.exercise}: " \
          f"{outcome.verdict.value}" + (f": {outcome.detail}" if outcome.detail else "")
    waits = waits_for(outcome, outcomes)
    if waits:
        yield f"    waits for {', '.join(waits)}, which failed too"
    for finding in outcome.findings[:SHOWN_FINDINGS]:
        yield f"    {finding.what}: expected {show(finding.want)}, seen {show(finding.got)}"
    if len(outcome.findings) > SHOWN_FINDINGS:
        yield f"    and {len(outcome.findings) - SHOWN_FINDINGS} more"
    for text in outcome.tail:
        yield f"    | {text}"
    yield f"    again: grader/run-tests --lab {outcome.lab.number} --test {outcome.test.name} " \
          f"--emulator {outcome.emulator} --seed {outcome.seed}"


def explain_difference(series: Series) -> str:
    first = series.first
    return f"{first.test.name} ({first.emulator}), exercise {first.test.exercise}: two runs with seed {first.seed} differ in " \
           f"{', '.join(series.differs)}\n    again, with both runs' files in /tmp/two: grader/run-tests --lab {first.lab.number} " \
           f"--test {first.test.name} --emulator {first.emulator} --seed {first.seed} --twice --keep /tmp/two"


def main(words: list[str] | None = None, root: Path = ROOT) -> int:
    """The exit status: 0 all passed that could be run, 1 something failed or none could, 2 the command made no sense."""
    options = arguments(sys.argv[1:] if words is None else words)
    all_series: list[Series] = []
    with ExitStack() as held:
        try:
            jobs = select(options.tree.resolve() if options.tree else root, options)
            if options.list:
                for job in jobs:
                    print(f"{job.lab.folder:<18} {job.test.exercise:<6} {job.test.name:<20} {job.where:<6} "
                          f"{job.test.visibility:<8} {job.test.points:>3}")
                return 0
            if options.solved:
                jobs = list(on_solved(jobs, options, held))
            for series in run_all(jobs, options):
                all_series.append(series)
                print(line(series), flush=True)
        except (ManifestError, Infra) as error:
            print(f"run-tests: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("run-tests: interrupted", file=sys.stderr)
            return 130
    return summary(all_series)


def summary(all_series: list[Series]) -> int:
    """Explains the failures and adds up; the exit status."""
    outcomes = [o for series in all_series for o in series.outcomes]
    failed = [o for o in outcomes if o.failed]
    for outcome in failed:
        print()
        print("\n".join(explain(outcome, outcomes)))
    differing = [series for series in all_series if series.differs]
    for series in differing:
        print()
        print(explain_difference(series))
    infra = sum(o.verdict is Verdict.INFRA for o in failed)
    if infra:
        print(f"\n{infra} of the failures are INFRA: the machinery failed, not what it tests")
    passed = sum(o.verdict is Verdict.PASSED for o in outcomes)
    not_run = [o for o in outcomes if o.verdict is Verdict.NOT_RUN]
    if not_run:
        print(f"\n{len(not_run)} not run, neither passed nor failed: {not_run[0].detail}")
    twice = sum(series.again is not None for series in all_series)
    if twice:
        print(f"{twice} run twice with one seed, {len(differing)} of them not the same")
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed and not differing else 1
