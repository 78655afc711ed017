# SPDX-License-Identifier: MIT
"""The trees that transcripts are run in, made when the first one wants them.

    here             this tree
    fresh, solved    a stage as it is handed out, and as it should be in the end
    clone            a student's clone, of lab 1's branch at first; its page's transcripts go on where the last one left it.
                     `clone lab1`: lab 1 is solved in it first
    staff            this tree with a home of its own, some submissions and a roster; kept for a page as well
"""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import submissions
from pages import ROOT

SECONDS = 900  # for a command: it may build a whole tree first
KINDS = ("here", "fresh", "solved", "clone", "staff")
LABS_TREE = ("fresh", "solved")  # which say nothing without a lab


class Trouble(Exception):
    """Why a transcript cannot be run."""


@dataclass(frozen=True)
class Tree:
    """Which one: @lab is a folder of labs/, "" for none; @page whose transcripts share it, if they do."""

    kind: str
    lab: str = ""
    page: str = ""


@dataclass(frozen=True)
class Place:
    """Where a tree's commands are run, with what in the environment; @url: of the repository that a text calls URL."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def run(self, command: str) -> str:
        """What a command prints."""
        given = command.replace("clone URL ", f"clone {self.url} ") if self.url else command
        done = subprocess.run(
            ["bash", "-c", given], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=SECONDS, check=False, env=environment() | self.environment,
        )  # fmt: skip
        return done.stdout.decode(errors="replace")


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


def tree_of(page: str, words: list[str]) -> Tree:
    """The tree that a transcript of a page is about, from the words after `console`."""
    kind = next((w for w in words if w in KINDS), "" if words else "fresh")
    named = next((w for w in words if re.fullmatch(r"lab\d", w)), "")
    lab = named or (page if kind in LABS_TREE else "")
    names = [folder.name for folder in sorted((ROOT / "labs").glob(f"{lab}*")) if (folder / "lab.toml").exists()] if lab else [""]
    if not kind or len(names) != 1 or set(words) - {kind, named}:
        raise Trouble(f"handouts/{page}.md: `console {' '.join(words)}` names no tree: {', '.join(KINDS)}, the second two with a lab")
    return Tree(kind, names[0], page if kind in ("clone", "staff") else "")


def place_of(tree: Tree) -> Place:
    if tree.kind == "here":
        return Place(ROOT)
    if tree.kind == "clone":
        return _clone(tree)
    if tree.kind == "staff":
        return _staff(tree.page)
    return Place(_stage(tree.lab, tree.kind))


def _make(*words: str) -> None:
    done = subprocess.run(["make", "-s", *words], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment())
    if done.returncode:
        raise Trouble(f"`make {' '.join(words)}` ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")


def _number(lab: str) -> int:
    return int(re.match(r"lab(\d)", lab)[1])


def _stage(lab: str, kind: str) -> Path:
    _make("stage", f"LAB={_number(lab)}", *(["SOLVED=1"] if kind == "solved" else []))
    return ROOT / "build/stages" / f"{lab}-{kind}"


@cache
def _folder(page: str, kind: str) -> tempfile.TemporaryDirectory:
    """A folder that goes when the program ends."""
    return tempfile.TemporaryDirectory(prefix=f"atelier-{page}-{kind}-")


def _clone(tree: Tree) -> Place:
    """Where `git clone URL atelier` is typed, and from then on the clone."""
    folder = Path(_folder(tree.page, "clone").name)
    student = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
               for what, value in (("NAME", "A Student"), ("EMAIL", "student@example.org"))}
    if not (folder / "served").exists():
        _make("branches", f"DEST={folder / 'served'}")
    clone = folder / "atelier"
    if tree.lab:
        _solve(clone, _number(tree.lab))
    return Place(clone if clone.exists() else folder, student, str(folder / "served"))


@cache
def _solve(clone: Path, lab: int) -> None:
    """Once: what is merged into it later stays as it is."""
    submissions.write(submissions.of(lab, "solved"), clone)


def _staff(page: str) -> Place:
    """Links to all of this tree, and beside them what a course has: where `~` is that folder too."""
    folder = Path(_folder(page, "staff").name)
    if not (folder / "submissions").exists():
        for entry in ROOT.iterdir():
            if entry.name != ".git":
                (folder / entry.name).symlink_to(entry)
        submissions.two_of_lab_3(folder)
        submissions.a_hundred_of_lab_1(folder)
    return Place(folder, {"HOME": str(folder)})
