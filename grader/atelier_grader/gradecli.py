# SPDX-License-Identifier: MIT
"""The command grader/grade: grades one submission, and writes the report of it."""

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import manifest, report, sandbox
from .emulator import ROOT, Infra
from .grade import Options, grade
from .manifest import ManifestError
from .result import INFRA, Result, clean

ENDED, NO_SCORE, NO_SENSE, INTERRUPTED = 0, 1, 2, 130
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class KeyFileError(Exception):
    """One line: file, reason, remedy."""


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="grader/grade", description="Grades one submission: a folder, a tar or zip archive, or a bare git repository. "
        "The status says whether there is a score, not which: 0, or 1 where the machinery failed (INFRA).")
    parser.add_argument("submission", type=Path, metavar="SUBMISSION")
    parser.add_argument("--lab", type=int, metavar="N", help="the lab (default: every lab, one after the other)")
    parser.add_argument("--test", metavar="T", help="only this test")
    parser.add_argument("--emulator", choices=("qemu", "bochs", "host"), help="only what runs there")
    parser.add_argument("--seed", default="1", help="what the inputs are drawn from (default: 1)")
    parser.add_argument("--key", type=Path, metavar="FILE",
                        help="the course's key: each submission and test gets inputs of its own (instead of --seed)")
    parser.add_argument("--format", choices=tuple(report.FORMATS), default="text", help="of the report (default: text)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the report there")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="things at a time (default: one a processor)")
    return parser.parse_args(words)


def main(words: list[str] | None = None, root: Path = ROOT) -> int:
    """The exit status: 0 there is a result, 1 the machinery failed in it, 2 the command made no sense."""
    options = arguments(sys.argv[1:] if words is None else words)
    try:
        labs = [options.lab] if options.lab is not None else [lab.number for lab in manifest.load_all(root)]
        if len(labs) != 1 and options.format != "text":
            raise ManifestError(f"--format {options.format} is for one lab: add --lab N")
        key = read_key(options.key).encode() if options.key else b""
        wishes = Options(options.test, options.emulator, options.seed, key, options.jobs, root, _say)
        with _orderly_end():
            results = [grade(options.submission, lab, wishes) for lab in labs]
        text = "\n".join(report.FORMATS[options.format](result) for result in results)
        if options.out:
            options.out.write_text(text)
        else:
            print(text, end="")
    except (ManifestError, KeyFileError, Infra, report.NoScore) as error:
        print(f"grade: {error}", file=sys.stderr)
        return NO_SCORE if isinstance(error, (Infra, report.NoScore)) else NO_SENSE
    except OSError as error:
        print(f"grade: {clean(str(error.filename))}: {error.strerror}", file=sys.stderr)
        return NO_SENSE
    except KeyboardInterrupt:
        print("grade: interrupted", file=sys.stderr)
        return INTERRUPTED
    return NO_SCORE if any(result.status == INFRA for result in results) else ENDED


@contextmanager
def _orderly_end() -> Iterator[None]:
    """Whoever tells us to end gets that at once, and finds nothing left: no process, no folder."""
    def end(number: int, frame: object) -> None:
        for other in heard:
            signal.signal(other, signal.SIG_IGN)  # what is left to do is short
        sandbox.ending = True
        raise KeyboardInterrupt

    heard = [number for number in ENDINGS if signal.getsignal(number) != signal.SIG_IGN]  # who has us run on, as nohup does, gets that
    before = {number: signal.signal(number, end) for number in heard}
    try:
        yield
    finally:
        sandbox.ending = False
        for number, handler in before.items():
            signal.signal(number, handler)


def read_key(path: Path) -> str:
    """The course's key, out of its file. KeyFileError if there is none, or one that can be guessed."""
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path}: {getattr(error, 'strerror', None) or 'no text'}: a key is a file with one line") from None
    if len(key) < 16:
        raise KeyFileError(f"{path}: a key of {len(key)} characters can be guessed: `openssl rand -hex 16` makes a good one")
    return key


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)
