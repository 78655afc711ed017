# SPDX-License-Identifier: MIT
"""Many domains on one machine: what one costs to make and to end, how they share, and what one can do to the others.

crowd.sh is what domain 0 does in each run. In the other domains runs neighbour.c, and in those with Linux worker.c: they count units of
work between two moments that all of them know. All is counted by instructions (-icount) and so the same each time: disk and wire are boot
modules. tests/boot/neighbours.py asserts what figures() reports.
"""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import measure
from measure import OUT, ROOT, System, cpio_record, need

sys.path.append(str(ROOT / "grader"))
from atelier_grader.wire import Wire  # noqa: E402

WORKER = OUT / "worker"
NEIGHBOUR = OUT / "neighbour.elf"
SCRIPT = ROOT / "bench/crowd.sh"
ATL = ROOT / "build/atl"
DOMAIN_0 = OUT / "domains.cpio"  # its file system
DOMAIN = OUT / "domain.cpio"  # that of the others
DISK, WIRE = OUT / "domains.disk", OUT / "domains.wire"

CLOCK = ("-icount", "shift=0,sleep=off", "-rtc", "base=2003-10-19T00:00:00,clock=vm", "-seed", "1")
MEMORY = 1280  # MiB
DISK_SECTORS = 4096  # in two extents, x and y
PACKET_TIME = 6720  # nanoseconds: 84 bytes, the smallest packet with all that is around it, on a wire of 100 Mbit/s

# crowd.sh's own extents: the small file system has no sfdisk, and this is what it would say.
SFDISK = """#!/bin/busybox sh
echo '/dev/vbda1 : start= 0, size= 2048, name="x"'
echo '/dev/vbda2 : start= 2048, size= 2048, name="y"'
"""

OTHERS = (0, 15, 127)
LINUXES, MINIS = 16, 128
RISING = (1, 2, 4, 8, 16, 32, 64, 128)
HOSTILE = ("loop", "calls", "events", "rings", "tables", "prints", "packets", "disk", "forks")
SHARED = ("packets", "disk")  # what a neighbour may want as much of as we do
COPY = "memcpy"  # the hypervisor's loop that copies an image's bytes from its file's pages to where the domain has them

ALLOWANCE = 5e6  # C, nanoseconds: POLICY_ALLOWANCE
DELAY = 1e6  # the longest time between the end of a slice and the switch: no call takes longer
WEIGHT = 256


# --- a run


def lz4(data: bytes, *options: str) -> bytes:
    return subprocess.run(["lz4", "-cq", *options], input=data, stdout=subprocess.PIPE, check=True).stdout


def add(files: dict[str, tuple[int, bytes]], image: Path) -> None:
    """Makes @image: the small file system and these files. In one piece: a domain of 24 MiB has no room to unpack a second one."""
    records = b"".join(cpio_record(name, mode, data) for name, (mode, data) in files.items()) + cpio_record("TRAILER!!!", 0, b"")
    write(image, lz4(lz4(need(measure.SMALL).read_bytes(), "-d") + records, "-l"))


def write(path: Path, data: bytes) -> None:
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)


def program(path: Path) -> tuple[int, bytes]:
    return 0o100755, need(path).read_bytes()


def make_files() -> None:
    worker = {"usr/bin/worker": program(WORKER)}
    add(worker, DOMAIN)
    add(worker | {
        "usr/sbin/atl": program(ATL), "usr/sbin/sfdisk": (0o100755, SFDISK.encode()), "domains": program(SCRIPT), "boot": (0o40755, b""),
        "boot/vmlinux": program(measure.LINUX), "boot/initrd": program(DOMAIN), "boot/neighbour": program(NEIGHBOUR),
    }, DOMAIN_0)  # fmt: skip
    write(DISK, bytes(DISK_SECTORS * 512))
    write(WIRE, Wire(bytes((2, 0, 0, 0, 0, 9)), delays=(PACKET_TIME,), log_size=4096).module().content)


def system(command: str) -> System:
    """Domain 0 and what it is to do."""
    words = f"console=hvc0 quiet norandmaps atelier.cmd={base64.b64encode(f'/domains {command}'.encode()).decode()}"
    modules = (
        ("vmlinux", words, need(measure.LINUX)), ("initrd", "", DOMAIN_0), ("disk", "disk", DISK), ("wire", "wire", WIRE),
    )  # fmt: skip
    return System(
        f"domains {command}", ("atelier.elf", need(measure.HYPERVISOR)), modules, "console=com1 dom0_mem=128M",
        measure.elf_entry(measure.LINUX_SYMBOLS), (measure.HYPERVISOR, measure.LINUX_SYMBOLS), measure.HYPERVISOR_BASE,
    )  # fmt: skip


def run(command: str, watched: bool = False) -> Path:
    """The folder of a run, or of the same one from before. @watched: by the plugin, which takes its time."""
    make_files()
    s = system(command)
    plugin = ("-plugin", f"./plugin.so,out=counts,start={s.start:x},line={s.base:x}") if watched else ()
    words = [*measure.QEMU, "-m", str(MEMORY), *CLOCK, *plugin, *s.words()]
    folder = measure.RUNS / measure.digest(words, [*s.files().values(), measure.PLUGIN])
    if not (folder / "done").exists():
        measure.boot(s, words, folder)
        measure.forget_old_runs()
    return folder


def console(folder: Path) -> str:
    return measure.read_text(folder / "console").replace("\r", "")


@dataclass(frozen=True)
class Did:
    """What a domain says that it did in its window."""

    units: int
    virtual: int  # microseconds; 0: it does not say


def read_did(text: str) -> dict[str, Did]:
    return {name: Did(int(units), int(virtual or 0)) for name, units, virtual in re.findall(r"^did (\w+) (\d+) (\d*)", text, re.M)}


def read_ticks(text: str, row: str) -> list[int]:
    found = re.search(rf"^row {row} 1 ([\d ]+)$", text, re.M)
    if not found:
        raise measure.Failure(f"a run of bench/crowd.sh printed no row {row}")
    return [int(word) for word in found[1].split()]


@dataclass(frozen=True)
class Use:
    """What the hypervisor counted between two lists of `atl list`: nanoseconds."""

    length: float
    time: dict[str, int]
    weight: dict[str, int]


def read_use(text: str) -> Use:
    lists = re.findall(r"^list \w+ (\d+)\n(\[.*?\n\])", text, re.M | re.S)
    (first, before), (last, after) = ((int(when), {d["name"]: d for d in json.loads(rows)}) for when, rows in lists)
    time = {name: after[name]["run_time_ns"] - d["run_time_ns"] for name, d in before.items() if name in after}
    return Use((last - first) * 1e6, time, {name: d["weight"] for name, d in before.items()})


def window(text: str) -> int:
    """Milliseconds."""
    found = re.search(r"^window (\d+) (\d+)$", text, re.M)
    return int(found[2]) - int(found[1])


# --- making and ending


@dataclass(frozen=True)
class Creation:
    """
    Instructions for a mini domain, for one of 24 MiB with the same image, and for Linux with 24 MiB; of the last, those of the loop
    that copies its image, four bytes a turn; nanoseconds to end it.
    """

    mini: float
    large: float
    linux: float
    copied: float
    destroy: float


@cache
def creation() -> dict[int, Creation]:
    """By how many others there are."""
    folder = run(f"creation {' '.join(map(str, OTHERS))}", watched=True)
    text = console(folder)
    rows = re.findall(r"^row (\w+) ", text, re.M)
    windows = measure.read_counts(folder / "counts", [measure.RESET, measure.BOOT, *rows])
    symbols = measure.read_symbols((measure.HYPERVISOR, measure.LINUX_SYMBOLS))
    found = {}
    for others in OTHERS:
        mini, large, linux, end = (
            read_ticks(text, f"{what}_{others}") for what in ("create_mini", "create_large", "create_linux", "destroy_linux")
        )
        blocks = windows[f"create_linux_{others}"].blocks
        # A turn of a string instruction is a block of its own.
        turns = [b for b in blocks if b.length == 1 and b.address >= measure.HYPERVISOR_BASE and symbols.at(b.address)[1] == COPY]
        copied = sum(b.executions for b in turns) / len(linux)
        found[others] = Creation(max(mini), max(large), max(linux), copied, max(end))
    return found


# --- many at once


@dataclass(frozen=True)
class Many:
    """
    @throughput: of one domain's alone. @unfair: the largest difference of two domains' shares, of what BVT allows them. @idle: how
    many did nothing.
    """

    throughput: float
    unfair: float
    idle: int
    count: int


def unfairness(use: Use) -> float:
    """|s_i m_i - s_j m_j| / ((C + d)(m_i + m_j)) at most 1: src/sched_policy.h derives it."""
    guests = [(time, WEIGHT / use.weight[name]) for name, time in use.time.items() if name != "domain 0"]
    pairs = product(guests, guests)
    return max(abs(s * m - t * n) / ((ALLOWANCE + DELAY) * (m + n)) for (s, m), (t, n) in pairs)


@cache
def many(linuxes: int = LINUXES, minis: int = MINIS) -> Many:
    text = console(run(f"many {linuxes} {minis}"))
    before, together = text.split("together\n")
    alone, did = read_did(before), read_did(together)
    rates = {"linux": alone["linux1"].units / 500, "mini": alone["alone"].units / 500}
    whole = sum(d.units / rates[name.rstrip("0123456789")] for name, d in did.items()) / window(together)
    return Many(whole, unfairness(read_use(together)), sum(d.units == 0 for d in did.values()), len(did))


@cache
def rising() -> dict[int, tuple[float, float, float]]:
    """By the number of domains: the throughput of all, in that of one; the least and the largest share, in a fair one."""
    parts = re.split(r"^count (\d+) (\d+)$", console(run(f"rising {' '.join(map(str, RISING))}")), flags=re.M)[1:]
    found, one = {}, 1.0
    for count, length, text in zip(map(int, parts[0::3]), map(int, parts[1::3]), parts[2::3]):
        did = [d.units / length for d in read_did(text).values()]
        one = did[0] if count == 1 else one
        found[count] = (sum(did) / one, min(did) * count / one, max(did) * count / one)
    return found


# --- a hostile neighbour


@dataclass(frozen=True)
class Beside:
    """@share: what the other got, of its fair share. @shell: a command's longest time in domain 0, in that without others."""

    share: float
    shell: float


@cache
def beside(mode: str, victim: str = "busy") -> Beside:
    """
    Two domains that want all they can get. What domain 0 used is not there to be shared, up to a third. Of a device each should
    get half.
    """
    text = console(run(f"neighbour {mode} {victim}"))
    did, use = read_did(text), read_use(text)
    part = use.time["domain 0"] / use.length
    fair = max((1 - part) / 2, 1 / 3) if victim == "busy" else 1 / 2
    work = did["victim"].units / window(text) / (did["alone"].units / 500)
    return Beside(work / fair, max(read_ticks(text, "shell")) / max(read_ticks(text, "shell_alone")))


# --- for the table


@dataclass(frozen=True)
class Figure:
    """A row: @value is to be @most at most."""

    key: str
    title: str
    value: float
    most: float
    remark: str = ""


def creation_figures() -> Iterator[Figure]:
    made = creation()
    for others, c in made.items():
        beside_it = f", with {others} others"
        yield Figure(f"create_mini_{others}", f"creating a mini domain{beside_it}: instructions, all of them", c.mini, 2_000_000)
        yield Figure(f"create_large_{others}", f"creating a domain of 24 MiB with the same image{beside_it}", c.large, 2_000_000)
        yield Figure(f"create_linux_{others}", f"creating Linux with 24 MiB{beside_it}, apart from copying its image",
                     c.linux - c.copied, 2_000_000,
                     f"{c.linux:,.0f} in all, {c.copied:,.0f} of them of the loop that copies the image's 7 MiB")  # fmt: skip
        yield Figure(f"destroy_{others}", f"destroying Linux with 24 MiB{beside_it}: nanoseconds a 16 MiB", c.destroy * 16 / 24, 5_000_000)


def many_figures() -> Iterator[Figure]:
    m = many()
    title = f"{LINUXES} Linux and {MINIS} mini domains at once: "
    yield Figure("many_lost", title + "throughput lost, %", 100 * (1 - m.throughput), 5, f"{m.count - m.idle} of {m.count} made progress")
    yield Figure("many_unfair", title + "largest difference of two shares, % of BVT's bound", 100 * m.unfair, 100)


def hostile_figures(say: Callable[[str], None]) -> Iterator[Figure]:
    for mode, victim in [(mode, "busy") for mode in HOSTILE] + [(what, what) for what in SHARED]:
        say(f"beside a hostile neighbour: {mode}, {victim}")
        b = beside(mode, victim)
        yield Figure(f"beside_{mode}_{victim}", f"beside a hostile domain ({mode}): what another ({victim}) lost of its fair share, %",
                     100 * (1 - b.share), 5, f"a command of domain 0 took {b.shell:.2f} times its time at most")  # fmt: skip


def figures(say: Callable[[str], None]) -> Iterator[Figure]:
    say("creating and destroying domains")
    yield from creation_figures()
    say(f"{LINUXES + MINIS} domains at once")
    yield from many_figures()
    yield from hostile_figures(say)


def plot_rising(save: Callable[[object, str], None]) -> None:
    from matplotlib import pyplot

    found = rising()
    figure, axes = pyplot.subplots(figsize=(6, 3.4), layout="constrained")
    for i, (name, style) in enumerate((("all together", "o-"), ("the least share", "v:"), ("the largest share", "^:"))):
        axes.plot(list(found), [values[i] for values in found.values()], style, markersize=4, label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(list(found), [str(count) for count in found])
    axes.set_ylim(0, 1.4)
    axes.set_xlabel("busy domains")
    axes.set_ylabel("work (1: one alone, a fair share)")
    axes.legend(loc="lower left")
    save(figure, "domains")
