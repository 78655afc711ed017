# SPDX-License-Identifier: MIT
"""Judges `linux-debian`: does an unmodified Debian boot from a virtual disk, verify all its packages, write, and leave a whole file system?

The disk lies in memory, and the pieces of the file system lie on it in another order: the virtual disk puts them together. In the end
they are looked at from outside.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from random import Random

from atelier_grader import linux, observe
from atelier_grader.emulator import PAGE, Infra
from atelier_grader.judge import Disk, Finding, Linux, Outside
from atelier_grader.observe import Seen
from atelier_grader.wire import Wire

EXERCISE = "whole"
MEMORY = 256
OWN, OTHER = "10.0.2.15", "10.0.2.16"
ADDRESS = "ip={}:::255.255.255.0::eth0:off"
DOMAINS = (Linux("linux-debian", memory=65536, words=ADDRESS.format(OWN), atl=True),)
TREE = Path(__file__).resolve().parents[3]
CUTS, SMALL = 4, 3  # large pieces, and places with two small ones of a page, so that one request may need four runs
SECTOR = 512
PAGE_SECTORS = PAGE // SECTOR

WISHES = f"""name = debian
mem = 96M
cmdline = {linux.WORDS} root=/dev/vbda rw hostname=debian {ADDRESS.format(OTHER)}
vif = ip={OTHER}
"""
# What tools/disk-image leaves out of packages, and the one file of theirs that it replaces.
LEFT_OUT = "^missing +(/usr/share/(doc|info|lintian|locale|man|bash-completion)|/usr/lib/[^/]+/gconv)"
REPLACED = ("??5?????? c /etc/lighttpd/lighttpd.conf",)
# Files of packages that nothing here uses: some of them are changed, and dpkg is to say which.
SPARE = ("/usr/bin/bashbug", "/usr/bin/clear_console", "/usr/bin/factor", "/usr/bin/pinky", "/usr/bin/ptx", "/usr/bin/tsort",
         "/usr/share/base-files/dot.bashrc", "/usr/share/base-files/dot.profile", "/usr/share/debianutils/shells")
SCRIPT = """\
cd /srv
exec >/var/www/html/new 2>&1
curl -sS -o kept http://{own}/file
sha256sum <kept
for f in {changed}; do echo >>$f; done
sync
echo 3 >/proc/sys/vm/drop_caches
dpkg -V >verified
echo verified $?
grep -vE '{left_out}' verified | sort
sha256sum <kept
mv /var/www/html/new /var/www/html/report
until curl -sf http://{own}/fetched; do sleep 0.2; done
"""


def inputs(rng: Random) -> dict:
    return {"cuts": [rng.random() for _ in range(CUTS)], "small": [rng.random() for _ in range(SMALL)], "order": rng.getrandbits(32),
            "changed": sorted(rng.sample(SPARE, 3)), "file": rng.randbytes(rng.randrange(200_000, 400_000)),
            "numbers": (rng.randrange(1000, 10000), rng.randrange(1000, 10000)),
            "args": f"depth={rng.randrange(1, 5)} seed={rng.randrange(1, 1 << 31)}"}


def pieces(given: dict, pages: int) -> list[tuple[int, int, int]]:
    """(where in the file system, where on the disk, how many), in pages: in the file system's order."""
    small = [int(at * (pages - 2)) + i for at in given["small"] for i in range(3)]
    cuts = sorted({0, pages, *(int(at * pages) for at in given["cuts"]), *small})
    parts = list(zip(cuts, cuts[1:], strict=False))
    at, places = 1, {}  # the disk's first page is nobody's
    for begin, end in Random(given["order"]).sample(parts, len(parts)):
        places[begin] = at
        at += end - begin
    return [(begin, places[begin], end - begin) for begin, end in parts]


def image_pages() -> int:
    return linux.built(TREE, linux.DEBIAN).stat().st_size // PAGE


def encode(given: dict) -> bytes:
    a, b = given["numbers"]
    steps = [(b"login: ", b"root\n"), (b":~# ", f"curl -s http://{OWN}/script | sh; echo over $(({a} * {b}))\n".encode()),
             (f"over {a * b}".encode(), b"poweroff\n")]
    script = SCRIPT.format(own=OWN, left_out=LEFT_OUT, changed=" ".join(given["changed"])).encode()
    extents = [(place * PAGE_SECTORS, count * PAGE_SECTORS) for _, place, count in pieces(given, image_pages())]
    return observe.encode((WISHES.encode(), extents, script, given["file"], f"http://{OTHER}/report".encode() + b"\0", steps))


def devices(given: dict) -> list:
    system = memoryview(linux.built(TREE, linux.DEBIAN).read_bytes())
    placed = sorted(pieces(given, image_pages()), key=lambda piece: piece[1])
    disk = b"".join([bytes(PAGE), *(system[begin * PAGE:(begin + count) * PAGE] for begin, _, count in placed)])
    return [Disk(disk, given["args"], log=0), Wire(bytes.fromhex("020061746c00"))]


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    for o in seen.all("atl"):
        if o.status:
            yield Finding(EXERCISE, f"atl, call {o.key} (create, unpause): its status", 0, o.status)
    for o in [*seen.all("vbd"), *seen.all("extent")]:
        if o.answer:
            yield Finding(EXERCISE, f"making the disk, {o.tag} {o.key}: the answer", 0, o.answer)
    if (got := seen.one("steps", 1).done) != 3:
        yield Finding(EXERCISE, "steps done at Debian's console (login, script, poweroff)", 3,
                      f"{got}, after {bytes(seen.one('heard', 1).text)[-80:]!r}")
        return
    if (left := seen.one("left").domains) != 1:
        yield Finding(EXERCISE, "domains that are left when Debian has powered off", 1, left)
    want, got = report(given), bytes(seen.one("report").text).decode(errors="backslashreplace").splitlines()
    for i, (a, b) in enumerate(zip_longest(want, got)):
        if a != b:
            yield Finding(EXERCISE, f"what Debian found, line {i}", a, b)
            return
    yield from judge_disk(given, outside.disk())


def report(given: dict) -> list[str]:
    digest = hashlib.sha256(given["file"]).hexdigest() + "  -"
    return [digest, "verified 0", *sorted((*(f"??5??????   {name}" for name in given["changed"]), *REPLACED)), digest]


def judge_disk(given: dict, disk: bytes) -> Iterator[Finding]:
    """The file system at the end, put together again."""
    with tempfile.TemporaryDirectory(prefix="atelier-") as folder, memoryview(disk) as pages:
        image = Path(folder) / "image"
        with image.open("wb") as file:
            file.writelines(pages[place * PAGE:(place + count) * PAGE] for _, place, count in pieces(given, image_pages()))
        whole = run("e2fsck", "-fn", str(image))
        if whole.returncode:
            yield Finding(EXERCISE, "e2fsck's status on the disk at the end", 0, f"{whole.returncode}: {whole.stdout[-200:]!r}")
        if (kept := run("debugfs", "-R", "cat /srv/kept", str(image)).stdout) != given["file"]:
            yield Finding(EXERCISE, "the file that Debian got and kept: its bytes on the disk", len(given["file"]), len(kept))
    if any(disk[:PAGE]):
        yield Finding(EXERCISE, "the page of the disk that is nobody's", "zeros", disk[:16].hex())


def run(*command: str) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which(command[0], path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        raise Infra(f"{command[0]} is missing; `make deps` installs it")
    return subprocess.run([program, *command[1:]], capture_output=True, check=False)
