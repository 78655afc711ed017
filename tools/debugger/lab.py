# SPDX-License-Identifier: MIT
"""One test of a lab as a machine to be debugged: the very one that the grader boots, of this tree or of a submission."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atelier_grader import build, emulator, grade, judge, manifest, qemu, tree, trial
from atelier_grader.manifest import Manifest
from atelier_grader.manifest import Test as Listed

from .machine import ROOT, Failure, Target

WALL = 600.0
GRADED = "graded"  # where, in a session's folder, the grader runs it
FINDINGS = 3  # that are told


def find(number: int, name: str) -> tuple[Manifest, Listed]:
    labs = {lab.number: lab for lab in manifest.load_all(ROOT)}
    if number not in labs:
        raise Failure(f"LAB={number}: this tree has labs {', '.join(map(str, labs))}")
    lab = labs[number]
    test = next((test for test in lab.tests if test.name == name), None)
    if test is None:
        raise Failure(f"TEST={name}: lab {number} has {', '.join(test.name for test in lab.tests if handed_out(lab, test))}")
    if not handed_out(lab, test):
        raise Failure(f"TEST={name} is a hidden test, which is not in this tree")
    return lab, test


def handed_out(lab: Manifest, test: Listed) -> bool:
    return (lab.path.parent / "tests" / f"{test.name}.py").exists()


@contextmanager
def submitted(lab: Manifest, test: Listed, submission: Path, place: Path) -> Iterator[trial.Built]:
    """A submission, built as it is graded: in sandboxes, its files on the lab's own tree."""
    before = [file for earlier in manifest.load_all(ROOT) if earlier.number < lab.number for file in earlier.editable]
    try:
        taken = grade.read(submission, [*lab.editable, *before])
    except grade.Refused as error:
        raise Failure(f"SUBMISSION={submission}: {error}") from None
    if not taken.files:
        raise Failure(f"SUBMISSION={submission}: there is none of the files of lab {lab.number} in it: {', '.join(lab.editable)}")
    base = tree.base(ROOT, lab.number, os.cpu_count() or 1, lambda text: print(f"  {text}", flush=True))
    try:
        own = {name: content for name, content in taken.files.items() if base.own or name in lab.editable}
        product = f"{base.tests}/{test.name}" if test.emulators == ("host",) else f"build/{trial.TESTED}"
        made = build.build(base, own, place / "submission", os.cpu_count() or 1, [product])
        if product in made.failed:
            raise Failure(f"SUBMISSION={submission} does not build: {made.failed[product]}")
        yield trial.Built(made.path(product), base.path / base.tests, base.path)
    finally:
        base.release()


def target(lab: Manifest, test: Listed, seed: str, place: Path, built: trial.Built, judged: bool, sources: tuple[str, ...] = ()) -> Target:
    """Lays what is booted into the folder, and says what to boot and how. @built: where the hypervisor and the guests lie;
    @judged: it is run by the grader first, and what that says of it is what GDB will say, too."""
    try:
        asked = trial.ask(lab, test, "qemu", seed)
        boot = trial.boot_of(built, test, asked)
        image = emulator.prepare(place, boot)
        qemu.end_on_a_page(place / emulator.KERNEL)
        initrd = qemu.place_modules(place, boot.modules)
        said = finding(test, asked, boot, place / GRADED) if judged else ""
    except trial.FAILURES as error:
        raise Failure(f"{test.name}: {emulator.reason(error)}") from None
    words = qemu.machine(boot, initrd)
    guests = dict.fromkeys(guest.name for guest in asked.loaded.domains if hasattr(guest, "name"))
    kernels = [path for name in guests if (path := built.tests / f"{name}.elf").exists()]
    linux = built.root / "build/linux/vmlinux"
    return Target(tuple(words), built.kernel, (*kernels, *([linux] if linux.exists() else [])), image.entry,
                  image.symbols["machine_stop"].address, boot.budget, WALL, said, sources)


def finding(test: Listed, asked: trial.Asked, boot: emulator.Boot, place: Path) -> str:
    """What the grader says of the run, if it does not pass: how it ended, and what was wrong, a line each."""
    end = trial.judge_run(asked, qemu.run(boot, place), boot.kernel)
    if end.verdict is trial.Verdict.PASSED:
        return ""
    head = f"{test.name}, exercise {test.exercise}: {end.verdict.value}"
    if end.detail and end.verdict is not trial.Verdict.WRONG:
        head += f": {end.detail}"
    return "\n".join([head, *(f"{f.what}: expected {judge.show(f.want)}, seen {judge.show(f.got)}" for f in end.findings[:FINDINGS])])
