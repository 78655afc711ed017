# SPDX-License-Identifier: MIT
"""Stages as git repositories: DEST for students, DEST-solutions for staff.

The student repository is one line of *steps*: each lab's branch has the one before it as parent, so that it merges
into a student's finished lab. Staff's has the same commits and, a commit on top of each, *fresh* and *solved*.

Cutting again adds a commit to each branch whose tree is another now, with the branch below it as second parent;
nothing is ever rewritten. Commits are dated by the tree's own last commit: the same input gives the same ids.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import CutError, stage
from .stage import Course, Tree

NAME = "Atelier <atelier@localhost>"


@dataclass(frozen=True)
class Branch:
    name: str
    tree: Tree
    below: str | None  # the branch that it stands on
    what: str


def branches(course: Course, solutions: bool) -> list[Branch]:
    """In an order in which each comes after the one below it."""
    found: list[Branch] = []
    below = None
    for lab in course.labs:
        title = f"Lab {lab.number}: {lab.name}"
        found.append(Branch(lab.folder, stage.cut(course, lab.number, "step"), below, title))
        below = lab.folder
        if solutions:
            found += [Branch(f"{lab.folder}-{kind}", stage.cut(course, lab.number, kind), lab.folder, f"{title}, {kind}")
                      for kind in ("fresh", "solved")]
    return found


def _git(folder: Path, *words: str, given: bytes | None = None) -> str:
    done = subprocess.run(["git", *words], cwd=folder, input=given, capture_output=True, check=False)
    if done.returncode:
        raise CutError(f"{folder}: git {words[0]}: {done.stderr.decode(errors='replace').strip().splitlines()[-1]}")
    return done.stdout.decode().strip()


def _open(folder: Path, head: str) -> None:
    if not folder.exists():
        folder.mkdir(parents=True)
        _git(folder, "init", "--quiet", "--bare", f"--initial-branch={head}")
    elif not (folder / "HEAD").is_file():
        raise CutError(f"{folder} is there and is no repository that this made: name another place")


def _commit(branch: Branch, tip: str | None, parent: str | None, date: str) -> bytes:
    """A commit as git fast-import reads it: @tip is the branch's own last, @parent the last of the one below."""
    message = (branch.what if tip is None else f"{branch.what}: corrections").encode()
    parts = [f"commit refs/heads/{branch.name}\ncommitter {NAME} {date}\ndata {len(message)}\n".encode(), message, b"\n"]
    first = tip or parent
    if first:
        parts.append(f"from {first}\n".encode())
    if tip and parent:
        parts.append(f"merge {parent}\n".encode())
    parts.append(b"deleteall\n")
    for name, file in sorted(branch.tree.items()):
        parts.append(f"M {file.mode:o} inline {name}\ndata {len(file.data)}\n".encode() + file.data + b"\n")
    return b"".join(parts)


def _tree_id(folder: Path, branch: Branch) -> str:
    """The id that git gives a tree, by the way of an index of its own."""
    lines = []
    for name, file in sorted(branch.tree.items()):
        lines.append(f"M {file.mode:o} inline {name}\ndata {len(file.data)}\n".encode() + file.data + b"\n")
    head = f"commit refs/atelier/look\ncommitter {NAME} 0 +0000\ndata 0\n\ndeleteall\n".encode()
    _git(folder, "fast-import", "--quiet", "--force", given=head + b"".join(lines))
    tree = _git(folder, "rev-parse", "refs/atelier/look^{tree}")
    _git(folder, "update-ref", "-d", "refs/atelier/look")
    return tree


def _tip(folder: Path, name: str) -> str | None:
    done = subprocess.run(["git", "rev-parse", "--verify", "--quiet", f"refs/heads/{name}"],
                          cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _advance(folder: Path, branch: Branch, moved: dict[str, bool], date: str) -> bool:
    """Brings a branch up to its tree; whether it took a commit."""
    tip = _tip(folder, branch.name)
    parent = _tip(folder, branch.below) if branch.below else None
    carried = branch.below is not None and moved[branch.below]
    if tip and not carried and _git(folder, "rev-parse", f"{tip}^{{tree}}") == _tree_id(folder, branch):
        return False
    _git(folder, "fast-import", "--quiet", given=_commit(branch, tip, parent if carried or not tip else None, date))
    return True


def write(course: Course, root: Path, folder: Path, solutions: bool) -> dict[str, bool]:
    """Makes a repository, or brings it up to date; which of its branches took a commit."""
    wanted = branches(course, solutions)
    _open(folder, wanted[0].name)
    date = _git(root, "log", "-1", "--format=%ad", "--date=raw")
    moved: dict[str, bool] = {}
    for branch in wanted:
        moved[branch.name] = _advance(folder, branch, moved, date)
    return moved
