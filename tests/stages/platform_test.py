# SPDX-License-Identifier: MIT
"""What tools/platform makes for grading platforms: what is in it, and what must not be."""

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile
from collections.abc import Sequence
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

    def test_the_scores_are_the_last_line_for_autolab_when_the_machinery_failed_too(self) -> None:
        with tempfile.TemporaryDirectory() as name, tarfile.open(Path(name, "autograde.tar"), "w") as packed:
            place = Path(name)
            (place / "grade").write_text("#!/bin/sh\necho '{\"scores\": {}}'\nexit 1\n")
            (place / "grade").chmod(0o755)
            packed.add(place / "grade", "grade")
            packed.close()
            (place / "handin.tar").touch()
            (place / "Makefile").write_bytes(made("autolab")["autograde-Makefile"][1])
            done = subprocess.run(["make"], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.stdout.splitlines()[-1], '{"scores": {}}')

    def test_autolab_s_image_has_what_all_have_and_then_what_tango_wants(self) -> None:
        common, own = (made(name)["Dockerfile"][1].decode() for name in ("gitlab", "autolab"))
        self.assertTrue(own.startswith(common))
        self.assertRegex(own[len(common):], r"(?s)/usr/bin/autodriver\nWORKDIR /home\nRUN useradd autolab && useradd autograde ")

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


BASE = "debian:12"
IMAGE = "localhost/atelier-platform-test"
CHROOT = "--isolation=chroot"  # needs no privileges, and has no user namespaces: as little as a platform may give
LIMITS = ["prlimit", "--nproc=100", "--fsize=1073741824"]  # Tango's, as the guide wants them set
# A machine that reaches Debian's archives in a way of its own says so here: `--volume=/etc/apt/…:…:ro`, `--env=…`
OPTIONS = os.environ.get("PLATFORM_TEST_OPTIONS", "").split()


def no_images() -> str:
    """Why no image can be built here; "" if one can."""
    if not shutil.which("buildah"):
        return "buildah is not installed"
    here = subprocess.run(["buildah", "images", "--quiet", BASE], capture_output=True, check=False)
    return "" if here.stdout else f"there is no image {BASE} here: `buildah pull {BASE}`"


@unittest.skipIf(reason := no_images(), reason)
class Images(unittest.TestCase):
    """Autolab's image of lab 1, which is everybody's and more, built and used; a quarter of an hour, and 2 GB of disk."""

    @classmethod
    def setUpClass(cls) -> None:
        package = ROOT / run("autolab", "--lab", "1").stdout.strip()
        with tempfile.TemporaryDirectory() as tango:  # in the place of Tango's own image
            (Path(tango) / "usr/bin").mkdir(parents=True)
            shutil.copy("/usr/bin/true", Path(tango) / "usr/bin/autodriver")
            done = subprocess.run(
                ["buildah", "build", CHROOT, "--pull-never", *OPTIONS, f"--build-context=autograding_image={tango}",
                 f"--tag={IMAGE}", package],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        if done.returncode:
            raise AssertionError(done.stdout[-2000:] + done.stderr[-2000:])
        cls.addClassCleanup(subprocess.run, ["buildah", "rmi", "--force", IMAGE], stdout=subprocess.DEVNULL, check=False)

    def graded(self, change: str = "", limits: Sequence[str] = LIMITS) -> list[str]:
        """What Autolab is told of the solved lab, with a wrong solution's patch over it."""
        course = stage.load(ROOT)
        lab = course.lab(1)
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            stage.write(stage.cut(course, 1, "solved"), place / "solved")
            if change:
                patch = ROOT / "solutions" / lab.folder / "wrong" / change
                subprocess.run(["patch", "-p1", "-s", "-i", patch], cwd=place / "solved", check=True)
            with tarfile.open(place / "handin.tar", "w") as packed:
                packed.add(place / "solved", ".")
            shutil.rmtree(place / "solved")
            shutil.copy(ROOT / "build/platforms/lab1-autolab/autograde.tar", place)
            shutil.copy(ROOT / "build/platforms/lab1-autolab/autograde-Makefile", place / "Makefile")
            job = f"cp -r /mnt/* autograde; chown -R autograde: autograde; cd autograde; su autograde -c '{shlex.join(limits)} make'"
            container = subprocess.check_output(["buildah", "from", "--pull-never", IMAGE], text=True).strip()
            self.addCleanup(subprocess.run, ["buildah", "rm", container], stdout=subprocess.DEVNULL, check=False)
            done = subprocess.run(["buildah", "run", CHROOT, f"--volume={place}:/mnt", container, "--", "sh", "-c", job],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout.splitlines()

    def test_the_reference_has_all_points_and_the_report_names_the_sandbox(self) -> None:
        said = self.graded()
        self.assertEqual(json.loads(said[-1]), {"scores": {"1.1": 15, "1.2": 15, "1.3": 25, "1.4": 20, "1.5": 25}})
        self.assertTrue(any(re.match("sandbox (none|bubblewrap)", line) for line in said))

    def test_a_wrong_solution_loses_the_points_of_its_exercise(self) -> None:
        said = self.graded("number-signed.patch")
        self.assertEqual(json.loads(said[-1]), {"scores": {"1.1": 5, "1.2": 15, "1.3": 25, "1.4": 20, "1.5": 25}})

    def test_limits_that_are_too_low_are_no_score(self) -> None:
        said = self.graded(limits=["prlimit", "--fsize=104857600"])
        self.assertEqual(json.loads(said[-1]), {"scores": {}})
        self.assertTrue(any("failed to set the FSIZE resource limit" in line for line in said))


if __name__ == "__main__":
    unittest.main()
