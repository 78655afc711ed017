# SPDX-License-Identifier: MIT
"""A tree with one lab whose hypervisor, guest and judge are fakes: what the runner's tests run on."""

import atexit
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

from atelier_grader import manifest, trial
from atelier_grader.manifest import Manifest

HERE = Path(__file__).resolve().parent
OBSERVE = HERE.parent.parent / "guestos" / "mini" / "observe.c"
WARNINGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"]

LAB = """
number = 1
name = "fake"
title = "Does the runner run?"
editable = ["src/fake.c"]
[[exercise]]
number = "1.1"
title = "Triple"
file = "src/fake.c"
functions = ["triple"]
[[exercise]]
number = "1.2"
title = "Echo"
file = "src/fake.c"
functions = ["echo"]
[[test]]
name = "triple"
exercise = "1.1"
points = 50
visibility = "public"
emulators = ["qemu", "bochs"]
budget = 20
[[test]]
name = "program"
exercise = "1.2"
points = 50
visibility = "hidden"
emulators = ["host"]
"""

JUDGE = """
from atelier_grader.judge import Finding, Guest

EXERCISE = "{exercise}"
DOMAINS = (Guest("{name}", args="how={how}"),)
{settings}

def inputs(rng):
    return {{"numbers": [rng.randrange(-10000, 10000) for _ in range(40)],
            "text": rng.randbytes({size}), "last": 77}}


def judge(given, seen, outside):
    for i, number in enumerate(given["numbers"]):
        got = seen.one("triple", i)
        want = number * {factor}
        if got.out != want:
            yield Finding(EXERCISE, f"three times {{number}}", want, got.out)
    if seen.one("echo").data != given["text"]:
        yield Finding(EXERCISE, "the echo", given["text"], seen.one("echo").data)
    if seen.one("last").word != 77:
        yield Finding(EXERCISE, "the word behind the text", 77, seen.one("last").word)
    {more}
"""


@functools.cache
def built() -> Path:
    """A folder with fake.elf and program, built once."""
    folder = Path(tempfile.mkdtemp(prefix="atelier-fakes-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(
        ["gcc", "-m32", *WARNINGS, "-ffreestanding", "-fno-pie", "-fno-stack-protector", "-mno-sse",
         "-nostdlib", "-static", "-Wl,-N,-Ttext=0x100000,-e,start,--build-id=none,--no-warn-rwx-segments",
         "-o", str(folder / "fake.elf"), str(HERE / "fake" / "fake.c"), str(OBSERVE)], check=True)
    subprocess.run(["gcc", *WARNINGS, "-o", str(folder / "program"), str(HERE / "fake" / "program.c"),
                    str(OBSERVE)], check=True)
    return folder


class Tree:
    """A built tree in a folder of its own."""

    def __init__(self, root: Path):
        self.root = root
        tests = root / "labs" / "lab1-fake" / "tests"
        products = root / "build" / "labs" / "lab1-fake" / "tests"
        for folder in (tests, products, root / "src"):
            folder.mkdir(parents=True)
        (root / "src" / "fake.c").write_text(
            "int triple(int x)\n{\n\treturn 3 * x;\n}\n\nint echo(int x)\n{\n\treturn x;\n}\n")
        (tests.parent / "lab.toml").write_text(LAB)
        for product, source in ((f"build/{trial.TESTED}", "fake.elf"),
                                ("build/labs/lab1-fake/tests/triple.elf", "fake.elf"),
                                ("build/labs/lab1-fake/tests/program", "program")):
            (root / product).symlink_to(built() / source)
        for name in ("triple", "program"):
            self.judge(name)

    def judge(self, name: str, how: str = "ok", factor: int = 3, size: int | str = 4501,
              settings: str = "", more: str = "return") -> None:
        """Writes a judge: how the guest ends, and what the judge takes three times to be."""
        path = self.root / "labs" / "lab1-fake" / "tests" / f"{name}.py"
        path.write_text(JUDGE.format(
            name=name, exercise="1.1" if name == "triple" else "1.2", how=how, factor=factor, size=size,
            settings=settings, more=more))

    def lab(self) -> Manifest:
        return manifest.load(self.root / "labs" / "lab1-fake" / "lab.toml")

    def run(self, name: str, where: str, seed: str = "1") -> trial.Outcome:
        lab = self.lab()
        test = next(t for t in lab.tests if t.name == name)
        return trial.run(self.root, lab, test, where, seed, self.root / "run")


def tree(case) -> Tree:
    """A tree that goes away with the test case."""
    folder = tempfile.TemporaryDirectory(prefix="atelier-tree-")
    case.addCleanup(folder.cleanup)
    return Tree(Path(folder.name))
