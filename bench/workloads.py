# SPDX-License-Identifier: MIT
"""Workloads: rows that need more of a machine than micro.c does, a disk or a network.

A group is one boot of each side. A shell script of ours runs in it as a command of guestos/linux/init; its rows are begun by
`mark` or by a program of ours (mark.h), and print `row NAME OPERATIONS`. What is compared is
the instructions that the whole machine executes for these operations. As devices take the host's time, a group is run
several times, and the median counts.

A driver that waits in a loop until a device's time is over (Linux's for IDE does, three times 10 us a transfer) executes
instructions that are no work. They count, as the processor can do nothing else meanwhile; but the ratio is also given without
them, for with other drivers than these it would be that.

A group has a module, with its GROUP in it; groups.py knows the modules.
"""

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

import measure
from measure import KERNEL_BASE, OUT, ROOT, Failure, Run, System, Window

FULL = ROOT / "build/initramfs/full.cpio.lz4"
HERE = ROOT / "bench"
MARK = OUT / "mark"
PLACE = "bench"  # where our files lie in the machine
TAKES = 3
WAITS = ("delay_tsc",)  # Linux's loop behind udelay() and ndelay()


@dataclass(frozen=True)
class Workload:
    """
    A row. Its ratio is native / Atelier, that is of throughputs: the more the better. None: only to be known. @wire: nanoseconds that
    an operation takes on the wire at least. An instruction takes one, as in the emulator's clock, and the slower of both decides.
    """

    key: str
    title: str
    must: float | None = None
    aim: float | None = None
    wire: float = 0


@dataclass(frozen=True)
class Group:
    """
    What is measured in one boot. @script: in bench/. @programs: of ours (BENCH_PROGRAMS), put into the machine beside `mark`.
    @beside: for a peer outside the machine; gets the run's folder (names in @devices are relative to it) and lasts as long as
    the boot.
    """

    name: str
    script: str
    workloads: tuple[Workload, ...]
    devices: tuple[str, ...] = ()
    images: tuple[tuple[str, Path, Path], ...] = ()  # as in System
    programs: tuple[str, ...] = ()
    base: Path = measure.SMALL  # or FULL: the initramfs
    words: str = ""  # for both kernels' command lines
    beside: Callable[[Path], AbstractContextManager[object]] = measure.nobody
    sides: Callable[["Group"], tuple[System, System]] | None = None  # what is compared, if not native and Atelier
    names: tuple[str, str] = ("native", "Atelier")
    text: str = ""  # above the table


@dataclass(frozen=True)
class Comparison:
    """
    A row with both sides: instructions for one operation, the medians. @spread: the largest distance from them, as a share.
    """

    workload: Workload
    native: float
    atelier: float
    spread: float
    places: dict[str, dict[str, float]]  # system -> user, linux, hypervisor, waiting

    @property
    def ratio(self) -> float:
        return max(self.native, self.workload.wire) / max(self.atelier, self.workload.wire)

    @property
    def work_ratio(self) -> float:
        """Of what is executed elsewhere than in loops that wait, whatever the wire can take."""
        return (self.native - self.places["native"]["waiting"]) / (self.atelier - self.places["atelier"]["waiting"])

    @property
    def verdict(self) -> str:
        must, aim, ratio = self.workload.must, self.workload.aim, round(self.ratio, 2)
        if must is None:
            return "–"
        if ratio >= (must if aim is None else aim):
            return "ok"
        return "between" if ratio >= must else "under"

    def data(self) -> dict[str, object]:
        return asdict(self) | {"ratio": self.ratio, "work_ratio": self.work_ratio, "verdict": self.verdict}


# --- the machine


def make_image(group: Group) -> Path:
    """The group's initramfs: Debian's programs, and ours in /bench."""
    script = HERE / group.script
    records = measure.cpio_record(PLACE, 0o040755, b"")
    for path in (MARK, *(OUT / name for name in group.programs)):
        records += measure.cpio_record(f"{PLACE}/{path.name}", 0o100755, measure.need(path).read_bytes())
    records += measure.cpio_record(f"{PLACE}/{group.script}", 0o100644, script.read_bytes())
    image = OUT / f"{group.name}.lz4"
    measure.add_to_archive(group.base, records, image)
    return image


def systems(group: Group) -> tuple[System, System]:
    """Native Linux and the one on Atelier, as the group wants them."""
    command = f"sh /{PLACE}/{group.script} && echo end"
    words = f"{group.words} atelier.cmd={base64.b64encode(command.encode()).decode()}".strip()
    image = make_image(group)
    both = measure.native_linux(words, image), measure.atelier_linux(words, image)
    return tuple(replace(s, name=f"{group.name}, {s.name}", devices=group.devices, images=group.images) for s in both)


def sides_of(group: Group) -> tuple[System, System]:
    return (group.sides or systems)(group)


# --- measuring


def instructions(window: Window, system: System) -> dict[str, int]:
    """By place."""
    symbols = measure.read_symbols(system.symbols)
    waiting = Window(blocks=[b for b in window.blocks if symbols.at(b.address)[1] in WAITS]).instructions()
    return {
        "user": window.instructions(high=KERNEL_BASE),
        "linux": window.instructions(KERNEL_BASE, system.base) - waiting,
        "hypervisor": window.instructions(system.base),
        "waiting": waiting,
    }


def per_operation(runs: list[Run], key: str, system: System) -> tuple[float, float, dict[str, float]]:
    """The median of the runs, how far the others are from it, and the median of each place."""
    if any(key not in run.rows for run in runs):
        raise Failure(f"there is no row {key} in the run: does the script print it?")
    parts = [instructions(run.windows[key], system) for run in runs]
    operations = runs[0].rows[key].operations
    sums = [sum(part.values()) / operations for part in parts]
    middle = median(sums)
    spread = max(abs(value - middle) for value in sums) / middle
    return middle, spread, {place: median(part[place] for part in parts) / operations for place in parts[0]}


def compare(group: Group, say: Callable[[str], None]) -> list[Comparison]:
    sides = sides_of(group)
    runs: list[list[Run]] = []
    for system in sides:
        say(f"{system.name}, {TAKES} times")
        runs.append([measure.counted(system, take, group.beside) for take in range(1, TAKES + 1)])
    rows = []
    for workload in group.workloads:
        native, native_spread, native_places = per_operation(runs[0], workload.key, sides[0])
        atelier, atelier_spread, atelier_places = per_operation(runs[1], workload.key, sides[1])
        places = {"native": native_places, "atelier": atelier_places}
        rows.append(Comparison(workload, native, atelier, max(native_spread, atelier_spread), places))
    return rows


# --- what is written


def table(group: Group, rows: list[Comparison]) -> str:
    lines = [group.text] if group.text else []
    lines += [
        f"| {group.name} | {group.names[0]} | of it waiting | {group.names[1]} | of it Linux | hypervisor | ratio | must | aim | verdict |"
        " of work alone | spread |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --- | --: | --: |",
    ]
    for r in rows:
        must, aim = ("–" if value is None else f"{value:.2f}" for value in (r.workload.must, r.workload.aim))
        parts = r.places["atelier"]
        lines.append(
            f"| {r.workload.title} | {r.native:,.0f} | {r.places['native']['waiting']:,.0f} | {r.atelier:,.0f} |"
            f" {parts['linux']:,.0f} | {parts['hypervisor']:,.0f} | {r.ratio:.2f} | {must} | {aim} | {r.verdict} |"
            f" {r.work_ratio:.2f} | {r.spread:.1%} |"
        )
    return "\n".join(lines) + "\n"
