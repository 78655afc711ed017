# SPDX-License-Identifier: MIT
"""What students hand in, in the texts: made of the solution, its starter, and solutions/LAB/{wrong,different}."""

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from pages import ROOT

sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "grader")]

from cutter import stage  # noqa: E402

Files = dict[str, bytes]
ROSTER = "name,mail\nkim,kim@example.org\nlee,lee@example.org\n"


@cache
def _editable(lab: int, form: str) -> stage.Tree:
    course = stage.load(ROOT)
    tree = stage.cut(course, lab, form)
    return {name: tree[name] for each in course.labs if each.number == lab for name in each.editable}


def of(lab: int, form: str, patch: Path | None = None) -> Files:
    """The files that students of a lab may change: `fresh` or `solved`, with a patch."""
    tree = _editable(lab, form)
    with tempfile.TemporaryDirectory() as folder:
        stage.write(tree, Path(folder))
        if patch:
            subprocess.run(["patch", "-p1", "-s", "-f", "--no-backup-if-mismatch", "-i", patch], cwd=folder, check=True)
        return {name: (Path(folder) / name).read_bytes() for name in tree}


def _patches(lab: int, kind: str) -> list[Path]:
    return sorted(ROOT.glob(f"solutions/lab{lab}-*/{kind}/*.patch"))


def write(files: Files, path: Path) -> None:
    """As a folder or an archive, whichever the name is of."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    elif path.suffix == ".gz":
        with tarfile.open(path, "w:gz") as archive:
            for name, data in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    else:
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)


def two_of_lab_3(folder: Path) -> None:
    """One who believed whom a request named, and one who has all points; and their roster."""
    (folder / "submissions").mkdir()
    write(of(3, "solved", next(p for p in _patches(3, "wrong") if p.stem == "anyone-names")), folder / "submissions/kim")
    write(of(3, "solved"), folder / "submissions/lee.tar.gz")
    (folder / "class.csv").write_text(ROSTER)


def a_hundred_of_lab_1(folder: Path) -> None:
    """The solution, all wrong ones, all different designs and the starter, again and again, as folders and archives in turn."""
    (folder / "class").mkdir()
    kinds = [("right", of(1, "solved"))]
    kinds += [(p.stem, of(1, "solved", p)) for p in _patches(1, "wrong")]
    kinds += [(f"d-{p.stem}", of(1, "solved", p)) for p in _patches(1, "different")]
    kinds += [("starter", of(1, "fresh"))]
    for number in range(100):
        name, files = kinds[number % len(kinds)]
        write(files, folder / "class" / f"s{number:03}-{name}{('', '.zip', '.tar.gz')[number % 3]}")
