# SPDX-License-Identifier: MIT
"""Scripted sessions of GDB: what each order printed, by order. A session that hangs is a failure."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "grader"))

from atelier_grader import elf, manifest, trial  # noqa: E402

MARK = "--order--"
ONLY = os.environ.get("ONLY_LAB", "")  # sessions on tests of this lab alone

SCRIPT = """\
python
import gdb
for order in {orders!r}:
    print({mark!r}, flush=True)
    try:
        gdb.execute(order)
    except gdb.error as error:
        print("error:", error, flush=True)
print({mark!r}, flush=True)
end
"""


@dataclass(frozen=True)
class Session:
    """What a session printed: before its first order, and for each of them."""

    status: int
    before: str
    said: tuple[str, ...]
    whole: str

    def __getitem__(self, number: int) -> str:
        return self.said[number]


def debug(lab: int, test: str, *orders: str, seed: str = "1", reverse: bool = False, more: tuple[str, ...] = (),
          tree: Path = ROOT, seconds: float = 90.0) -> Session:
    """A lab's test under GDB, from the hypervisor's first instruction on. AssertionError if it is not over in time."""
    if ONLY not in ("", str(lab)):
        raise unittest.SkipTest(f"only those of lab {ONLY}")
    words = ["--lab", str(lab), "--test", test, "--seed", seed, *(["--reverse"] if reverse else []), *more]
    return _session([str(tree / "tools/debug"), *words], orders, tree, seconds)


def system(*orders: str, more: tuple[str, ...] = ("--guest=mini",), tree: Path = ROOT, seconds: float = 90.0) -> Session:
    """The system of `make run` under GDB."""
    if ONLY:
        raise unittest.SkipTest(f"only those of lab {ONLY}")
    return _session([str(tree / "tools/run"), "--gdb", *more], orders, tree, seconds)


def _session(words: list[str], orders: tuple[str, ...], tree: Path, seconds: float) -> Session:
    with tempfile.NamedTemporaryFile("w", suffix=".gdb") as script:
        script.write(SCRIPT.format(orders=list(orders), mark=MARK))
        script.flush()
        process = subprocess.Popen([*words, "--script", script.name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, cwd=tree, start_new_session=True)  # fmt: skip
        try:
            out = process.communicate(timeout=seconds)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            out = process.communicate()[0].decode(errors="replace")
            raise AssertionError(f"the session hangs: not over after {seconds:.0f} s; it printed last:\n{out[-2000:]}") from None
    before, *said = out.split(MARK + "\n")
    if len(said) != len(orders) + 1:
        raise AssertionError(f"the session broke off (status {process.returncode}); it printed:\n{out[-3000:]}")
    return Session(process.returncode, before, tuple(said[:-1]), out)


# ---- where right answers come from ----

def lab_folder(number: int) -> Path | None:
    return next(iter((ROOT / "labs").glob(f"lab{number}-*")), None)


def needs_lab(number: int) -> Callable:
    """Skips a test in the stages of the course in which that lab is not there yet."""
    return unittest.skipUnless(lab_folder(number), f"lab {number} is yet to come")


def told(lab: int, name: str, seed: str = "1") -> dict:
    """What the judge of a test tells its guests: the inputs of that seed."""
    of = next(of for of in manifest.load_all(ROOT) if of.number == lab)
    test = next(test for test in of.tests if test.name == name)
    return trial.ask(of, test, "qemu", seed).given


def guest_symbol(lab: int, guest: str, name: str) -> int:
    """Where something lies in a test's guest."""
    return elf.read(ROOT / "build/labs" / lab_folder(lab).name / "tests" / f"{guest}.elf").symbols[name].address


def raw(place: str, length: str) -> str:
    """The order that prints memory as it is, without anything of tools/gdb: two expressions."""
    return ("python print(gdb.selected_inferior().read_memory(int(gdb.parse_and_eval('''(unsigned int)({})''')), "
            "int(gdb.parse_and_eval('''{}''')) ).tobytes().hex())").format(place, length)


def read_raw(printed: str) -> bytes:
    return bytes.fromhex(printed.strip().splitlines()[-1])


def physical(frame: str, length: int = 4096) -> str:
    """The order with which the emulator itself prints a frame's words; @frame is an expression."""
    return f"python gdb.execute('monitor xp /{length // 4}xw %#x' % (int(gdb.parse_and_eval('{frame}')) * 4096))"


def read_physical(printed: str) -> bytes:
    words = [int(word, 16) for line in printed.splitlines() if re.match("[0-9a-f]{16}: ", line) for word in line.split()[1:]]
    return b"".join(word.to_bytes(4, "little") for word in words)


def rows(printed: str, head: str) -> list[list[str]]:
    """The lines of a table, cut where two blanks or more stand; @head: the first word of its head."""
    lines = printed.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:1] == [head])
    return [re.split(" {2,}", line.strip()) for line in lines[start + 1:]]


def value(printed: str) -> int:
    """What GDB's print said."""
    return int(printed.strip().splitlines()[-1].split("=")[-1].split()[0], 0)
