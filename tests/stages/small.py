# SPDX-License-Identifier: MIT
"""A course of two labs and three files, in a git repository of its own, for the cutter to be tried on."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "grader")]

LAB = """\
number = {number}
name = "{name}"
title = "?"
editable = ["src/{name}.c"]
{more}
[[exercise]]
number = "{number}.1"
title = "One"
file = "src/{name}.c"
functions = ["{name}_do"]

[[test]]
name = "open-{name}"
exercise = "{number}.1"
points = 60
visibility = "public"
emulators = ["qemu"]

[[test]]
name = "closed-{name}"
exercise = "{number}.1"
points = 40
visibility = "hidden"
emulators = ["qemu"]
"""

SOLVED = """\
// SPDX-License-Identifier: MIT
#include "{name}.h"

/* ---- help ---- */

#define SECRET	7

/* Only the solution needs it. */
static int help(int a)
{{
	return a * SECRET;
}}

/* ---- the call ---- */

int {name}_do(int a)
{{
	if (a < 0)
		return -1;
	return help(a);
}}

/* Given. */
int {name}_given(void)
{{
	return 1;
}}
"""

STARTER = """\
/*
 * Exercise {number}.1. What it must do.
 */
int {name}_do(int a)
{{
	return exercise_missing("{number}.1");
}}
"""

SHARED = """\
int table[] = {
	1,
	2,	/* lab 2 */
};
"""


def files() -> dict[str, str]:
    made = {"src/shared.c": SHARED, "src/two.c": SOLVED.format(name="two"), "src/one.c": SOLVED.format(name="one"),
            "Makefile": "all:\nextra:  # lab 2\n", "notes.txt": "the staff's\n",
            "labs/course.toml": 'staff = ["notes.txt", "labs/course.toml"]\n',
            "labs/student/README.md": "Students read this.\n", "src/two.h": "int two_do(int a);\n", "src/one.h": "int one_do(int a);\n",
            "labs/lab2-two/before/src/two.c": "int two_do(int a) { return 0; }\n"}
    for number, name in ((1, "one"), (2, "two")):
        folder = f"labs/lab{number}-{name}"
        more = 'drop = ["SECRET"]' + ('\nadds = ["src/two.*"]' if number == 2 else "")
        made |= {f"{folder}/lab.toml": LAB.format(number=number, name=name, more=more),
                 f"{folder}/starter/src/{name}.c": STARTER.format(number=number, name=name)}
        made |= {f"{folder}/tests/{kind}-{name}.{suffix}": f"{kind} {name} shared-{kind}\n"
                 for kind in ("open", "closed") for suffix in ("c", "py")}
        made |= {f"{folder}/tests/shared-{kind}.h": "\n" for kind in ("open", "closed")}
    return made


def commit(root: Path, changed: dict[str, str]) -> None:
    for name, text in changed.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "course", "--date=2026-01-02T03:04:05Z")


def make(root: Path) -> Path:
    root.mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    commit(root, files())
    return root


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@localhost", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout
