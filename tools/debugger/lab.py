# SPDX-License-Identifier: MIT
"""One test of a lab as a machine to be debugged: the very one that the grader boots, of this tree or of a submission."""

from pathlib import Path

from atelier_grader import emulator, judge, manifest, qemu, trial
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
        raise Failure(f"TEST={name}: lab {number} has {', '.join(test.name for test in lab.tests)}")
    if not (lab.path.parent / "tests" / f"{name}.py").exists():
        raise Failure(f"TEST={name} is a hidden test, which is not in this tree")
    return lab, test


def target(lab: Manifest, test: Listed, seed: str, place: Path, built: trial.Built, sources: Path, judged: bool) -> Target:
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
