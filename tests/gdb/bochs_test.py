# SPDX-License-Identifier: MIT
"""Bochs' debugger on the hypervisor: it starts where it should, knows the names, and shows what the processor refuses.

What it must refuse is worked out by lab 4's model, from the inputs of the same seed.
"""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "grader")]

from atelier_grader import judge, manifest  # noqa: E402

LAB4 = ROOT / "labs/lab4-segmentation"
SOLVED = LAB4.exists() and 'exercise_missing("4.' not in (ROOT / "src/segment.c").read_text()


def bochs(*orders: str, more: tuple[str, ...] = (), seconds: float = 60.0) -> list[str]:
    """What each order printed; the first: what was printed before them."""
    with tempfile.NamedTemporaryFile("w", suffix=".bochs") as script:
        script.write("\n".join([*orders, ""]))
        script.flush()
        done = subprocess.run([ROOT / "tools/debug", "--bochs", *more, "--script", script.name], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", cwd=ROOT, timeout=seconds, check=False)  # fmt: skip
    said = re.split(r"^<bochs:\d+> .*\n", done.stdout, flags=re.MULTILINE)
    if done.returncode or len(said) != len(orders) + 2:
        raise AssertionError(f"the session broke off (status {done.returncode}):\n{done.stdout[-2000:]}{done.stderr}")
    return said


def refusal(*words: str) -> str:
    return subprocess.run([ROOT / "tools/debug", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT, check=False,
                          timeout=60).stderr  # fmt: skip


class Names(unittest.TestCase):
    def test_it_stands_at_the_hypervisor_s_first_instruction(self) -> None:
        said = bochs("r")
        self.assertRegex(said[0], r"\(boot\+0\): cli[^\n]*\n\Z")
        self.assertIn("rax: 00000000_2badb002", said[1])  # the loader's magic number (multiboot, section 3.2)

    def test_a_breakpoint_by_name_and_the_way_there_by_name(self) -> None:
        said = bochs('lb "mini_main"', "c", 'lb "hypercall_dispatch"', "c", "s 2", "bt", 'info symbols "do_sh"')
        self.assertIn("(mini_main+0)", said[2])
        self.assertIn("(hypercall_dispatch+0)", said[4])
        called = re.findall(r"\((\w+)\+", said[6])  # two steps on: the frame is made
        self.assertEqual(called[:2], ["hypercall_dispatch", "serve_hypercall"])
        self.assertIn("mini_main", called)  # through the entry from ring 1
        found = dict(reversed(line.split(": ")) for line in said[7].splitlines() if ": " in line)
        table = subprocess.run(["nm", ROOT / "build/atelier-debug.elf"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(found.get("do_shutdown"), "00000000" + re.search(r"^(\w+) T do_shutdown$", table, re.MULTILINE)[1])


@unittest.skipUnless(SOLVED, "without lab 4's exercises no guest has a GDT")
class Limits(unittest.TestCase):
    def setUp(self) -> None:
        sys.path.insert(0, str(LAB4 / "tests"))
        import lab4_model  # noqa: PLC0415

        self.model = lab4_model
        lab = manifest.load(LAB4 / "lab.toml")
        test = next(test for test in lab.tests if test.name == "gdt")
        given, _ = judge.draw(judge.load(LAB4 / "tests/gdt.py", test), "1", lab.folder, "gdt")
        self.probes = [(r, p) for r in given["rounds"] for p in r.probes]

    def why(self, r: object, p: object) -> str:
        """In which words Bochs refuses a probe, or nothing."""
        model = self.model
        d = model.in_table(r, p.selector)
        if model.load_trap(d, p.selector):
            return "load_seg_reg(GS"
        if p.kind == model.LOAD or not p.selector & ~3:
            return ""
        if p.kind == model.WRITE and d.bits & (model.CODE | model.W) != model.W:
            return "no write access"
        return "beyond limit" if model.access_trap(d, p.offset, 1 if p.kind == model.BYTE else 4, p.kind == model.WRITE) else ""

    def test_a_store_beyond_a_limit_is_seen_and_named(self) -> None:
        """The first such store of the run stops at #GP's entry; there the table says which limit it was."""
        faults = [(r, p) for r, p in self.probes if model_fault(self.model, r, p)]
        number = next(i for i, (r, p) in enumerate(faults) if p.kind == self.model.WRITE and self.why(r, p) == "beyond limit")
        r, p = faults[number]
        orders = ['lb "entry_13"', *["c"] * (number + 1), "print-stack 2", "sreg"]
        said = bochs(*orders, more=("--lab", "4", "--test", "gdt"))
        self.assertIn("processor: write_virtual_checks(): write beyond limit", said[number + 2])
        self.assertIn("(entry_13+0)", said[number + 2])
        self.assertRegex(said[number + 3], r"\[0x00000000\].*\n.*\(do_probe\+")  # error code, and whose instruction it was
        d = self.model.in_table(r, p.selector)
        last = d.limit * self.model.PAGE + self.model.PAGE - 1 if d.bits & self.model.G else d.limit
        self.assertRegex(said[number + 4], rf"gs:{p.selector:#06x},[^\n]*\n[^\n]*base={d.base:#010x}, limit={last:#010x}")

    def test_all_that_is_refused_is_said(self) -> None:
        said = bochs("c", more=("--lab", "4", "--test", "gdt"), seconds=120.0)[1]
        self.assertIn("Magic breakpoint", said)
        for words in ("load_seg_reg(GS", "no write access", "beyond limit"):
            self.assertEqual(sum(words in line for line in said.splitlines() if line.startswith("processor: ")),
                             sum(self.why(r, p) == words for r, p in self.probes), words)


def model_fault(model: object, r: object, p: object) -> bool:
    """Whether a probe ends in #GP."""
    trap, _ = model.expected(r, p)
    return trap is not None and trap.vector == model.GP


class Slips(unittest.TestCase):
    def test_each_is_one_line(self) -> None:
        for words, said in (
            (("--test", "x"), "a test has a lab"), (("--lab", "77", "--test", "x"), "LAB=77: this tree has labs 1"),
            (("--lab", "1"), "TEST=: lab 1 has"),
            (("--lab", "1", "--test", "x"), "TEST=x: lab 1 has"), (("--script", "/nowhere"), "/nowhere: "),
        ):  # fmt: skip
            self.assertRegex(refusal("--bochs", *words), rf"\Adebug: {said}[^\n]*\n\Z")
