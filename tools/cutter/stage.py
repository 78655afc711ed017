# SPDX-License-Identifier: MIT
"""The files of one stage: what of the tree is there in lab N, and how its exercises read.

Three kinds of tree a lab: *step* (labs 1 to N are there, no exercise is solved), *fresh* (labs 1 to N-1 are solved)
and *solved*. Four means make them from the finished tree, the first that does:

    whole files       `adds` in lab.toml: not there before that lab; nor is the lab's own folder, nor its handout and pictures
    whole functions   labs/LAB/starter/FILE: the exercise functions as handed out, by name
    a file as it was  labs/LAB/before/FILE: stands there before that lab
    one line          ends in a tag, /* lab 5 */ or # lab 5: not there before that lab

labs/course.toml names what is the staff's alone; what is in labs/student/ every stage has, in the place of
what the tree has there.
"""

import re
import subprocess
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from atelier_grader import manifest
from atelier_grader.manifest import Exercise, Manifest, ManifestError

from . import CutError, source

KINDS = ("step", "fresh", "solved")
TAG = re.compile(rb"[ \t]*(?:/\* lab (\d) \*/|# lab (\d))$")
STUDENT = "labs/student/"


@dataclass(frozen=True)
class File:
    """A symbolic link is its target."""

    mode: int  # as git has it: 0o100644, 0o100755 or 0o120000
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode("utf-8")


Tree = dict[str, File]


@dataclass(frozen=True)
class Course:
    """What stages are cut from."""

    files: Tree  # all that git knows here
    labs: tuple[Manifest, ...]
    staff: tuple[str, ...]  # patterns

    def lab(self, number: int) -> Manifest:
        for lab in self.labs:
            if lab.number == number:
                return lab
        raise CutError(f"there is no lab {number}; there are {', '.join(str(lab.number) for lab in self.labs)}")


def load(root: Path) -> Course:
    """Reads the tree: of the files that git knows their working copies."""
    listed = subprocess.run(["git", "ls-files", "-z", "--stage"], cwd=root, capture_output=True, check=False)
    if listed.returncode:
        raise CutError(f"{root} is no git repository: stages are cut from the files that git knows")
    files = {}
    for entry in listed.stdout.decode().split("\0")[:-1]:
        head, name = entry.split("\t", 1)
        path = root / name
        if path.is_symlink():
            files[name] = File(0o120000, str(path.readlink()).encode())
        elif path.exists():
            files[name] = File(0o100755 if head.startswith("100755") else 0o100644, path.read_bytes())
    try:
        labs = tuple(manifest.load_all(root))
        staff = tuple(tomllib.loads(files["labs/course.toml"].text)["staff"])
    except ManifestError as error:
        raise CutError(str(error)) from error
    except (KeyError, tomllib.TOMLDecodeError) as error:
        raise CutError(f"labs/course.toml: {error}") from error
    course = Course(files, labs, staff)
    _check(course)
    return course


def matches(name: str, patterns: Iterable[str]) -> bool:
    """A pattern names a file, a folder (it ends in a slash), or has stars, which stop at slashes."""
    return any(name.startswith(p) if p.endswith("/") else PurePosixPath("/" + name).match("/" + p) for p in patterns)


def _check(course: Course) -> None:
    for pattern in course.staff:
        if not any(matches(name, [pattern]) for name in course.files):
            raise CutError(f"labs/course.toml: staff names {pattern}, which is not there")
    for lab in course.labs:
        for pattern in lab.adds:
            if not any(matches(name, [pattern]) for name in course.files):
                raise CutError(f"labs/{lab.folder}/lab.toml: adds names {pattern}, which is not there")


# ---- which files ----

def handed_out(course: Course, lab: Manifest) -> set[str]:
    """The files of a lab's own folder that students get: the manifest, public tests, what those are made of, the demo."""
    folder = f"labs/{lab.folder}/"
    tests = {name for name in course.files if name.startswith(folder + "tests/")}
    public = {test.name for test in lab.tests if test.visibility == "public"}
    own = {test.name for test in lab.tests}
    given = {name for name in tests if PurePosixPath(name).stem in public}
    while more := {name for name in tests - given if PurePosixPath(name).stem not in own
                   and any(_names(course.files[other].text, name) for other in given)}:
        given |= more
    demo = {name for name in course.files if name.startswith(folder + "demo/")}
    return given | demo | {folder + "lab.toml"}


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(PurePosixPath(name).stem)}(?![\w-])", text) is not None


def _there(course: Course, number: int) -> Tree:
    """What the tree has in lab @number, all of it solved and with lines of later labs in it."""
    kept = {name: file for name, file in course.files.items()
            if not matches(name, course.staff) and not re.match(r"labs/(lab\d|student/)", name) and not _of_later_handout(name, number)}
    for lab in course.labs:
        if lab.number <= number:
            kept |= {name: course.files[name] for name in handed_out(course, lab) if name in course.files}
        else:
            kept = {name: file for name, file in kept.items() if not matches(name, lab.adds)}
    for lab in reversed(course.labs):
        if lab.number > number:
            kept |= _below(course, f"labs/{lab.folder}/before/")
    return kept | _below(course, STUDENT)


def _of_later_handout(name: str, number: int) -> bool:
    of_lab = re.match(r"handouts/(?:pictures/)?lab(\d)", name)
    return of_lab is not None and int(of_lab[1]) > number


def _below(course: Course, folder: str) -> Tree:
    return {name.removeprefix(folder): file for name, file in course.files.items() if name.startswith(folder)}


# ---- how they read ----

def untag(data: bytes, number: int) -> bytes:
    """Without the lines of labs after @number."""
    if b" lab " not in data:
        return data
    kept = []
    for line in data.split(b"\n"):
        tag = TAG.search(line)
        if not tag or int(tag[1] or tag[2]) <= number:
            kept.append(line)
    return b"\n".join(kept)


def _shared(name: str, file: File, number: int) -> File:
    """A file without the lines of later labs, and without the functions that only those called."""
    data = file.data if file.mode == 0o120000 else untag(file.data, number)
    if data != file.data and name.endswith(".c"):
        data = source.prune(data.decode("utf-8"), source.idle(file.text)).encode()
    return File(file.mode, data)


def _handed(course: Course, lab: Manifest, exercise: Exercise, path: str, name: str) -> list[str]:
    """An exercise function's lines as handed out."""
    starter = f"labs/{lab.folder}/starter/{path}"
    if starter not in course.files:
        raise CutError(f"labs/{lab.folder}/lab.toml: exercise {exercise.number} names {name}, for which there is no {starter}")
    text = course.files[starter].text
    item = source.one(text, name, f"{starter}: exercise {exercise.number}:")
    if item.first == item.start:
        raise CutError(f"{starter}: {name} has no comment: the contract stands there")
    return source.lines_of(text, item)


def unsolve(course: Course, lab: Manifest, tree: Tree) -> Tree:
    """The tree with the lab's exercises as handed out."""
    texts = {path: tree[path].text for path in lab.editable}
    for exercise in lab.exercises:
        for path, name in exercise.functions:
            where = f"labs/{lab.folder}/lab.toml: exercise {exercise.number}: {path}"
            item = source.one(texts[path], name, where)
            texts[path] = source.replace(texts[path], item, _handed(course, lab, exercise, path, name))
    for name in lab.drop:
        _, _, name = name.rpartition(":")
        holders = [path for path, text in texts.items() if any(item.name == name for item in source.items(text))]
        if len(holders) != 1:
            raise CutError(f"labs/{lab.folder}/lab.toml: drop names {name}, which {len(holders) or 'none'} of its files define")
        texts[holders[0]] = source.without(texts[holders[0]], name)
    exercises = frozenset(name for exercise in lab.exercises for _, name in exercise.functions)
    # What a header has is for those who include it.
    pruned = {path: source.prune(text, exercises) if path.endswith(".c") else text for path, text in texts.items()}
    changed = {path: File(tree[path].mode, text.encode()) for path, text in pruned.items()}
    return tree | changed


def cut(course: Course, number: int, kind: str) -> Tree:
    """The tree of lab @number, of a kind of KINDS."""
    course.lab(number)
    tree = {name: _shared(name, file, number) for name, file in _there(course, number).items()}
    first = {"step": 1, "fresh": number, "solved": number + 1}[kind]
    for lab in course.labs:
        if first <= lab.number <= number:
            tree = unsolve(course, lab, tree)
    return tree


def write(tree: Tree, folder: Path) -> None:
    """Puts a tree into a folder, which takes its place; what is built there, under build/, stays."""
    for name, file in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.mode == 0o120000:
            path.unlink(missing_ok=True)
            path.symlink_to(file.data.decode())
        elif not path.is_file() or path.read_bytes() != file.data:
            path.write_bytes(file.data)
        if file.mode != 0o120000:
            path.chmod(file.mode & 0o777)
    for path in sorted(folder.rglob("*"), reverse=True):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] in ("build", ".git") or name in tree:
            continue
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        else:
            path.unlink()
