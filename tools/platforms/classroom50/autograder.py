# SPDX-License-Identifier: MIT
"""Classroom 50 runs this in the student's checkout, in a container of the Dockerfile's image, with the public tests.

It leaves result.json there. Another status than 0 means that the machinery failed.
"""

import subprocess
import sys
from pathlib import Path

COMMAND = ["grader/grade", "--lab", "@LAB@", *"@SEED@".split(), "--format", "classroom50"]

here = Path.cwd()
done = subprocess.run([*COMMAND, "--out", str(here / "result.json"), str(here)], cwd="/atelier", check=False)
sys.exit(0 if (here / "result.json").exists() else done.returncode or 1)
