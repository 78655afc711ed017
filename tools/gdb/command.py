# SPDX-License-Identifier: MIT
"""The command `atl` and what its subcommands share: how they are made, how they fail, and how they print.

A subcommand is a function that takes its words and prints; its docstring is its help, the first line of it in the list that
`help atl` shows. All of them only read. Whatever cannot be read ends in one line that says so, and never in a traceback:
the machine may be broken, half built, or not started, which is when somebody looks.
"""

import textwrap
from collections.abc import Callable, Iterable, Sequence

import gdb

WIDTH = 80  # a serial terminal


class Failure(Exception):
    """Why a command has no answer: one line, in the course's words."""


class _Atl(gdb.Command):
    """What the hypervisor's own tables say, in the course's words. All of it only reads."""

    def __init__(self) -> None:
        super().__init__("atl", gdb.COMMAND_DATA, gdb.COMPLETE_COMMAND, True)


Run = Callable[[list[str]], None]
Complete = Callable[[], Iterable[str]]


class _Sub(gdb.Command):
    def __init__(self, name: str, run: Run, complete: Complete | None):
        self.__doc__ = run.__doc__
        self.name, self.run, self.words = name, run, complete
        super().__init__(f"atl {name}", gdb.COMMAND_DATA)

    def invoke(self, arguments: str, _from_tty: bool) -> None:
        try:
            self.run(gdb.string_to_argv(arguments))
        except Failure as failure:
            raise gdb.GdbError(f"atl {self.name}: {failure}") from None
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"atl {self.name}: {error}: the hypervisor's tables are not there yet, or broken") from None
        except gdb.error as error:
            raise gdb.GdbError(f"atl {self.name}: {error}") from None

    def complete(self, _text: str, word: str) -> list[str]:
        try:
            return [text for text in (self.words() if self.words else ()) if text.startswith(word or "")]
        except (Failure, gdb.error):
            return []


_Atl()


def command(name: str, complete: Complete | None = None) -> Callable[[Run], Run]:
    """Makes a function the subcommand `atl NAME`."""
    def make(run: Run) -> Run:
        _Sub(name, run, complete)
        return run
    return make


def words(given: Sequence[str], usage: str, least: int, most: int | None = None) -> Sequence[str]:
    """The words of a command, if there are as many as it takes; @usage names them."""
    most = least if most is None else most
    if not least <= len(given) <= most:
        raise Failure(f"say: atl {usage}")
    return given


def expression(given: Sequence[str], usage: str) -> str:
    """The one argument of a command, which may have blanks in it: `$sp + 4`."""
    return " ".join(words(given, usage, 1, len(given)))


def number(text: str, what: str) -> int:
    """A number, or an expression of GDB's that is one: `0x2a1`, `d->id`, `$pc`; of a function its address."""
    try:
        value = gdb.parse_and_eval(text)
        return int(value.address if value.type.code == gdb.TYPE_CODE_FUNC else value) & 0xFFFFFFFF
    except (gdb.error, ValueError, OverflowError) as error:
        raise Failure(f"{text}: no {what}: {error}") from None


def clean(text: str) -> str:
    """What a guest or a submission wrote, for a terminal."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def duration(ns: int) -> str:
    """A time as people say it: `1.25 ms`. It may be negative."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if abs(ns) >= size:
            return f"{ns / size:.3f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{ns} ns"


def paragraph(text: str, indent: str = "") -> None:
    """Prints sentences, in lines that fit a terminal."""
    say(textwrap.fill(text, WIDTH, subsequent_indent=indent))


def say(text: str = "") -> None:
    print(text, flush=True)


def table(head: Sequence[str], rows: Iterable[Sequence[object]], right: str = "") -> None:
    """Prints rows below a head, in columns; @right: the letters of those columns that are to the right, `a` being the first.

    What is too long for a terminal is cut in its last column."""
    lines = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        cells = [cell.rjust(width) if chr(97 + i) in right else cell.ljust(width)
                 for i, (cell, width) in enumerate(zip(line, widths, strict=True))]
        text = "  ".join(cells).rstrip()
        say(text if len(text) <= WIDTH else text[:WIDTH - 1] + "…")
