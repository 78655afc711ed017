# SPDX-License-Identifier: MIT
"""The one model of a graded submission, and its form as result.json. Every report is a pure function of it.

The same submission, seed and tools give the same bytes: there is no time, no host's name and no path of the host in
it. Every text in it is one that a terminal may be shown: what came from a submission or out of a machine has its control
characters escaped already (`clean`). It is still text that a student may have chosen, so HTML, XML and CSV quote it.
"""

import dataclasses
import json
import types
import typing
from dataclasses import dataclass

FORMAT = 1

GRADED, INFRA, REFUSED, NOT_BUILT = "graded", "infra", "refused", "not-built"  # of a result
PASSED, FAILED, WAITS, NOT_RUN = "passed", "failed", "waits", "not-run"  # of a test, which may be INFRA as well
STATUSES = (GRADED, INFRA, REFUSED, NOT_BUILT)
TEST_STATUSES = (PASSED, FAILED, WAITS, INFRA, NOT_RUN)


class ResultError(Exception):
    """What was read is no result of this format. One line: place and reason."""


@dataclass(frozen=True)
class Lab:
    number: int
    name: str
    title: str


@dataclass(frozen=True)
class Ignored:
    """A file of a submission that was not taken."""

    name: str
    why: str


@dataclass(frozen=True)
class Submission:
    name: str  # the last part of what was given to grade
    digest: str  # SHA-256, over names and contents of the files taken; "" if refused before any was read
    taken: tuple[str, ...]
    ignored: tuple[Ignored, ...]  # the first ones; a last entry without a name says how many more


@dataclass(frozen=True)
class Tool:
    """An emulator or compiler that was used."""

    name: str
    version: str


@dataclass(frozen=True)
class Environment:
    sandbox: str  # "bubblewrap", or "none: " and why
    tools: tuple[Tool, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that was observed and is wrong."""

    what: str
    want: str
    got: str


@dataclass(frozen=True)
class Test:
    """A test of the lab, on every emulator that it was run on: it passes if it passes on each.

    `message` is one or a few lines: what happened, and what that usually means. `failure` is the class of it:
    "did not build", "did not boot", "triple fault", "halted with interrupts off", "budget used up", "wrong observation"
    and so on (trial.Verdict has them); "" if the test passed.
    """

    name: str
    exercise: str  # "3.1", or "whole"
    emulator: str  # "qemu", "bochs", "qemu+bochs" or "host"
    visibility: str  # "public", "hidden" or "hostile"
    points: int
    score: int | None  # None: infra and not-run have none
    status: str  # of TEST_STATUSES
    failure: str = ""
    failed_on: str = ""  # the emulator whose run failed
    message: str = ""
    findings: tuple[Finding, ...] = ()  # of tests that are not public the first only
    more: int = 0  # findings that are left out
    output: tuple[str, ...] = ()  # the last lines on the machine's serial line; of public tests only
    instructions: int | None = None  # executed in QEMU; None where nothing counts
    waits_for: tuple[str, ...] = ()  # exercises that this test leans on and that failed
    seed: str = ""
    reproduce: str = ""  # a command; "" if the test passed or was not run


@dataclass(frozen=True)
class Exercise:
    """An exercise of the lab; the last one may be "whole", for tests of all of the student's files together."""

    number: str
    title: str
    points: int
    score: int | None  # None: a test of it ended as infra
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """`points` is what the tests that ran could give, `score` what they gave: 0 if refused or not built, None if infra."""

    lab: Lab
    submission: Submission
    seed: str  # as given; "" where each test has its own, from the course's key
    environment: Environment
    status: str  # of STATUSES
    message: str  # why it was refused or not built, or what failed of the machinery; "" if graded
    score: int | None
    points: int
    exercises: tuple[Exercise, ...]
    tests: tuple[Test, ...]
    notes: tuple[str, ...] = ()
    format: int = FORMAT


def clean(text: str, limit: int = 400) -> str:
    """One line that changes nothing on a terminal: every character that is no printable ASCII is escaped."""
    shown = "".join(c if " " <= c <= "~" else c.encode("unicode_escape", "surrogatepass").decode() for c in text[:limit + 1])
    return shown if len(shown) <= limit else shown[:limit - 3] + "..."


def to_json(result: Result) -> str:
    """result.json: the fields by their names, `format` first."""
    fields = dataclasses.asdict(result)
    return json.dumps({"format": fields.pop("format"), **fields}, indent=2) + "\n"


def from_json(text: str | bytes) -> Result:
    """Reads what to_json wrote. ResultError if it is anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResultError(f"no JSON: {error}") from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ResultError(f"no result of format {FORMAT}")
    result = _read(Result, value, "result")
    if result.status not in STATUSES or any(test.status not in TEST_STATUSES for test in result.tests):
        raise ResultError("a status is none that this format has")
    return result


def _read(kind: object, value: object, where: str) -> typing.Any:
    """A value of a field's type."""
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise ResultError(f"{where} is no object")
        kinds = typing.get_type_hints(kind)
        if set(value) != set(kinds):
            odd = min(set(value) ^ set(kinds))
            raise ResultError(f"{where}: {clean(odd, 40)} is missing, or unknown")
        return kind(**{name: _read(kinds[name], value[name], f"{where}.{name}") for name in kinds})
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ResultError(f"{where} is no list")
        return tuple(_read(typing.get_args(kind)[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    wanted = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if type(value) not in wanted:
        raise ResultError(f"{where} has the wrong type")
    return value
