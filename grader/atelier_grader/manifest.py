# SPDX-License-Identifier: MIT
"""Reads labs/labN-name/lab.toml: a lab's exercises, the files a student may change, its tests.

    number = 1
    name = "hypercalls"
    title = "How can code that you do not trust ask you for something?"
    editable = ["src/hypercall.c"]      what a student may change
    adds = ["src/hypercall.c"]          files that are not there before this lab
    drop = ["some_table"]               what only the solution uses (both are read by tools/cut)

    waiting = 10                        points of tests that are still to be written; none if left out

    [[exercise]]
    number = "1.1"
    title = "Dispatch"
    file = "src/hypercall.c"            one file, or
    functions = ["hypercall_init"]      files = { "src/a.c" = ["f"], "src/b.c" = ["g"] }

    [[test]]
    name = "table"
    exercise = "1.1"                    or "whole"
    points = 5
    visibility = "public"               or "hidden", "hostile"
    emulators = ["qemu"]                "qemu", "bochs", or both, or "host" alone
    budget = 100                        millions of instructions; 100 if left out
    needs = ["1.4"]                     exercises that the test leans on; none if left out

Errors are one line each, with the file's name in front.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

EMULATORS = (("qemu",), ("bochs",), ("qemu", "bochs"), ("host",))
VISIBILITIES = ("public", "hidden", "hostile")
LAB_POINTS = 100
DEFAULT_BUDGET = 100
MILLION = 1_000_000


class ManifestError(Exception):
    """One line: file, place and remedy."""


@dataclass(frozen=True)
class Exercise:
    number: str
    title: str
    functions: tuple[tuple[str, str], ...]  # file, name


@dataclass(frozen=True)
class Test:
    name: str
    exercise: str
    points: int
    visibility: str
    emulators: tuple[str, ...]
    budget: int  # instructions
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    path: Path
    number: int
    name: str
    title: str
    editable: tuple[str, ...]
    adds: tuple[str, ...]
    drop: tuple[str, ...]
    waiting: int
    exercises: tuple[Exercise, ...]
    tests: tuple[Test, ...]

    @property
    def folder(self) -> str:
        """The lab's folder under labs/ and build/labs/."""
        return self.path.parent.name


class _Table:
    """A table of the file: each key is taken once, has one type, and none is left over."""

    def __init__(self, where: str, values: object):
        if not isinstance(values, dict):
            raise ManifestError(f"{where} is no table")
        self.where = where
        self.values = dict(values)

    def take(self, key: str, kind: type, default: object = None):
        if key not in self.values:
            if default is None:
                raise ManifestError(f"{self.where} has no {key}")
            return default
        value = self.values.pop(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ManifestError(f"{self.where}: {key} must be of type {kind.__name__}, and is {value!r}")
        return value

    def names(self, key: str, default: list | None = None) -> tuple[str, ...]:
        value = self.take(key, list, default)
        if not all(isinstance(item, str) for item in value):
            raise ManifestError(f"{self.where}: {key} must be a list of strings")
        return tuple(value)

    def choice(self, key: str, choices: tuple):
        value = self.names(key) if isinstance(choices[0], tuple) else self.take(key, str)
        if value not in choices:
            texts = ", ".join(str(list(c) if isinstance(c, tuple) else c) for c in choices)
            raise ManifestError(f"{self.where}: {key} must be one of {texts}")
        return value

    def done(self) -> None:
        for key in self.values:
            raise ManifestError(f"{self.where}: nobody knows the key {key}")


def _exercise(where: str, values: object) -> Exercise:
    table = _Table(where, values)
    number = table.take("number", str)
    table.where = where = f"{where.split(':')[0]}: exercise {number}"
    title = table.take("title", str)
    if "files" in table.values:
        files = table.take("files", dict)
    else:
        files = {table.take("file", str): list(table.names("functions"))}
    table.done()
    for file, functions in files.items():
        if not isinstance(functions, list) or not functions or not all(isinstance(f, str) for f in functions):
            raise ManifestError(f"{where}: {file} needs a list of functions")
    return Exercise(number, title, tuple((file, f) for file, fs in files.items() for f in fs))


def _test(where: str, values: object) -> Test:
    table = _Table(where, values)
    name = table.take("name", str)
    table.where = where = f"{where.split(':')[0]}: test {name}"
    test = Test(
        name, table.take("exercise", str), table.take("points", int),
        table.choice("visibility", VISIBILITIES), table.choice("emulators", EMULATORS),
        table.take("budget", int, DEFAULT_BUDGET) * MILLION, table.names("needs", []))
    table.done()
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ManifestError(f"{where}: a test's name is made of a-z, 0-9 and -")
    if test.points < 0 or test.budget <= 0:
        raise ManifestError(f"{where}: points may not be negative, and a budget must be positive")
    return test


def load(path: Path) -> Manifest:
    """Reads a manifest and checks what it says by itself. `problems` holds it against the tree."""
    where = "/".join(path.parts[-3:])
    try:
        table = _Table(where, tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ManifestError(f"{where}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{where}: {error}") from error

    manifest = Manifest(
        path, table.take("number", int), table.take("name", str), table.take("title", str),
        table.names("editable"), table.names("adds", []), table.names("drop", []), table.take("waiting", int, 0),
        tuple(_exercise(f"{where}: exercise", e) for e in table.take("exercise", list)),
        tuple(_test(f"{where}: test", t) for t in table.take("test", list)))
    table.done()
    _check(where, manifest)
    return manifest


def _check(where: str, manifest: Manifest) -> None:
    if manifest.folder != f"lab{manifest.number}-{manifest.name}":
        raise ManifestError(f"{where}: number and name say lab{manifest.number}-{manifest.name}")
    numbers = [e.number for e in manifest.exercises]
    for e in manifest.exercises:
        if not re.fullmatch(rf"{manifest.number}\.[1-9]", e.number) or numbers.count(e.number) > 1:
            raise ManifestError(f"{where}: exercise {e.number} is there twice or is no exercise of this lab")
        for file, _ in e.functions:
            if file not in manifest.editable:
                raise ManifestError(f"{where}: exercise {e.number} is in {file}, which is not editable")
    for file in (*manifest.editable, *manifest.adds):
        if file.startswith("/") or ".." in Path(file).parts:
            raise ManifestError(f"{where}: {file} leads out of the tree")
    names = [t.name for t in manifest.tests]
    for t in manifest.tests:
        if names.count(t.name) > 1:
            raise ManifestError(f"{where}: test {t.name} is there twice")
        if t.exercise in t.needs:
            raise ManifestError(f"{where}: test {t.name} needs its own exercise")
        for number in (t.exercise, *t.needs):
            if number != "whole" and number.split(".")[0] == str(manifest.number) and number not in numbers:
                raise ManifestError(f"{where}: test {t.name} names exercise {number}, which is not there")
        if t.exercise != "whole" and t.exercise not in numbers:
            raise ManifestError(f"{where}: test {t.name} names exercise {t.exercise}, which is not there")
    total = sum(t.points for t in manifest.tests) + manifest.waiting
    if total != LAB_POINTS:
        raise ManifestError(f"{where}: the tests have {total} points together, not {LAB_POINTS}")


def load_all(root: Path) -> list[Manifest]:
    """The manifests of a tree, by number."""
    return sorted((load(path) for path in root.glob("labs/lab*/lab.toml")), key=lambda m: m.number)


def problems(manifest: Manifest, root: Path) -> list[str]:
    """What a manifest names and the tree has not, one line each."""
    where = "/".join(manifest.path.parts[-3:])
    found = [f"{where}: {file} is editable and is not there"
             for file in manifest.editable if not (root / file).is_file()]
    for exercise in manifest.exercises:
        for file, function in exercise.functions:
            path = root / file
            if path.is_file() and not defines(path.read_text(errors="replace"), function):
                found.append(f"{where}: exercise {exercise.number} names {function}, "
                             f"which {file} does not define")
    for test in manifest.tests:
        for suffix in (".c", ".py"):
            if not (manifest.path.parent / "tests" / (test.name + suffix)).is_file():
                found.append(f"{where}: test {test.name} has no tests/{test.name}{suffix}")
    return found


_COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def defines(source: str, function: str) -> bool:
    """Whether C in kernel layout defines a function: what starts at the margin and has a body."""
    for match in re.finditer(rf"\b{re.escape(function)}\([^;{{}}]*\)\s*\{{", _COMMENTS.sub("", source)):
        before = match.string[:match.start()]
        start = re.split(r"[;}]\n|\n\n|^#.*\n", before, flags=re.MULTILINE)[-1].lstrip("\n")
        if re.match(r"[A-Za-z_*]*", start) and not re.search(r"^\s|[={}]", start, re.MULTILINE):
            return True
    return False
