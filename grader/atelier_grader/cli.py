# SPDX-License-Identifier: MIT
"""The command grader/run-tests: runs the labs' tests on a built tree and says what failed."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import manifest, trial
from .emulator import ROOT
from .judge import show
from .manifest import Manifest, ManifestError, Test
from .trial import Outcome, Verdict

Job = tuple[Manifest, Test, str]  # where: "qemu", "bochs" or "host"
SHOWN_FINDINGS = 5
LINUX_TEST = "/* Linux test */"


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="grader/run-tests", description="Runs the tests of the labs on the built tree.")
    parser.add_argument("--lab", type=int, metavar="N", help="only this lab")
    parser.add_argument("--test", metavar="T", help="only this test")
    parser.add_argument("--emulator", choices=("qemu", "bochs", "host"), help="only what runs there")
    parser.add_argument("--linux", choices=("only", "none"), help="only the tests that boot Linux, or none of them")
    parser.add_argument("--seed", default="1", help="what the inputs are drawn from (default: 1)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="tests at a time (default: 2)")
    parser.add_argument("--list", action="store_true", help="only list the tests")
    parser.add_argument("--tree", type=Path, metavar="DIR", help="run what is built in another tree (tools/kill-matrix)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the files of each run in DIR")
    return parser.parse_args(words)


def select(labs: list[Manifest], options: argparse.Namespace) -> list[Job]:
    """What the options ask for. ManifestError if they name what is not there."""
    if options.lab is not None and options.lab not in [lab.number for lab in labs]:
        raise ManifestError(f"there is no lab {options.lab}; this tree has "
                            + (", ".join(str(lab.number) for lab in labs) or "none"))
    jobs = [(lab, test, where) for lab in labs if options.lab in (None, lab.number)
            for test in lab.tests if options.test in (None, test.name)
            for where in test.emulators if options.emulator in (None, where)
            if options.linux is None or (options.linux == "only") == boots_linux(lab, test)]
    if not jobs:
        raise ManifestError("no test fits; --list shows all")
    return jobs


def boots_linux(lab: Manifest, test: Test) -> bool:
    """Whether its program is one for Linux: make goes by the same line."""
    source = lab.path.parent / "tests" / f"{test.name}.c"
    return source.exists() and LINUX_TEST in source.read_text(encoding="utf-8").split("\n")[:2]


def run_all(root: Path, jobs: list[Job], options: argparse.Namespace) -> Iterator[Outcome]:
    """Runs the jobs, some at a time, and gives their outcomes in order."""
    with tempfile.TemporaryDirectory(prefix="atelier-") as scratch, \
            ThreadPoolExecutor(max_workers=max(options.jobs, 1)) as pool:
        base = (options.keep or Path(scratch)).resolve()

        def one(job: Job) -> Outcome:
            lab, test, where = job
            folder = base / lab.folder / f"{test.name}-{where}"
            return trial.run(root, lab, test, where, options.seed, folder)

        try:
            yield from pool.map(one, jobs)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def line(outcome: Outcome) -> str:
    name = f"{outcome.lab.folder:<18} {outcome.test.exercise:<6} {outcome.test.name:<20} {outcome.emulator:<6}"
    if outcome.verdict is Verdict.PASSED:
        return f"{name} ok      {outcome.seconds:.1f} s"
    if outcome.verdict is Verdict.NOT_RUN:
        return f"{name} not run: {outcome.detail}"
    return f"{name} FAILED  {outcome.verdict.value}"


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


def main(words: list[str] | None = None, root: Path = ROOT) -> int:
    """The exit status: 0 all passed that could be run, 1 something failed or none could, 2 the command made no sense."""
    options = arguments(sys.argv[1:] if words is None else words)
    root = options.tree.resolve() if options.tree else root
    try:
        jobs = select(manifest.load_all(root), options)
    except ManifestError as error:
        print(f"run-tests: {error}", file=sys.stderr)
        return 2
    if options.list:
        for lab, test, where in jobs:
            print(f"{lab.folder:<18} {test.exercise:<6} {test.name:<20} {where:<6} {test.visibility:<8} "
                  f"{test.points:>3}")
        return 0

    outcomes: list[Outcome] = []
    try:
        for outcome in run_all(root, jobs, options):
            outcomes.append(outcome)
            print(line(outcome), flush=True)
    except KeyboardInterrupt:
        print("run-tests: interrupted", file=sys.stderr)
        return 130

    failed = [o for o in outcomes if o.failed]
    for outcome in failed:
        print()
        print("\n".join(explain(outcome, outcomes)))
    infra = sum(o.verdict is Verdict.INFRA for o in failed)
    if infra:
        print(f"\n{infra} of the failures are INFRA: the machinery failed, not what it tests")
    passed = sum(o.verdict is Verdict.PASSED for o in outcomes)
    not_run = [o for o in outcomes if o.verdict is Verdict.NOT_RUN]
    if not_run:
        print(f"\n{len(not_run)} not run, neither passed nor failed: {not_run[0].detail}")
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1
