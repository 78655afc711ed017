# SPDX-License-Identifier: MIT
"""Debian's i386 packages, installed by mmdebstrap from the archives that this machine itself uses: what
tools/initramfs and tools/disk-image share."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITE = "bookworm"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
EPOCH = 1066521600  # 19 October 2003, the first day of SOSP: what is made does not depend on when it was made

# What every system of ours goes without.
PLAIN = (
    '--aptopt=Acquire::Languages "none"', '--aptopt=APT::Install-Recommends "false"', "--dpkgopt=force-unsafe-io",
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "info", "lintian", "locale", "man")),
)  # fmt: skip


class Failure(Exception):
    """Something a person can put right; the text is one line, with the remedy."""


def say(what: str) -> None:
    print(f"  {Path(sys.argv[0]).name}: {what}", flush=True)


def short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "little") + part)
    return whole.hexdigest()


def sources() -> list[str]:
    """The lines of this machine's own archives of Debian 12, as apt itself reads its configuration."""
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    suites = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
    lines = {
        f"deb [signed-by={KEYRING}] {line}\n"
        for line in done.stdout.splitlines()
        if line.split()[1:] in [[suite, "main"] for suite in suites]
    }
    if not lines:
        raise Failure(f"apt of this machine knows no archive of Debian 12 ({SUITE} main): add one under /etc/apt")
    return sorted(lines)


def proxies() -> list[str]:
    """The proxies that apt of this machine is told to use, for apt in mmdebstrap."""
    done = subprocess.run(["apt-config", "dump"], check=False, capture_output=True, text=True)
    lines = re.findall(r'^Acquire::https?::Proxy.* ".+";$', done.stdout, re.MULTILINE)
    return [f"--aptopt={line.rstrip(';')}" for line in lines]


def install(options: tuple[str, ...], target: str, log: Path, pass_fds: tuple[int, ...] = ()) -> None:
    """Runs mmdebstrap with @options into @target, and says how far it is. Hooks get @pass_fds."""
    for program in ("mmdebstrap", "arch-test"):
        if not shutil.which(program):
            raise Failure(f"{program} is not installed: run `make deps`, or `apt-get install {program}`")
    archives = sources()
    said = try_install(options, archives, target, log, pass_fds)
    released = [line for line in archives if "security" not in line]
    if "Mirror sync in progress" in said and released != archives:
        say("the security archive is being renewed; going on without it")
        said = try_install(options, released, target, log, pass_fds)
    if said:
        raise Failure(explain(said, log))


def try_install(
    options: tuple[str, ...], archives: list[str], target: str, log: Path, pass_fds: tuple[int, ...]
) -> str:
    """What mmdebstrap said if it failed, nothing if it did not."""
    mode = "root" if os.geteuid() == 0 else "unshare"
    command = ["mmdebstrap", "--arch=i386", *PLAIN, *options, *proxies(), f"--mode={mode}", SUITE, target, "-"]
    # An ordinary user's PATH lacks what makes file systems.
    environment = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "SOURCE_DATE_EPOCH": str(EPOCH)}
    said = []
    with log.open("w") as written, subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment, pass_fds=pass_fds,
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout
        process.stdin.write("".join(archives))
        process.stdin.close()
        for line in process.stdout:
            written.write(line)
            said.append(line)
            if match := re.match(r"I: ((?:running apt|downloading|extracting|installing|creating).*)\.\.\.$", line):
                say(match[1])
    return "".join(said) if process.returncode else ""


def explain(said: str, log: Path) -> str:
    """One line for what mmdebstrap said."""
    errors = re.findall(r"^(?:E|newuidmap|newgidmap): (.*)", said, re.MULTILINE) or ["it gave no reason"]
    remedy = "look into the log"
    if re.search(r"resolve|connect|unreachable|timed out|Could not", said, re.I):
        remedy = "is the network there? (`apt-get update`)"
    elif os.geteuid() and re.search(r"unshare|uidmap|subuid|namespace", said):
        remedy = "run it as root, or install uidmap and allow user namespaces"
    elif "No space left" in said:
        remedy = "make room on the disk"
    return f"mmdebstrap failed: {errors[0]}: {remedy}; {short(log)} has all of it"
