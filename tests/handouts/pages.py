# SPDX-License-Identifier: MIT
"""The handouts' texts, and what of them all tests read."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEXTS = ROOT / "handouts"
FENCE = re.compile(r"^```(\w*)([^\n`]*)\n(.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)


def texts(pattern: str = "*.md") -> list[Path]:
    return sorted(TEXTS.glob(pattern))


def place(path: Path, text: str, at: int) -> str:
    return f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, at) + 1}"


def manifest(path: Path) -> dict | None:
    """The manifest of the lab that a text is about."""
    file = ROOT / "labs" / path.stem / "lab.toml"
    return tomllib.loads(file.read_text()) if path.stem.startswith("lab") and file.exists() else None


def lab_texts() -> Iterator[tuple[Path, str, dict]]:
    for path in texts("lab*.md"):
        known = manifest(path)
        if known:
            yield path, path.read_text(), known
