# SPDX-License-Identifier: MIT
"""Plays the editor: does what .vscode/launch.json of a student's tree says, with GDB as an editor starts it, and a person's breakpoint.

Visual Studio Code itself cannot be had here: this is what its C/C++ extension does with these files, order by order.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from small import ROOT  # noqa: E402

from cutter import stage  # noqa: E402

TREE = ROOT / "build/stages/check/lab1-hypercalls-step"
ANSWERS = {"lab": "1", "test": "hello", "seed": "1"}  # what the person types
BUILD_SECONDS, SECONDS = 600, 60
QUIET = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


def settings(name: str) -> dict:
    """A file of VS Code's: JSON with comments, and with what it fills in filled in."""
    text = re.sub(r"^//.*$", "", (TREE / ".vscode" / name).read_text(), flags=re.MULTILINE)
    text = text.replace("${workspaceFolder}", str(TREE))
    return json.loads(re.sub(r"\$\{input:(\w+)\}", lambda found: ANSWERS[found[1]], text))


class Gdb:
    """GDB in an editor's hands."""

    def __init__(self, launch: dict):
        words = [launch["miDebuggerPath"], "--interpreter=mi", *shlex.split(launch["miDebuggerArgs"])]
        self.process = subprocess.Popen(words, cwd=launch["cwd"], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
        self.clock = threading.Timer(SECONDS, lambda: os.killpg(self.process.pid, signal.SIGKILL))
        self.clock.start()
        self.said = ""

    def until(self, pattern: str) -> str:
        for line in self.process.stdout:
            self.said += line
            if re.match(pattern, line):
                return line
        raise AssertionError(f"GDB never said {pattern}; it said:\n{self.said[-3000:]}")

    def order(self, text: str) -> str:
        """One as the extension sends it: what is no order of the machine interface goes to the console. The answer."""
        order = text if text.startswith("-") else f'-interpreter-exec console "{text}"'
        self.process.stdin.write(f"7{order}\n")
        self.process.stdin.flush()
        answer = self.until(r"7\^")
        if answer.startswith("7^error"):
            raise AssertionError(f"{text}: {answer}")
        return answer

    def close(self) -> None:
        self.clock.cancel()
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Editor(unittest.TestCase):
    def setUp(self) -> None:
        stage.write(stage.cut(stage.load(ROOT), 1, "step"), TREE)
        self.launch = settings("launch.json")["configurations"][0]
        self.task = next(task for task in settings("tasks.json")["tasks"] if task["label"] == self.launch["preLaunchTask"])

    def serve(self) -> subprocess.Popen:
        """Runs the task before the launch, up to the line that ends it for the editor."""
        matcher = self.task["problemMatcher"]
        process = subprocess.Popen([self.task["command"], *self.task["args"]], cwd=TREE, text=True, stdin=subprocess.DEVNULL, env=QUIET,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
        clock = threading.Timer(BUILD_SECONDS, lambda: os.killpg(process.pid, signal.SIGTERM))
        clock.start()
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(lambda: process.poll() is None and os.killpg(process.pid, signal.SIGTERM))
        said = ""
        for line in process.stdout:
            said += line
            if re.match(matcher["background"]["endsPattern"], line):
                break
        else:
            self.fail(f"the task never came to its end: {said[-2000:]}")
        clock.cancel()
        self.assertNotRegex(said, re.compile(matcher["pattern"]["regexp"], re.MULTILINE))
        return process

    def test_f5_runs_a_test_to_a_breakpoint_and_ends_the_machine(self) -> None:
        server = self.serve()
        gdb = Gdb(self.launch)
        self.addCleanup(gdb.close)
        for step in self.launch["customLaunchSetupCommands"]:
            gdb.order(step["text"])
        number = next(i for i, line in enumerate((TREE / "src/lib/exercise.c").read_text().split("\n"), 1) if "exercise_missing(" in line)
        gdb.order(f"-break-insert -f {TREE}/src/lib/exercise.c:{number}")
        self.assertEqual(self.launch["launchCompleteCommand"], "exec-continue")
        gdb.order("-exec-continue")
        self.assertIn('func="boot"', gdb.until(r'\*stopped,reason="breakpoint-hit"'))  # the hypervisor's first instruction
        gdb.order("-exec-continue")
        stopped = gdb.until(r'\*stopped,reason="breakpoint-hit"')
        self.assertIn('func="exercise_missing"', stopped)
        self.assertIn(f'fullname="{TREE}/src/lib/exercise.c"', stopped)
        self.assertIn('file="src/hypercall.c"', gdb.order("-stack-list-frames"))  # who called it: one of lab 1's
        gdb.order("atl domains")
        self.assertIn("there is no domain yet", gdb.said)
        gdb.order("-gdb-exit")
        self.assertEqual(server.wait(SECONDS), 0)
        self.assertFalse((TREE / "build/gdb/session").exists())

    def test_a_slip_is_told_by_the_task(self) -> None:
        done = subprocess.run([self.task["command"], "gdb-server", "LAB=1", "TEST=nothing"], cwd=TREE, capture_output=True, text=True,
                              env=QUIET, timeout=BUILD_SECONDS, check=False)  # fmt: skip
        self.assertRegex(done.stderr, re.compile(self.task["problemMatcher"]["pattern"]["regexp"], re.MULTILINE))


if __name__ == "__main__":
    unittest.main()
