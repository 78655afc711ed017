# SPDX-License-Identifier: MIT
"""The command grader/grade-class: grades a folder of submissions and says what staff need to know of them."""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from . import classrun, classtable, manifest, similar, slurm
from . import grade as grading
from .classrun import ClassError, Entry, Grader, Run, Shard
from .classtable import Roster
from .emulator import ROOT, Infra
from .gradecli import KeyFileError, read_key
from .manifest import Manifest, ManifestError
from .result import INFRA, NOT_RUN, Lab, Result, from_json
from .score import flagged
from .submission import Refused

PROGRAM = ROOT / "grader/grade-class"
LONGEST = 3 * 3600.0  # seconds for a submission: all that is in it has limits of its own
ASIDE = 5  # names of what is no submission
INTERRUPTED = 130  # what grader/grade ends with
Take = Callable[[Path, Manifest], Mapping[str, bytes]]  # a submission's files that the lab lets a student change

EPILOG = """\
What is done stays done: after a kill, or once more submissions have come, run the same command again. A submission that ended as
INFRA has no score and is graded again then. A roster is CSV; its first column names the submission, and all its columns come
first in table.csv. Exit status: 0 all graded, 1 some are not (or, with --diff, something changed), 2 the command made no sense.
"""


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="grader/grade-class", description="Grades a folder of submissions: each a folder or an archive.",
                                     epilog=EPILOG, usage="grader/grade-class --lab N [options] SUBMISSIONS OUT\n"
                                                          "       grader/grade-class --diff OLD NEW")
    parser.add_argument("folders", nargs="*", type=Path, metavar="SUBMISSIONS OUT", help="what is graded, and where the results go")
    parser.add_argument("--diff", nargs=2, type=Path, metavar=("OLD", "NEW"), help="what changed between the results of two runs")
    parser.add_argument("--lab", type=int, metavar="N", help="the lab")
    parser.add_argument("--seed", default="1", metavar="S", help="what the inputs are drawn from (default: 1)")
    parser.add_argument("--key", type=Path, metavar="FILE", 
                        help="the course's key: each submission's seed follows from it and from its files")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="submissions at a time (default: 2)")
    parser.add_argument("--shard", type=shard, metavar="K/N", help="only the K-th of N parts, and no table")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="results by content, for several runs to share (default: OUT/cache)")
    parser.add_argument("--slurm", type=int, metavar="N", help="as a Slurm job array of N tasks, each with --jobs processors")
    parser.add_argument("--sbatch", default="", metavar="OPTIONS", help="more for sbatch: --sbatch='--partition=teach --time=2:00:00'")
    parser.add_argument("--roster", type=Path, metavar="FILE", help="who is in the class")
    parser.add_argument("--nightly", action="store_true", help="before the deadline: of tests that are not public, the reports that are "
                        "handed back only say in which exercises some fail")
    parser.add_argument("--similar", action="store_true", help="list who wrote the same as whom (similar.csv, similar.html)")
    parser.add_argument("--earlier", type=Path, action="append", default=[], metavar="DIR",
                        help="an earlier year's submissions, for --similar")
    parser.add_argument("--export", choices=sorted(similar.EXPORTS), action="append", default=[],
                        help="lay the files out for that program, in OUT/jplag or OUT/moss")
    return parser.parse_args(words)


def shard(text: str) -> Shard:
    match = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"{text} is no part: 2/5 is the second of five")
    return Shard(int(match[1]), int(match[2]))


def main(words: list[str] | None = None, root: Path = ROOT, grader: Grader | None = None, take: Take | None = None,
         program: Path = PROGRAM) -> int:
    """The exit status. `grader`, `take` and `program` are others in tests."""
    words = sys.argv[1:] if words is None else words
    options = arguments(words)
    try:
        if options.diff:
            return diff(*options.diff)
        if len(options.folders) != 2 or options.lab is None:
            raise ClassError("say --lab N, the folder of submissions, and a folder for the results; --help has more")
        labs = {lab.number: lab for lab in manifest.load_all(root)}
        if options.lab not in labs:
            raise ClassError(f"there is no lab {options.lab}; this tree has {', '.join(map(str, labs)) or 'none'}")
        return grade(options, words, root, labs[options.lab], grader, take, program)
    except (ClassError, KeyFileError, ManifestError, Infra) as error:
        print(f"grade-class: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"grade-class: {error.filename or 'the system'}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("grade-class: interrupted; what is done stays done, run the same command again", file=sys.stderr)
        return 130


def diff(old: Path, new: Path) -> int:
    for folder in (old, new):
        if not (folder / "results").is_dir():
            raise ClassError(f"{folder}: has no results/ in it: name a folder that grade-class has written")
    lines = list(classtable.differences(classrun.results(old), classrun.results(new)))
    print("\n".join(lines) if lines else "nothing changed")
    return int(bool(lines))


def grade(options: argparse.Namespace, words: list[str], root: Path, lab: Manifest, grader: Grader | None, take: Take | None,
          program: Path) -> int:
    source, out = options.folders
    if options.slurm and options.shard:
        raise ClassError("--slurm makes shards itself: leave --shard out")
    submissions = classrun.entries(source)
    aside = classrun.left_aside(source)
    if aside and not options.shard:
        more = f" and {len(aside) - ASIDE} more" if len(aside) > ASIDE else ""
        print(f"not graded: {', '.join(aside[:ASIDE])}{more}: a submission is a folder, a .zip or a .tar, and begins with no dot")
    roster = classtable.read_roster(options.roster) if options.roster else Roster()
    key = read_key(options.key) if options.key else ""
    if options.slurm:
        tasks = min(options.slurm, len(submissions))
        command = [str(program.resolve()), *without(words, "--slurm", "--sbatch", "--similar", "--export")]
        slurm.run(f"atelier-lab{lab.number}", command, out, tasks, options.jobs, options.sbatch.split())
    else:
        seeds = hashlib.sha256(f"{options.seed}\n{key}".encode()).hexdigest()
        decided = f"{classrun.tests_digest(root, lab.folder)} {seeds}"
        run = Run(Lab(lab.number, lab.name, lab.title), sum(test.points for test in lab.tests), out,
                  grader or the_grader(root, lab, options), decided, options.jobs, options.shard or Shard(), options.cache)
        watch(run, submissions)
    if options.shard:
        return 0
    return collect(options, root, lab, submissions, out, roster, take)


def the_grader(root: Path, lab: Manifest, options: argparse.Namespace) -> Grader:
    """grader/grade, a process for each submission: what one does to its grader harms no other."""
    seeds = ["--key", str(options.key)] if options.key else ["--seed", options.seed]

    def one(path: Path) -> Result:
        with tempfile.TemporaryDirectory(prefix="atelier-one-") as scratch:
            out = Path(scratch) / "result.json"
            command = [str(root / "grader/grade"), "--lab", str(lab.number), *seeds, "--jobs", "1", "--format", "json", "--out", str(out)]
            done = subprocess.run([*command, "--", str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  text=True, errors="replace", timeout=LONGEST, check=False)
            if done.returncode == INTERRUPTED:
                raise KeyboardInterrupt
            if not out.exists():
                raise RuntimeError(f"grader/grade: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
            return from_json(out.read_text(encoding="utf-8"))

    return one


def the_files(path: Path, lab: Manifest) -> Mapping[str, bytes]:
    """The files that are graded; none of a submission that is refused."""
    try:
        return grading.read(path, lab.editable).files
    except Refused:
        return {}


def without(words: list[str], *names: str) -> list[str]:
    """A command's words without some options; --similar alone has no value."""
    kept, skip = [], False
    for word in words:
        name = word.split("=")[0]
        if not skip and name not in names:
            kept.append(word)
        skip = not skip and name in names and name == word and name != "--similar"
    return kept


def watch(run: Run, submissions: list[Entry]) -> None:
    """Grades, with a line for each that is done."""
    total = len(submissions[run.shard.number - 1::run.shard.of])
    width = max(len(entry.name) for entry in submissions)
    before = 0
    for count, done in enumerate(classrun.grade_all(run, submissions), 1):
        if done.source == "before":
            before += 1
            continue
        took = f"{done.seconds:.1f} s" if done.source == "graded" else "as one that was graded already"
        print(f"[{count:>{len(str(total))}}/{total}] {done.name:<{width}}  {classrun.outcome(done.result)}  ({took})", flush=True)
    if before:
        print(f"{before} of {total} were done before")


def collect(options: argparse.Namespace, root: Path, lab: Manifest, submissions: list[Entry], out: Path, roster: Roster,
            take: Take | None) -> int:
    """The table and all that is made of the results, and a last line."""
    title = f"Lab {lab.number}, {lab.name}"
    table = classtable.write(out, title, [entry.name for entry in submissions], roster, options.nightly)
    if options.similar or options.export:
        compare(options, root, lab, submissions, out, take or the_files, title)
    strangers = [entry.name for entry in submissions if roster.names and entry.name not in roster.names]
    if strangers:
        print(f"not on the roster: {', '.join(strangers)}")
    counts = {status: sum(row.status == status for row in table) for status in dict.fromkeys(row.status for row in table)}
    unrun = [test for row in table if row.result for test in row.result.tests if test.status == NOT_RUN]
    if unrun:
        print(f"not run, and no points of anybody's score: {', '.join(sorted({test.name for test in unrun}))}: {unrun[0].message}")
    odd = [f"{row.name}: {test.name} {test.failure}" for row in table if row.result for test in flagged(row.result)]
    if odd:
        print(f"no ordinary mistake, look at it: {'; '.join(odd)}")
    again = [row.name for row in table if row.status in (INFRA, classtable.NOT_GRADED)]
    if again:
        print(f"INFRA, no score, run this again: {', '.join(again)}")
    print(f"{', '.join(f'{count} {status}' for status, count in counts.items())}: {out}/table.html")
    return int(bool(again))


def compare(options: argparse.Namespace, root: Path, lab: Manifest, submissions: list[Entry], out: Path, take: Take, title: str) -> None:
    """The similar ones, and the exports. A submission that cannot be unpacked is in neither: it was refused."""
    def files(entries: list[Entry]) -> dict[str, Mapping[str, bytes]]:
        found = {entry.name: take(entry.path, lab) for entry in entries}
        return {name: one for name, one in found.items() if one}

    handed_in = files(submissions)
    reference = {name: (root / name).read_bytes() for name in lab.editable if (root / name).is_file()}
    starter = handed_out(root, lab)
    with tempfile.TemporaryDirectory(prefix="atelier-similar-") as scratch:
        pool: dict[tuple[str, str], Mapping[str, bytes]] = {("reference", "reference"): reference}
        patches = list((root / "solutions" / lab.folder / "wrong").glob("*.patch"))
        pool.update(similar.wrong_solutions(reference, patches, Path(scratch) / "wrong"))
        for year in options.earlier:
            pool.update({("earlier", f"{year.name}/{name}"): one for name, one in files(classrun.entries(year)).items()})
        for export in options.export:
            shutil.rmtree(out / export, ignore_errors=True)
            print(f"{export}: {similar.EXPORTS[export](out / export, handed_in, pool, starter)}")
        if options.similar:
            print(f"compares {len(handed_in)} submissions with each other and with {len(pool)} others", flush=True)
            pairs = similar.compare(Path(scratch) / "sim", handed_in, pool, starter)
            classrun.write_whole(out / "similar.csv", similar.to_csv(pairs))
            classrun.write_whole(out / "similar.html", similar.to_html(f"{title}: who wrote the same as whom", pairs))
            print(f"{len(pairs)} pairs are at least {similar.THRESHOLD} % alike: {out}/similar.html")


def handed_out(root: Path, lab: Manifest) -> dict[str, bytes]:
    """The lab's files as students get them."""
    with tempfile.TemporaryDirectory(prefix="atelier-cut-") as scratch:
        tree = Path(scratch) / "tree"
        done = subprocess.run([str(root / "tools/cut"), "tree", "--lab", str(lab.number), "--kind", "fresh", str(tree)], cwd=root,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise ClassError(f"tools/cut: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
        return {name: (tree / name).read_bytes() for name in lab.editable if (tree / name).is_file()}
