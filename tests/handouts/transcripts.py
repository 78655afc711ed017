# SPDX-License-Identifier: MIT
"""Runs the ```console blocks of the texts, and compares what they print with what stands there."""

import difflib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pages import FENCE, ROOT, place, texts
from trees import SECONDS, Place, Tree, Trouble, environment, place_of, tree_of

SHOWN = 25  # lines of a difference, at its beginning and at its end
PROMPT = re.compile(r"(?:\(gdb\)|<bochs:\d+>) (.*)")
IN_BACKGROUND = " &"  # at a command's end
LONG = "long"  # behind `console`: only where there is time for it


@dataclass(frozen=True)
class Transcript:
    where: str  # file and line
    tree: Tree
    text: str
    wrong: tuple[int, str] | None = None  # a lab and the name of a mistake, whose hypervisor is debugged


def transcripts(page: str | None, long: bool) -> Iterator[Transcript]:
    for path in texts(f"{page}.md" if page else "*.md"):
        text = path.read_text()
        for block in FENCE.finditer(text):
            words = block[2].split()
            if block[1] != "console" or (LONG in words) != long:
                continue
            wrong = hypervisor_of(path, words) if "wrong" in words else None
            tree = Tree("here") if wrong else tree_of(path.stem, [w for w in words if w != LONG])
            yield Transcript(place(path, text, block.start()), tree, block[3], wrong)


def hypervisor_of(path: Path, words: list[str]) -> tuple[int, str]:
    """The known mistake that a transcript is about: its lab, and its name."""
    lab = re.search(r"lab(\d)", next((w for w in words if re.fullmatch(r"lab\d", w)), path.stem))
    if not lab or not any(ROOT.glob(f"solutions/lab{lab[1]}-*/wrong/{words[-1]}.patch")):
        raise Trouble(f"{path.relative_to(ROOT)}: `console {' '.join(words)}` names no mistake of solutions/: lab3 wrong SLUG")
    return int(lab[1]), words[-1]


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a transcript, a backslash at the end going on in the next line, with what it prints."""
    command, printed = "", []
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, printed
            command, printed = line[2:], []
        elif command.endswith("\\") and not printed:
            command += "\n" + line
        else:
            printed.append(line.rstrip())
    if command:
        yield command, printed


def fits(wanted: list[str], got: list[str]) -> bool:
    """Whether what was printed is what stands in the text, `…` standing for anything."""
    if not wanted:
        return not got
    if wanted[0].strip() == "…":
        return any(fits(wanted[1:], got[i:]) for i in range(len(got) + 1))
    pattern = ".*".join(map(re.escape, wanted[0].split("…")))
    return bool(got) and re.fullmatch(pattern, got[0]) is not None and fits(wanted[1:], got[1:])


def cleaned(output: str) -> list[str]:
    """What a reader sees of an output: no colours, no carriage returns, no empty lines at its end."""
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\r", "", output).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def differences(transcript: Transcript, command: str, wanted: list[str], output: str) -> Iterator[str]:
    """What is printed and stands not so in the text."""
    got = cleaned(output)
    while wanted and not wanted[-1]:
        wanted = wanted[:-1]
    if not fits(wanted, got):
        yield f"{transcript.where}: `{command}` prints something else:"
        lines = list(difflib.unified_diff(wanted, got, "in the text", "printed", lineterm=""))
        middle = ["[…]"] if len(lines) > 2 * SHOWN else []
        yield from (f"    {line}" for line in lines[:SHOWN] + middle + lines[max(SHOWN, len(lines) - SHOWN):])


def play(transcript: Transcript) -> Iterator[str]:
    """Runs a transcript's commands one after the other."""
    with background() as start:
        for command, wanted in commands(transcript.text):
            where = place_of(transcript.tree)  # a command may have made a clone
            try:
                if command.endswith(IN_BACKGROUND):
                    yield from differences(transcript, command, wanted, start(command.removesuffix(IN_BACKGROUND), len(wanted), where))
                elif any(PROMPT.match(line) for line in wanted):
                    yield from play_session(transcript, command, wanted, where)
                else:
                    yield from differences(transcript, command, wanted, where.run(command))
            except subprocess.TimeoutExpired:
                yield f"{transcript.where}: `{command}` was not over after {SECONDS} s"
                return


@contextmanager
def background() -> Iterator:
    """Starts commands that go on beside the next ones, and ends those that are left."""
    started = []

    def start(command: str, lines: int, where: Place) -> str:
        process = subprocess.Popen(["bash", "-c", command], cwd=where.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True, env=environment())  # fmt: skip
        started.append(process)
        return b"".join(process.stdout.readline() for _ in range(lines)).decode(errors="replace")

    try:
        yield start
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.communicate()


def play_session(transcript: Transcript, command: str, lines: list[str], where: Place) -> Iterator[str]:
    """Runs a debugger with the orders of a transcript. What is printed before the first may be left out."""
    sys.path.insert(0, str(ROOT / "tests/gdb"))
    import sessions
    import wrong

    at = [i for i, line in enumerate(lines) if PROMPT.match(line)]
    orders = [PROMPT.match(lines[i])[1] for i in at]
    wanted = [lines[i + 1:end] for i, end in zip(at, [*at[1:], len(lines)], strict=True)]
    in_bochs = lines[at[0]].startswith("<")
    with tempfile.NamedTemporaryFile("w", suffix=".orders") as script:
        script.write("\n".join([*orders, ""]) if in_bochs else sessions.SCRIPT.format(orders=orders, mark=sessions.MARK))
        script.flush()
        more = f" HYPERVISOR={wrong.hypervisor(*transcript.wrong)}" if transcript.wrong else ""
        given = f" SCRIPT={script.name}{more}" if command.startswith("make ") else f" -batch -x {script.name}"
        output = where.run(command + given)
    said = re.split(r"^<bochs:\d+> .*\n" if in_bochs else rf"^{sessions.MARK}\n", output, flags=re.MULTILINE)[1:]
    for i, (order, text) in enumerate(zip(orders, wanted, strict=True)):
        if i < len(said):
            yield from differences(transcript, order, [line for line in text if line], re.sub(r"\n\n+|\A\n", "\n", said[i]).lstrip("\n"))
        else:
            yield f"{transcript.where}: the session broke off before `{order}`; it printed last: {output[-500:]}"
            return
