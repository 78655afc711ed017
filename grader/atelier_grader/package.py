# SPDX-License-Identifier: MIT
"""A copy of the grader for its sandboxes: compiled, readable by everybody, and with nothing beside it."""

import functools
import hashlib
import os
import py_compile
import shutil
import tempfile
from pathlib import Path

from . import bochs, emulator, qemu

PYTHON = ["/usr/bin/python3", "-I", "-S", "-B"]


@functools.cache
def made() -> Path:
    """The folder with the copy; made when there is none of these very files."""
    tools = [qemu.plugin(), bochs.rom()]
    sources = sorted(path for path in emulator.HERE.iterdir() if path.suffix in (".py", ".c", ".S"))
    digest = hashlib.sha256()
    for path in (*sources, *tools):
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + f"\0{path.stat().st_mtime_ns}".encode())
    folder = emulator.TOOLS / f"package-{digest.hexdigest()[:16]}"
    if folder.exists():
        return folder
    with tempfile.TemporaryDirectory(dir=emulator.TOOLS) as scratch:
        new = Path(scratch, "new")
        for path, place in [*((path, new / "atelier_grader") for path in sources), *((path, new / "tools") for path in tools)]:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)
            if path.suffix == ".py":
                py_compile.compile(str(place / path.name), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        for path in (new, *new.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.suffix == ".so" else 0o644)
        try:
            os.rename(new, folder)
        except OSError:  # another grader was faster
            if not folder.exists():
                raise
    return folder


def step(name: str) -> list[str]:
    """The command that runs a step of steps.py."""
    return [*PYTHON, str(made() / "atelier_grader" / "steps.py"), name]
