# SPDX-License-Identifier: MIT
"""What tools/platform makes for grading platforms: what is in it, and what must not be."""

import io
import json
import re
import subprocess
import sys
import tarfile
import unittest
import zipfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "grader")]

from cutter import stage  # noqa: E402

PRIVATE = ("gradescope", "autolab", "prairielearn")
SHARED = ("classroom50", "gitlab", "github")
LAB = 3
Files = dict[str, tuple[int, bytes]]  # name → mode, contents


def run(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(ROOT / "tools/platform"), *words], capture_output=True, text=True, check=False, cwd=ROOT)


def read(place: Path) -> Files:
    """A folder's or a zip archive's files."""
    if place.suffix == ".zip":
        with zipfile.ZipFile(place) as packed:
            return {about.filename: (about.external_attr >> 16 & 0o777, packed.read(about)) for about in packed.infolist()}
    return {path.name: (path.stat().st_mode & 0o777, path.read_bytes()) for path in place.iterdir()}


@cache
def made(name: str) -> Files:
    done = run(name, "--lab", str(LAB))
    if done.returncode:
        raise AssertionError(done.stderr)
    return read(ROOT / done.stdout.strip())


@cache
def tree(name: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(made(name)["atelier.tar.gz"][1])) as packed:
        return {one.name: packed.extractfile(one).read() for one in packed if one.isfile()}


class Platforms(unittest.TestCase):
    def test_the_tree_is_the_fresh_one_of_the_lab(self) -> None:
        fresh = stage.cut(stage.load(ROOT), LAB, "fresh")
        for name in PRIVATE + SHARED:
            for path, file in fresh.items():
                if file.mode != 0o120000:
                    self.assertEqual(tree(name)[path], file.data, f"{name}: {path}")

    def test_hidden_tests_are_where_nobody_else_reads_alone(self) -> None:
        lab = stage.load(ROOT).lab(LAB)
        hidden = {f"labs/{lab.folder}/tests/{test.name}.py" for test in lab.tests if test.visibility != "public"}
        for name in PRIVATE:
            self.assertLessEqual(hidden, tree(name).keys())
        for name in SHARED:
            self.assertFalse(hidden & tree(name).keys())

    def test_a_key_is_refused_where_students_can_read_it(self) -> None:
        key = ROOT / "build/platforms/test.key"
        key.parent.mkdir(parents=True, exist_ok=True)
        key.write_text("0123456789abcdef\n")
        self.addCleanup(key.unlink)
        for name in SHARED:
            done = run(name, "--lab", str(LAB), "--key", str(key))
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("must not be in it", done.stderr)

    def test_no_place_is_left_to_be_filled_in_but_the_registry(self) -> None:
        for name in PRIVATE + SHARED:
            for path, (_, data) in made(name).items():
                if not path.endswith((".gz", ".tar")):
                    self.assertFalse(re.search(rb"@[A-Z]+@", data), f"{name}: {path}")

    def test_gradescope_finds_its_two_programs_at_the_root(self) -> None:
        for program in ("setup.sh", "run_autograder"):
            self.assertEqual(made("gradescope")[program][0], 0o755)

    def test_autolab_s_archive_has_the_program_that_its_makefile_calls(self) -> None:
        with tarfile.open(fileobj=io.BytesIO(made("autolab")["autograde.tar"][1])) as packed:
            self.assertEqual([(one.name, one.mode) for one in packed], [("grade", 0o755)])
        self.assertIn(b"./grade ", made("autolab")["autograde-Makefile"][1])

    def test_prairielearn_s_and_classroom50_s_json_can_be_read(self) -> None:
        self.assertEqual(json.loads(made("prairielearn")["info.json"][1])["externalGradingOptions"]["timeout"], 600)
        self.assertIn("image", json.loads(made("classroom50")["runtime.json"][1])["container"])

    def test_prairielearn_s_files_get_their_folders_back(self) -> None:
        for path in stage.load(ROOT).lab(LAB).editable:
            self.assertIn(path.encode(), made("prairielearn")["run"][1])

    def test_the_same_tree_gives_the_same_bytes(self) -> None:
        before = made("gradescope")["atelier.tar.gz"][1]
        self.assertEqual(read(ROOT / run("gradescope", "--lab", str(LAB)).stdout.strip())["atelier.tar.gz"][1], before)

    def test_scripts_are_scripts(self) -> None:
        for name in PRIVATE:
            for path, (mode, data) in made(name).items():
                if mode & 0o100:
                    self.assertEqual(subprocess.run(["bash", "-n"], input=data, check=False).returncode, 0, f"{name}: {path}")

    def test_a_lab_that_there_is_not_is_refused_in_a_line(self) -> None:
        done = run("gradescope", "--lab", "12")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^platform: there is no lab 12[^\n]*\n$")


if __name__ == "__main__":
    unittest.main()
