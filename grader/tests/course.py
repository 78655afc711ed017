# SPDX-License-Identifier: MIT
"""A course of two labs in a folder: a hypervisor of two functions, built in a second. What the grader's tests grade on."""

import shutil
import tempfile
from pathlib import Path

from atelier_grader import grade
from atelier_grader.result import Result, Test

from . import fakes

REPOSITORY = fakes.HERE.parent.parent

MAKEFILE = """\
CC := gcc
export HV_SYMBOLS := nothing
FLAGS := -m32 -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -DCOURSE -Isrc
BARE := -ffreestanding -fno-pie -fno-stack-protector -mno-sse
OBJ := src/first.c src/second.c guestos/mini/observe.c
build/bare/%.c.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) $(BARE) -MMD -c -o $@ $<
build/host/%.c.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) -MMD -c -o $@ $<
KERNEL := $(OBJ:%=build/bare/%.o) build/bare/tests/fake/fake.c.o
build/atelier-debug.elf: $(KERNEL)
	@$(CC) -m32 -nostdlib -static -no-pie -Wl,-N,-Ttext=0x100000,-e,start,--build-id=none,--no-warn-rwx-segments -o $@ $^
build/labs/%.elf: labs/%.c $(KERNEL)
	@mkdir -p $(@D)
	@$(CC) -m32 -nostdlib -static -no-pie -Wl,-N,-Ttext=0x100000,-e,start,--build-id=none,--no-warn-rwx-segments -o $@ $(KERNEL)
build/labs/lab1-fake/tests/program: $(OBJ:%=build/host/%.o) build/host/labs/lab1-fake/tests/program.c.o
	@mkdir -p $(@D)
	@$(CC) -m32 -o $@ $^
-include $(wildcard build/*/src/*.d build/*/tests/*/*.d build/*/labs/*/tests/*.d)
"""

CUT = """\
#!/bin/sh
# cut tree --lab N --kind fresh DEST
cd "$(dirname "$0")/.." && mkdir -p "$6" && cp -r Makefile src guestos tests labs "$6" && cp starter/lab$3/* "$6/src/"
rm -f "$6"/labs/*/tests/hid*
"""

FIRST = '#include "first.h"\nuint32_t triple(uint32_t x)\n{\n\treturn 3 * x;\n}\n'
SECOND = '#include "second.h"\nuint32_t second(void)\n{\n\treturn 0;\n}\n'
LAB2 = """
number = 2
name = "more"
title = "Does more run?"
editable = ["src/second.c", "src/second.h"]
[[exercise]]
number = "2.1"
title = "Nothing"
file = "src/second.c"
functions = ["second"]
[[test]]
name = "hidden"
exercise = "2.1"
points = 50
visibility = "hidden"
emulators = ["qemu"]
budget = 20
[[test]]
name = "together"
exercise = "whole"
points = 50
visibility = "public"
emulators = ["qemu"]
budget = 20
needs = ["2.1"]
"""


class Course:
    """A tree with both labs solved. With a cutter, it is the staff's; without, a student's own."""

    def __init__(self, root: Path, staff: bool = True):
        self.root = root
        copies = {"guestos/mini/observe.c": None, "guestos/mini/observe.h": None,
                  "tests/fake/fake.c": "grader/tests/fake/fake.c", "labs/lab1-fake/tests/program.c": "grader/tests/fake/program.c"}
        for name, source in copies.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            text = (REPOSITORY / (source or name)).read_text()
            if source:
                text = text.replace('"../../../guestos/mini/observe.h"', '"guestos/mini/observe.h"')
            if name.endswith("program.c"):
                text = text.replace("/*\n", "/* host test */\n/*\n", 1)
            (root / name).write_text(text)
        headers = {"first": "uint32_t triple(uint32_t x);", "second": "uint32_t second(void);"}
        self.write({
            "Makefile": MAKEFILE.replace("-Isrc", "-Isrc -I."), "src/first.c": FIRST, "src/second.c": SECOND,
            **{f"src/{name}.h": f"#pragma once\n#include <stdint.h>\n{line}\n" for name, line in headers.items()},
            "labs/lab1-fake/lab.toml": fakes.LAB.replace("src/fake.c", "src/first.c"), "labs/lab2-more/lab.toml": LAB2,
            "labs/lab1-fake/tests/triple.c": "// SPDX\n", "labs/lab2-more/tests/hidden.c": "// SPDX\n",
            "labs/lab2-more/tests/together.c": "// SPDX\n",
            "starter/lab1/first.c": FIRST.replace("3 * x", "1"), "starter/lab2/second.c": SECOND.replace("0", "1")})
        for lab, name, exercise in (("lab1-fake", "triple", "1.1"), ("lab1-fake", "program", "1.2"), ("lab2-more", "hidden", "2.1"),
                                    ("lab2-more", "together", "whole")):
            self.judge(lab, name, exercise)
        if staff:
            self.write({"tools/cut": CUT})
            (root / "tools/cut").chmod(0o755)

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def judge(self, lab: str, name: str, exercise: str, how: str = "ok", settings: str = "", more: str = "return") -> None:
        self.write({f"labs/{lab}/tests/{name}.py": fakes.JUDGE.format(
            name=name, exercise=exercise, how=how, factor=3, size=4501, settings=settings, more=more)})

    def grade(self, submission: Path, lab: int = 1, **options) -> Result:
        return grade.grade(submission, lab, grade.Options(root=self.root, **options))


def course(case, staff: bool = True) -> Course:
    """A course that goes away with the test case."""
    return Course(folder(case), staff)


def folder(case, files: dict[str, str] | None = None) -> Path:
    """A folder that everybody may read, perhaps a submission, that goes away with the test case."""
    temporary = tempfile.TemporaryDirectory(prefix="atelier-test-")
    case.addCleanup(shutil.rmtree, temporary.name, ignore_errors=True)
    case.addCleanup(temporary.cleanup)
    path = Path(temporary.name)
    path.chmod(0o755)
    for name, text in (files or {}).items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


def row(result: Result, name: str) -> Test:
    return next(test for test in result.tests if test.name == name)
