# SPDX-License-Identifier: MIT
"""The commands, with what needs no Linux: mini, GDB, and everything that a person can get wrong."""

import gzip
import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from boots import CRASHED, FAILED, ROOT, expect, make_run, refused, run

MINI = "build/mini.elf"
KEYS = "q is the end."  # mini listens


def _tool(*words: str, path: str | None = None):
    return run("/usr/bin/python3", "tools/run", *words, path=path, seconds=60)


def _lz4(content: bytes) -> bytes:
    return subprocess.run(["lz4", "-lcq"], input=content, stdout=subprocess.PIPE, check=True).stdout


def _initramfs(folder: str, content: bytes, keep: float = 1.0) -> str:
    """An archive's compressed @content, cut to a part of its length."""
    place = Path(folder) / "initramfs"
    place.write_bytes(content[: int(len(content) * keep)])
    return str(place)


@contextmanager
def _disk() -> Iterator[Path]:
    """A small disk, with a comma in its name."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "a,b disk"
        with place.open("wb") as file:
            file.truncate(20 << 20)
        yield place


@contextmanager
def _mini_runs(*words: str) -> Iterator[None]:
    """mini in a machine of its own meanwhile; it has to end well."""
    process = subprocess.Popen(
        ["/usr/bin/python3", "tools/run", "--guest=mini", "--mem=64", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=ROOT, text=True,
    )  # fmt: skip
    try:
        expect(any(KEYS in line for line in process.stdout), f"mini did not start with {words}")
        yield
        process.communicate("q", timeout=60)
        expect(process.returncode == 0, f"mini did not end well with {words}")
    finally:
        process.terminate()
        process.wait()


def mini_runs_and_hears_what_is_typed():
    done = make_run("GUEST=mini", typed=((KEYS, "a"), ("you typed a", "q")), seconds=60)
    expect(done.status == 0, "it did not end by itself", done)
    expect("Hello from domain 0 in ring 1" in done.out, "mini did not greet", done)
    expect("you typed a" in done.out, "the key did not arrive", done)


def mini_runs_in_bochs():
    done = make_run("GUEST=mini", "EMU=bochs", "MEM=64", typed=((KEYS, "a"), ("you typed a", "q")), seconds=60)
    expect(done.status == 0 and "you typed a" in done.out, "mini did not run", done)


def the_command_line_reaches_a_guest_letter_for_letter():
    done = make_run("GUEST=mini", "CMDLINE=a,b $HOME $(x) c'd", typed=((KEYS, "q"),), seconds=60)
    expect('command line: "a,b $HOME $(x) c\'d"' in done.out, "it is not the same", done)


def gdb_stops_at_the_first_instruction_with_symbols():
    orders = "backtrace 1\ntbreak start\ncontinue\nbacktrace 1\nkill\nquit\n"
    done = run("make", "gdb", "GUEST=mini", typed=(("", orders),), seconds=90)
    expect(re.search(r"boot \(\) at src/pc/boot\.S", done.out), "it is not at boot.S", done)
    expect(re.search(r"#0 +start \(", done.out), "start() was not reached", done)


def make_does_nothing_twice():
    run("make", seconds=120)
    done = run("make", seconds=60)
    expect(done.status == 0 and not re.search(r"  (CC|LINK) ", done.out), "it made something", done)


def make_help_lists_what_there_is():
    done = run("make", "help")
    for target in ("run", "check", "check-quick", "iso", "gdb", "doctor", "deps"):
        expect(f"make {target} " in done.out, f"{target} is not listed", done)


def an_unknown_emulator_is_refused():
    refused(make_run("GUEST=mini", "EMU=vmware"), "EMU=vmware", "qemu and bochs")


def an_unknown_guest_is_refused():
    refused(make_run("GUEST=minix"), "GUEST=minix", "linux and mini")


def memory_that_is_no_number_is_refused():
    refused(_tool("--guest=mini", "--mem=lots"), "MEM=lots", "number of MiB")


def too_little_memory_is_refused():
    refused(_tool("--guest=mini", "--mem=4"), "MEM=4 is too little")


def too_much_memory_is_refused():
    refused(_tool("--guest=mini", "--mem=4096"), "MEM=4096 is too much", "3584")


def options_that_do_not_fit_are_refused():
    for options in ('a="b"', "x" * 801):
        refused(_tool("--guest=mini", f"--options={options}"), "OPTIONS", "800 characters", "quotation mark")


def what_is_no_seed_is_one_line_and_not_shown():
    done = make_run("GUEST=mini", "OPTIONS=seed=12345", typed=((KEYS, "q"),), seconds=60)
    expect(done.status == 0 and "(atelier) seed: not 64 hexadecimal digits" in done.out, "it was not said", done)
    expect("12345" not in done.whole(), "it was shown", done)


def a_command_for_mini_is_refused():
    refused(_tool("--guest=mini", "--cmd=true"), "GUEST=mini")


def kvm_in_bochs_is_refused():
    refused(_tool("--guest=mini", "--kvm=1", "--emu=bochs"), "EMU=bochs")


def a_word_for_kvm_that_means_nothing_is_refused():
    refused(_tool("--guest=mini", "--kvm=yes"), "KVM=yes", "say KVM=1")


def words_about_the_network_that_mean_nothing_are_refused():
    refused(_tool("--guest=mini", "--net=yes"), "NET=yes", "user and none")
    refused(_tool("--guest=mini", "--net=none", "--forward=2222:22"), "leave NET=none out")
    for rule in ("22", "0:22", "2222:65536", "2222:host:22", "2222:10.0.2:22"):
        refused(_tool("--guest=mini", f"--forward=8080:80 {rule}"), f"FORWARD={rule}:", "2222:22")


def a_port_that_somebody_has_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(_tool("--guest=mini", f"--forward={port}:22"), f"port {port} here", "in use")


def a_disk_that_is_none_is_refused():
    refused(_tool("--guest=mini", "--disk=nowhere"), "DISK=nowhere", "DISK=none runs without")
    refused(_tool("--guest=mini", "--disk=Makefile"), "Makefile is too small for a disk")
    refused(_tool("--guest=mini", "--snapshot=yes"), "SNAPSHOT=yes", "say SNAPSHOT=1")


def a_disk_that_is_not_to_be_written_to_needs_a_snapshot():
    with _disk() as disk:
        disk.chmod(0o444)
        refused(_tool("--guest=mini", f"--disk={disk}"), "not to be written to", "SNAPSHOT=1")


def a_disk_in_two_runs_at_once_is_refused():
    for emulator in ("qemu", "bochs"):
        with _disk() as disk, _mini_runs("--emu", emulator, "--disk", str(disk)):
            for snapshot in ("0", "1"):
                refused(_tool("--guest=mini", f"--disk={disk}", f"--snapshot={snapshot}"), "in use by another run", "DISK=none")


def snapshots_of_one_disk_run_beside_each_other():
    with _disk() as disk, _mini_runs("--snapshot", "1", "--disk", str(disk)):
        with _mini_runs("--snapshot", "1", "--disk", str(disk), "--emu", "bochs"):
            refused(_tool("--guest=mini", f"--disk={disk}"), "in use by another run")
        expect(os.listdir(disk.parent) == [disk.name], "something was left beside the disk")


def gdb_in_bochs_is_refused():
    refused(_tool("--guest=mini", "--emu=bochs", "--gdb"), "leave EMU=bochs out")


def an_initramfs_that_is_not_there_is_refused():
    refused(_tool(f"--image={MINI}", "--initrd=nowhere"), "nowhere", "full, small, or")


def a_kernel_that_is_no_program_is_refused():
    refused(_tool("--guest=mini", "--image=Makefile"), "Makefile is no ELF file")


def a_kernel_of_another_machine_is_refused():
    refused(_tool("--guest=mini", "--image=/bin/true"), "/bin/true", "32-bit x86")


def a_kernel_that_is_not_for_atelier_is_refused():
    refused(_tool("--guest=mini", "--image=build/atelier.elf"), "not one for Atelier")


def a_kernel_that_is_not_there_is_refused():
    refused(_tool("--guest=mini", "--image=nowhere"), "nowhere", "No such file")


def a_hypervisor_without_a_multiboot_header_is_refused():
    refused(_tool("--guest=mini", f"--hypervisor={MINI}"), "no multiboot header")


def an_initramfs_that_is_cut_short_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        for compress in (gzip.compress, _lz4):
            cut = _initramfs(folder, compress(os.urandom(100000) + b"TRAILER!!!"), keep=0.5)
            refused(_tool(f"--image={MINI}", f"--initrd={cut}"), "cut short")


def an_initramfs_that_is_no_archive_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        for compress in (gzip.compress, _lz4):
            none = _initramfs(folder, compress(bytes(1000)))
            refused(_tool(f"--image={MINI}", f"--initrd={none}"), "no whole cpio archive")
    refused(_tool(f"--image={MINI}", "--initrd=Makefile"), "Makefile", "not made by lz4 or gzip")


def a_missing_emulator_is_named():
    with tempfile.TemporaryDirectory() as empty:
        refused(_tool("--guest=mini", path=empty), "QEMU is missing", "make deps")
        refused(_tool("--guest=mini", "--emu=bochs", path=empty), "Bochs is missing", "make deps")


def a_command_that_is_too_long_is_refused():
    refused(make_run("CMD=" + "x" * 5000), "CMD is 5000 bytes long")


def a_crash_of_the_hypervisor_has_a_status_of_its_own():
    # The builder refuses the image: the hypervisor stops before any domain runs, and says why.
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder) / "broken.elf"
        shutil.copy(ROOT / MINI, broken)
        image = bytearray(broken.read_bytes())
        image[16:18] = b"\x01\x00"  # an object file, no executable
        broken.write_bytes(image)
        done = _tool("--guest=mini", f"--image={broken}")
        expect(done.status == CRASHED, "the status is not that of a crash", done)
        expect("no executable" in done.err, "the line does not say why", done)


def an_unknown_group_of_packages_is_refused():
    refused(run("tools/deps", "nonsense"), "nonsense")


def failures_have_the_status_that_they_say():
    expect(make_run("EMU=vmware").status == FAILED, "make does not pass the status on")
