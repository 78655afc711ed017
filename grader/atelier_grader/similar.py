# SPDX-License-Identifier: MIT
"""Who wrote the same as whom: Debian's similarity-tester (sim_c) over what is each student's own, and exports for JPlag and MOSS.

What was handed out is taken out first, so that nobody resembles everybody. The reference, the wrong solutions and earlier years
are in the pool that submissions are compared with, but not with each other; of the wrong solutions only the nearest is told.
sim_c compares tokens: other names, comments and layout hide nothing from it. A listing is a reason to talk, never a verdict.
"""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from .classrun import ClassError
from .report import html
from .report.csv import table as csv_table

Files = Mapping[str, bytes]  # by name in the tree, src/frame.c
RUN = 20  # tokens: the shortest text that counts as the same
THRESHOLD = 30  # per cent
LISTED = 200  # pairs on the page; the CSV has all
NOTICE = ("A listing is a reason to talk, never a verdict: two who solve the same exercise under the same contract write much that is "
          "alike. What was handed out is left out.")
_FOUND = re.compile(r"^(\S+) consists for (\d+) % of (\S+) material$", re.MULTILINE)


@dataclass(frozen=True)
class Pair:
    """How much of `one` is in `other`, and of `other` in `one`, in per cent. `kind` is what `other` is."""

    one: str
    other: str
    kind: str  # "submission", "reference", "wrong", "earlier"
    share: int
    back: int

    @property
    def most(self) -> int:
        return max(self.share, self.back)


def own(text: bytes, handed_out: bytes) -> bytes:
    """The lines of a file that were not handed out. White space is nobody's own."""
    lines = text.decode("utf-8", "replace").splitlines()
    given = [" ".join(line.split()) for line in handed_out.decode("utf-8", "replace").splitlines()]
    matcher = SequenceMatcher(None, given, [" ".join(line.split()) for line in lines], autojunk=False)
    kept = [line for tag, _, _, start, end in matcher.get_opcodes() if tag != "equal" for line in lines[start:end]]
    return "".join(line + "\n" for line in kept).encode()


def own_files(files: Files, starter: Files) -> dict[str, bytes]:
    return {name: own(text, starter.get(name, b"")) for name, text in sorted(files.items())}


def compare(folder: Path, submissions: Mapping[str, Files], pool: Mapping[tuple[str, str], Files], starter: Files,
            threshold: int = THRESHOLD) -> list[Pair]:
    """The pairs that are at least that similar, the most similar first. `pool` is by kind and name; `folder` is for sim_c's files."""
    folder.mkdir(parents=True, exist_ok=True)
    names: dict[str, tuple[str, str]] = {}

    def lay(group: str, kind: str, name: str, files: Files) -> str:
        path = folder / f"{group}{len(names)}.c"
        path.write_bytes(b"".join(own_files(files, starter).values()))
        names[path.name] = (kind, name)
        return path.name

    new = [lay("new", "submission", name, files) for name, files in sorted(submissions.items())]
    old = [lay("old", kind, name, files) for (kind, name), files in sorted(pool.items())]
    try:
        done = subprocess.run(["sim_c", "-p", "-a", "-e", "-T", "-r", str(RUN), "-t", "1", "-i"], cwd=folder,
                              input="".join(f"{name}\n" for name in [*new, "/", *old]), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ClassError("sim_c is not there: make deps installs Debian's similarity-tester") from None
    if done.returncode:
        raise ClassError(f"sim_c: {(done.stderr.splitlines() or ['no reason given'])[0]}")

    shares = {(names[a], names[b]): int(percent) for a, percent, b in _FOUND.findall(done.stdout)}
    pairs = {}
    for a, b in shares:
        if a[0] != "submission" or (b[0] == "submission" and b < a and (b, a) in shares):
            a, b = b, a
        pair = Pair(a[1], b[1], b[0], shares.get((a, b), 0), shares.get((b, a), 0))
        if pair.most >= threshold:
            pairs[a, b] = pair
    found, nearest = [], set()
    for pair in sorted(pairs.values(), key=lambda p: (-p.most, -p.share, p.one, p.kind, p.other)):
        # The wrong solutions differ by a line or two: whoever resembles one resembles all.
        if pair.kind != "wrong" or pair.one not in nearest:
            found.append(pair)
        if pair.kind == "wrong":
            nearest.add(pair.one)
    return found


def wrong_solutions(reference: Files, patches: list[Path], scratch: Path) -> dict[tuple[str, str], Files]:
    """The reference with each of the patches."""
    found = {}
    for patch in sorted(patches):
        place = scratch / patch.stem
        _lay_out(place, reference)
        done = subprocess.run(["patch", "-p1", "-s", "-f", "-i", str(patch.resolve())], cwd=place, capture_output=True, check=False)
        if done.returncode == 0:  # one that changes other files than the lab's is no solution that could be handed in
            found["wrong", patch.stem] = {name: (place / name).read_bytes() for name in reference}
    return found


def _lay_out(place: Path, files: Files) -> None:
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def to_csv(pairs: list[Pair]) -> str:
    return csv_table(("submission", "other", "kind", "percent_of_submission", "percent_of_other"),
                     [(p.one, p.other, p.kind, p.share, p.back) for p in pairs])


def to_html(title: str, pairs: list[Pair]) -> str:
    safe = html.safe
    body = ["<header>", f"<h1>{safe(title)}</h1>", f'<p class="told infra">{safe(NOTICE)}</p>', "</header>", "<main>"]
    columns = [("Submission", False), ("Other", False), ("What it is", False), ("Of the submission, in the other", True),
               ("Of the other, in the submission", True)]
    listed = f"{len(pairs)} pairs" if len(pairs) <= LISTED else f"{LISTED} of {len(pairs)} pairs, similar.csv has all"
    body += html.table(f"{listed}; the most similar first", columns,
                       [[safe(p.one), safe(p.other), safe(p.kind), f"{p.share} %", f"{p.back} %"] for p in pairs[:LISTED]])
    return html.page(title, html.STYLE, [*body, "</main>"])


# ---- for tools that are not Debian's ----

def export_jplag(folder: Path, submissions: Mapping[str, Files], pool: Mapping[tuple[str, str], Files], starter: Files) -> str:
    """new/, old/ and base/ as JPlag wants them. Gives the command."""
    for name, files in submissions.items():
        _lay_out(folder / "new" / name, files)
    for (kind, name), files in pool.items():
        _lay_out(folder / "old" / f"{kind}-{name}".replace("/", "-"), files)
    _lay_out(folder / "base", starter)
    return f"java -jar jplag.jar -l c --new {folder}/new" + (f" --old {folder}/old" if pool else "") + f" -bc {folder}/base"


def export_moss(folder: Path, submissions: Mapping[str, Files], pool: Mapping[tuple[str, str], Files], starter: Files) -> str:
    """A folder a submission and no folder in it, as MOSS counts with -d. Gives the command."""
    def flat(files: Files) -> Files:
        return {name.replace("/", "_"): text for name, text in files.items()}

    for name, files in submissions.items():
        _lay_out(folder / "submissions" / name, flat(files))
    for (kind, name), files in pool.items():
        _lay_out(folder / "submissions" / f"{kind}-{name}".replace("/", "-"), flat(files))
    _lay_out(folder / "base", flat(starter))
    bases = " ".join(f"-b {folder}/base/{name}" for name in sorted(flat(starter)))
    return f"moss -l c -d {bases} {folder}/submissions/*/*"


EXPORTS = {"jplag": export_jplag, "moss": export_moss}
