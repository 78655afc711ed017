# SPDX-License-Identifier: MIT
"""Executable files as they are on the host: what is loaded, and the symbols, each file read once."""

import sys
from functools import cache
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "grader"))

from atelier_grader import elf  # noqa: E402

from .command import Failure  # noqa: E402


def executable(path: str | Path) -> elf.Elf:
    try:
        return _read(Path(path), Path(path).stat().st_mtime_ns)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None
    except elf.ElfError as error:
        raise Failure(str(error)) from None


@cache
def _read(path: Path, _changed: int) -> elf.Elf:
    return elf.read(path)
