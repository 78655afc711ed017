# SPDX-License-Identifier: MIT
"""Reads a submission: a folder, a tar or zip archive, or a bare git repository. All of it is bytes; nothing of it is unpacked.

`read` runs in a sandbox that sees the submission and nothing else, and hands over the few files that are wanted, by our
names for them. No file is made by a name of the submission's, no link is followed, no configuration of a repository is read
(its objects are looked at from an empty one), so there is nothing to escape from. What cannot be a mistake, such as
a name that leads out of an archive, refuses the whole submission, in one line; what is merely not ours is left aside.
"""

import hashlib
import os
import re
import stat
import subprocess
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path

MAX_ARCHIVE = 64 << 20  # bytes of an archive
MAX_CONTENT = 256 << 20  # bytes in it, unpacked
MAX_ENTRIES = 20_000
MAX_FILE = 256 << 10  # bytes of a file that is taken
MAX_LOOK = 1 << 20  # of one that is only compared with ours
MAX_LOOKS = 64 << 20
MAX_DEPTH = 2  # folders around the tree
MAX_NAMED = 5_000  # files left aside that are told
NOT_LOOKED_INTO = {".git", "build", "__MACOSX", "__pycache__"}


class Refused(Exception):
    """The submission cannot be graded as it is. One line, with what to do."""


@dataclass(frozen=True)
class Entry:
    """Something in a submission. `read` gives a file's first bytes."""

    name: str
    kind: str  # "file", or what it is instead
    size: int  # as it says; what can be read may be less or more
    read: Callable[[int], bytes]


# What Python's readers raise for archives that are none, or damaged.
DAMAGED = (tarfile.TarError, zipfile.BadZipFile, EOFError, LZMAError, zlib.error, OSError, NotImplementedError, ValueError, OverflowError,
           RuntimeError, MemoryError)


def read(path: Path, wanted: Sequence[str]) -> dict:
    """What a submission has of the wanted files: {"taken": {name: base64}, "aside": [[name, why, sha256 or ""]], "more": how many}."""
    try:
        return _read(path, wanted)
    except DAMAGED as error:
        reason = str(error).split("\n")[0] or type(error).__name__
        what = "it cannot be read" if path.is_dir() else "no tar or zip archive that can be read"
        raise Refused(f"{what}: {reason}") from None


def _read(path: Path, wanted: Sequence[str]) -> dict:
    taken: dict[str, dict[str, bytes]] = {}  # by the folder around the tree
    aside: list[tuple[str, str, str]] = []
    more = looked = 0
    seen: set[str] = set()
    for entry in _entries(path):
        if entry.name in seen and _place(entry.name, wanted):
            raise Refused(f"{entry.name} is there twice: which one is meant?")
        seen.add(entry.name)
        if len(seen) > MAX_ENTRIES:
            raise Refused(f"there are more than {MAX_ENTRIES:,} files in it; hand in the lab's files alone")
        place = _place(entry.name, wanted)
        if place:
            taken.setdefault(place[0], {})[place[1]] = _content(entry)
        elif len(aside) >= MAX_NAMED:
            more += 1
        elif not _of_an_archiver(entry.name):
            digest = ""
            if entry.kind == "file" and entry.size <= MAX_LOOK and looked < MAX_LOOKS:
                content = entry.read(MAX_LOOK)
                looked += len(content)
                digest = hashlib.sha256(content).hexdigest()
            aside.append((entry.name, _why_aside(entry, wanted), digest))
    around = _around(taken)
    aside += [(name, "another folder's is taken", "") for folder in taken if folder != around
              for name in (f"{folder}{file}" for file in taken[folder])]
    aside = [(name.removeprefix(around), why, digest) for name, why, digest in aside]
    return {"taken": {name: b64encode(content).decode() for name, content in sorted(taken.get(around, {}).items())},
            "aside": sorted(aside), "more": more}


def _place(name: str, wanted: Sequence[str]) -> tuple[str, str] | None:
    """The folder around the tree, and the name in it, of a file that may be wanted."""
    parts = name.split("/")
    for depth in range(min(MAX_DEPTH, len(parts)) + 1):
        inner = "/".join(parts[depth:])
        if inner in wanted and not any(part.startswith(".") or part in NOT_LOOKED_INTO for part in parts[:depth]):
            return "".join(f"{part}/" for part in parts[:depth]), inner
    return None


def _around(taken: dict[str, dict[str, bytes]]) -> str:
    """Which folder is the tree, if several look like one: the outermost."""
    folders = sorted(taken, key=lambda folder: (folder.count("/"), folder))
    if len(folders) > 1 and folders[0].count("/") == folders[1].count("/"):
        raise Refused(f"{folders[0]} and {folders[1]} both look like a tree of the course; hand in one")
    return folders[0] if folders else ""


def _content(entry: Entry) -> bytes:
    if entry.kind != "file":
        raise Refused(f"{entry.name} is {entry.kind}, no file")
    content = entry.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise Refused(f"{entry.name} has more than {MAX_FILE >> 10} KiB")
    return content


def _of_an_archiver(name: str) -> bool:
    parts = name.split("/")
    return parts[-1].startswith("._") or parts[-1] == ".DS_Store" or "__MACOSX" in parts


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _why_aside(entry: Entry, wanted: Sequence[str]) -> str:
    plain = _plain(entry.name)
    near = next((name for name in wanted if plain == _plain(name) or plain.endswith("/" + _plain(name))), None)
    if near:
        return f"it is not {near}, only nearly"
    return "it is not a file that is yours to change" if entry.kind == "file" else f"it is {entry.kind}"


def _entries(path: Path) -> Iterator[Entry]:
    if path.is_dir():
        git = _git_folder(path)
        yield from _of_git(git) if git else _of_folder(path)
        return
    if path.stat().st_size > MAX_ARCHIVE:
        raise Refused(f"the archive has more than {MAX_ARCHIVE >> 20} MiB; hand in the lab's files alone")
    with path.open("rb") as file:
        start = file.read(4)
    yield from _of_zip(path) if start in (b"PK\3\4", b"PK\5\6") else _of_tar(path)


def _checked(name: str) -> str:
    """A name in an archive, without what is harmless in front of it."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise Refused(f"the name {name!r} leads out of the archive")
    if "\0" in name or len(name) > 1000:
        raise Refused(f"no file can be called {name[:60]!r}")
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _of_tar(path: Path) -> Iterator[Entry]:
    total = count = 0
    with tarfile.open(path, "r:*") as archive:
        while (member := archive.next()) is not None:
            count += 1
            total += member.size
            if total > MAX_CONTENT or count > MAX_ENTRIES:
                raise Refused(f"more than {MAX_CONTENT >> 20} MiB or {MAX_ENTRIES:,} files are in it; hand in the lab's files alone")
            archive.members.clear()  # it would remember them all
            if member.isdir() or member.type in (tarfile.XGLTYPE,):
                continue
            kind = "file" if member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) else (
                "a link" if member.issym() or member.islnk() else "a device, or no plain file")

            def content(limit: int, member: tarfile.TarInfo = member) -> bytes:
                file = archive.extractfile(member)
                return file.read(limit) if file else b""

            yield Entry(_checked(member.name), kind, member.size, content)


def _of_zip(path: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = _checked(info.orig_filename)
            if info.is_dir():
                continue
            mode = info.external_attr >> 16
            kind = "file" if not stat.S_IFMT(mode) or stat.S_ISREG(mode) else "a link, or no plain file"
            if info.flag_bits & 1:
                kind = "encrypted"

            def content(limit: int, info: zipfile.ZipInfo = info) -> bytes:
                with archive.open(info) as file:
                    return file.read(limit)

            yield Entry(name, kind, info.file_size, content)


def _of_folder(path: Path) -> Iterator[Entry]:
    """What lies in a folder, but for what is built there. Links are seen, and not followed."""
    for top, folders, names in os.walk(path):
        inner = os.path.relpath(top, path)
        depth = 0 if inner == "." else inner.count(os.sep) + 1
        links = [name for name in folders if os.path.islink(os.path.join(top, name))]
        folders[:] = sorted(name for name in folders if name not in NOT_LOOKED_INTO and name not in links and depth < 6)
        for name in sorted((*names, *links)):
            file = os.path.join(top, name)
            info = os.lstat(file)
            kind = "file" if stat.S_ISREG(info.st_mode) else "a link" if stat.S_ISLNK(info.st_mode) else "a device, or no plain file"
            shown = name if inner == "." else f"{inner}/{name}"
            yield Entry(shown.encode(errors="surrogateescape").decode(errors="backslashreplace"), kind, info.st_size,
                        lambda limit, file=file: _read_file(file, limit))


def _read_file(name: str, limit: int) -> bytes:
    try:
        with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            return file.read(limit) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    except OSError as error:
        raise Refused(f"{Path(name).name} cannot be read: {error.strerror}") from None


# ---- git ----

def _git_folder(path: Path) -> Path | None:
    """The repository, if there is nothing but one: what is checked out is read as the folder that it is."""
    if all((path / name).exists() for name in ("HEAD", "objects", "refs")):
        return path
    inner = path / ".git"
    alone = inner.is_dir() and not inner.is_symlink() and [child.name for child in path.iterdir()] == [".git"]
    return inner if alone else None


def _of_git(repository: Path) -> Iterator[Entry]:
    """The commit at HEAD, read with an empty repository around the objects: no hook, no filter, no configuration."""
    if (repository / "objects/info/alternates").exists():
        raise Refused("the repository borrows from another one; clone it whole (without --shared or --reference)")
    commit = _head(repository)
    with tempfile.TemporaryDirectory() as empty:
        for name in ("objects", "refs"):
            Path(empty, name).mkdir()
        Path(empty, "HEAD").write_text("ref: refs/heads/none\n")
        environment = {
            "PATH": os.defpath, "HOME": empty, "GIT_DIR": empty, "GIT_OBJECT_DIRECTORY": str(repository / "objects"),
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1"}

        def git(*words: str, limit: int = 16 << 20) -> bytes:
            process = subprocess.Popen(["git", *words], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL)
            output = process.stdout.read(limit)
            process.stdout.close()
            process.kill()
            process.wait()
            return output

        listed = git("ls-tree", "-r", "-z", "--long", commit)
        if not listed:
            raise Refused(f"the repository's commit {commit[:12]} cannot be read, or is empty")
        for record in listed.split(b"\0")[:-1]:
            told, _, name = record.partition(b"\t")
            mode, _, blob, size = told.decode().split()
            kind = "file" if mode in ("100644", "100755") else "a link, or another repository"
            yield Entry(_checked(name.decode(errors="backslashreplace")), kind, int(size) if size.isdigit() else 0,
                        lambda limit, blob=blob: git("cat-file", "blob", blob, limit=limit))


def _head(repository: Path) -> str:
    def text(name: str) -> str:
        return _read_file(str(repository / name), 1 << 20).decode(errors="replace")

    head = text("HEAD").strip()
    name = head.removeprefix("ref: ")
    if name != head:
        if not re.fullmatch(r"refs/[\w/.-]{1,200}", name) or ".." in name:
            raise Refused("the repository's HEAD names no branch")
        if (repository / name).is_file():
            head = text(name).strip()
        else:
            packed = text("packed-refs") if (repository / "packed-refs").is_file() else ""
            head = next((line.split(" ")[0] for line in packed.split("\n") if line.endswith(f" {name}")), "")
    if not re.fullmatch(r"[0-9a-f]{40}", head):
        raise Refused("the repository's HEAD has no commit; was anything pushed to it?")
    return head
