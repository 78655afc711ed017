# SPDX-License-Identifier: MIT
"""What runs inside the grader's sandboxes: `steps.py unpack|run|judge`, orders on standard input, JSON comes out.

grade.py is the other side. No step trusts what the one before it left more than it trusts a submission.
"""

import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

# Each sandbox starts an interpreter: a step imports for itself what the others do not need.
from atelier_grader import emulator  # noqa: E402
from atelier_grader.elf import ElfError  # noqa: E402
from atelier_grader.emulator import (  # noqa: E402
    OUTPUT_LIMIT, PAGE, Boot, Counters, Crashed, Fault, Infra, Module, Run, Stop, Text)

# Names in a run's folders. What an emulator is given lies in one, what comes out in the other.
KERNEL, RUN = "kernel.elf", "run.json"
OUTPUT, SAID = "output", "messages"
UNWRITTEN = re.compile(rb"exercise (\d\.\d) is not written yet")
SHOWN = 5  # findings of a public test
TEXT = 400


def unpack(orders: dict) -> dict:
    from atelier_grader import submission
    from atelier_grader.result import clean
    try:
        return submission.read(Path(orders["path"]), orders["wanted"])
    except submission.Refused as error:
        return {"refused": clean(str(error))}


# ---- run ----

def give(boot: Boot, folder: Path) -> dict:
    """Outside: lays what is booted into a folder, and gives the orders for `run`."""
    folder.mkdir(parents=True)
    (folder / KERNEL).write_bytes(emulator.read_file(boot.kernel))
    for number, module in enumerate(boot.modules):
        (folder / str(number)).write_bytes(module.content)
    for number, text in enumerate(boot.texts):
        (folder / f"text{number}").write_bytes(text.content)
    return {"given": str(folder), "command_line": boot.command_line, "memory": boot.memory, "budget": boot.budget,
            "exceptions": boot.exceptions, "marks": list(boot.marks),
            "modules": [[module.keyword, module.arguments] for module in boot.modules], "texts": [text.address for text in boot.texts]}


def run(orders: dict) -> dict:
    """Boots in an emulator, in the working directory, where everything that comes out is left."""
    if orders["where"] == "qemu":
        from atelier_grader.qemu import run as boot_it
    else:
        from atelier_grader.bochs import run as boot_it
    given = Path(orders["given"])
    modules = tuple(Module(keyword, arguments, (given / str(number)).read_bytes())
                    for number, (keyword, arguments) in enumerate(orders["modules"]))
    boot = Boot(given / KERNEL, orders["command_line"], modules, orders["memory"], orders["budget"], orders["exceptions"],
                tuple(orders["marks"]), tuple(Text(address, (given / f"text{number}").read_bytes())
                                              for number, address in enumerate(orders["texts"])))
    try:
        result = boot_it(boot, Path.cwd())
    except Crashed as error:
        return {"crashed": str(error)}
    except (Infra, ElfError, OSError) as error:
        return {"infra": emulator.reason(error)}
    told = {"stop": result.stop.name, "detail": result.detail, "registers": dict(result.registers), "memory": len(result.memory),
            "faults": None if result.faults is None else [list(asdict(fault).values()) for fault in result.faults],
            "changed": result.changed, "counters": result.counters and _told(result.counters),
            "marks": None if result.marks is None else [_told(mark) for mark in result.marks]}
    Path(RUN).write_text(json.dumps(told))
    return {}


def _told(counters: Counters) -> list:
    return [counters.user, counters.guest, counters.hypervisor, counters.entered, list(counters.executed.items())]


def _counters(told: list) -> Counters:
    return Counters(*(_number(n) for n in told[:4]), MappingProxyType({_number(at): _number(n) for at, n in told[4]}))


def _number(value: object) -> int:
    if type(value) is not int:
        raise ValueError("no number")
    return value


def _result(where: str, folder: Path, memory: int) -> Run:
    """What `run` left. Infra if it cannot have."""
    try:
        return _read_result(where, folder, memory)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Infra(f"the run left nothing that can be read: {error}") from None


def _read_result(where: str, folder: Path, memory: int) -> Run:
    told = json.loads((folder / RUN).read_text())
    with (folder / emulator.SERIAL).open("rb") as file:
        serial = file.read(OUTPUT_LIMIT + PAGE)
    dump = emulator.read_memory(folder / emulator.MEMORY, memory << 20) if told["memory"] else b""
    faults = None if told["faults"] is None else tuple(
        Fault(*(None if n is None else _number(n) for n in fault)) for fault in told["faults"])
    return Run(where, Stop[told["stop"]], str(told["detail"]), serial, dump,
               MappingProxyType({str(name): _number(n) for name, n in told["registers"].items()}), faults,
               None if told["counters"] is None else _counters(told["counters"]),
               None if told["marks"] is None else tuple(_counters(mark) for mark in told["marks"]),
               None if told["changed"] is None else _number(told["changed"]))


# ---- judge ----

def judged(orders: dict) -> dict:
    """Judges what a run left behind, in a folder."""
    from atelier_grader import judge, manifest, trial
    from atelier_grader.result import clean
    lab = manifest.load(Path(orders["lab"]))
    test = next(test for test in lab.tests if test.name == orders["test"])
    folder, output, instructions = Path(orders["folder"]), b"", None
    try:
        asked = trial.ask(lab, test, orders["where"], orders["seed"])
        if orders["where"] == "host":
            output = (folder / SAID).read_bytes()[-trial.MESSAGES_READ:]
            end = trial.judge_program(asked, trial.Ran(orders["status"], (folder / OUTPUT).read_bytes(), output))
        else:
            result = _result(orders["where"], folder, asked.loaded.memory)
            end, output = trial.judge_run(asked, result, Path(orders["kernel"])), result.serial
            instructions = result.counters and result.counters.total()
    except trial.FAILURES as error:
        end = trial.infra(error)
    shown = end.findings[:SHOWN if test.visibility == "public" else 1]
    unwritten = sorted({number.decode() for number in UNWRITTEN.findall(output)})
    return {"verdict": end.verdict.name, "detail": clean(end.detail, TEXT), "instructions": instructions, "unwritten": unwritten[:9],
            "findings": [[clean(text, TEXT) for text in (f.what, judge.show(f.want), judge.show(f.got))] for f in shown],
            "more": len(end.findings) - len(shown), "exercises": sorted({f.exercise for f in end.findings}),
            "output": [clean(line) for line in trial.tail(output)] if end.verdict is not trial.Verdict.PASSED else []}


STEPS = {"unpack": unpack, "run": run, "judge": judged}

if __name__ == "__main__":
    emulator.TOOLS = Path(__file__).resolve().parent.parent / "tools"
    print(json.dumps(STEPS[sys.argv[1]](json.load(sys.stdin))))
