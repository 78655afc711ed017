# SPDX-License-Identifier: MIT
"""The runner on a fake hypervisor: every way in which a run can end, on both emulators and the host."""

import hashlib
import signal
import unittest
from dataclasses import replace
from pathlib import Path
from random import Random
from unittest import mock

from atelier_grader import bochs, elf, emulator, observe, qemu, trial
from atelier_grader.emulator import Boot, Infra, Module, Stop, Text
from atelier_grader.trial import Verdict

from . import fakes

MAGIC = bytes(range(100, 84, -1))
RUN = {"qemu": qemu.run, "bochs": bochs.run}


class EachEnding(unittest.TestCase):
    """What a judge, a guest or a hypervisor does wrong gets its own verdict."""

    def setUp(self):
        self.tree = fakes.tree(self)

    def expect(self, where, how, verdict, detail=""):
        name = "program" if where == "host" else "triple"
        self.tree.judge(name, how)
        outcome = self.tree.run(name, where)
        self.assertEqual(outcome.verdict, verdict, outcome)
        self.assertIn(detail, outcome.detail)

    def test_a_right_answer_passes_everywhere(self):
        for where in ("qemu", "bochs", "host"):
            self.expect(where, "ok", Verdict.PASSED)

    def test_a_wrong_answer_is_found_everywhere(self):
        for where, name in (("qemu", "triple"), ("bochs", "triple"), ("host", "program")):
            self.tree.judge(name, factor=4)
            outcome = self.tree.run(name, where)
            self.assertEqual(outcome.verdict, Verdict.WRONG)
            self.assertEqual(outcome.findings[0].want * 3, outcome.findings[0].got * 4)

    def test_endings_of_a_machine(self):
        for where in RUN:
            for how, verdict, detail in (
                    ("mute", Verdict.NOT_BOOTED, "before its guest said anything"),
                    ("triple", Verdict.TRIPLE_FAULT, "fault_here"),
                    ("deaf", Verdict.HALTED, "at "),
                    ("spin", Verdict.BUDGET, "at "),
                    ("unclosed", Verdict.CUT_SHORT, "last observed last 0"),
                    ("killed", Verdict.CUT_SHORT, "domain 0 (domain 0) dies: page fault"),
                    ("crash", Verdict.CRASHED, "the fake was told to")):
                with self.subTest(where=where, how=how):
                    self.expect(where, how, verdict, detail)

    def test_a_machine_that_nothing_can_wake_is_no_matter_of_the_wall_clock(self):
        self.expect("qemu", "asleep", Verdict.ASLEEP, "at ")
        with mock.patch.object(emulator, "WALL_FLOOR", 1.0), \
                mock.patch.object(emulator, "INSTRUCTIONS_A_SECOND", 10 ** 12):
            self.expect("bochs", "asleep", Verdict.BUDGET, "at ")

    def test_a_flood_of_output_ends(self):
        with mock.patch.object(emulator, "OUTPUT_LIMIT", 1 << 20):
            self.expect("qemu", "floods", Verdict.OUTPUT, "more than 1 MiB of output")

    def test_a_reset_is_no_triple_fault(self):
        self.expect("qemu", "reset", Verdict.RESET, "no triple fault")

    def test_the_cause_of_a_triple_fault_is_named(self):
        self.expect("qemu", "triple", Verdict.TRIPLE_FAULT, "#UD in ring 0 at fault_here")

    def test_endings_of_a_program(self):
        for how, verdict, detail in (
                ("crash", Verdict.CRASHED, "told to"),
                ("babble", Verdict.UNREADABLE, "no number of pages"),
                ("full", Verdict.UNREADABLE, "observations were lost"),
                ("overrun", Verdict.UNREADABLE, "beyond the end of its input"),
                ("unclosed", Verdict.CUT_SHORT, "domain 0")):
            with self.subTest(how=how):
                self.expect("host", how, verdict, detail)

    def test_a_domain_that_is_meant_to_die_need_not_end(self):
        self.tree.judge("triple", "unclosed", settings="DIES = {0}")
        self.assertEqual(self.tree.run("triple", "qemu").verdict, Verdict.PASSED)

    def test_the_machinery_is_not_blamed_on_the_hypervisor(self):
        with mock.patch.object(emulator, "WALL_FLOOR", 0.5), \
                mock.patch.object(emulator, "INSTRUCTIONS_A_SECOND", 10 ** 12):
            self.tree.judge("triple", "spin")
            lab = (self.tree.root / "labs/lab1-fake/lab.toml")
            lab.write_text(lab.read_text().replace("budget = 20", "budget = 100000"))
            for where in RUN:
                self.expect(where, "spin", Verdict.INFRA, "wall clock")
        self.tree.judge("triple")
        (self.tree.root / "build" / trial.TESTED).unlink()
        outcome = self.tree.run("triple", "qemu")
        self.assertEqual(outcome.verdict, Verdict.INFRA)
        self.assertRegex(outcome.detail, "build it first")


class Process(unittest.TestCase):
    """What an emulator may do on the machine, and what is made of it that it is gone."""

    def setUp(self):
        self.tree = fakes.tree(self)
        self.tree.judge("triple", "spin")

    def run_and(self, module, look, what):
        """Runs a guest that spins, and does something with its emulator when the run has begun."""
        def spawn(*given, **named):
            started.append(real(*given, **named))
            return started[0]

        def wait(*given):
            what(started[0])
            return looks(*given)

        started, real, looks = [], emulator.spawn, getattr(module, look)
        with mock.patch.object(emulator, "spawn", spawn), mock.patch.object(module, look, wait):
            return self.tree.run("triple", module.__name__.split(".")[-1])

    def test_qemu_may_not_do_what_it_need_not(self):
        status = []
        self.run_and(qemu, "_wait", lambda process: status.append(Path(f"/proc/{process.pid}/status").read_text()))
        self.assertRegex(status[0], r"(?m)^NoNewPrivs:\t1$")
        self.assertRegex(status[0], r"(?m)^Seccomp:\t2$")

    def test_an_emulator_that_is_gone(self):
        for module in (qemu, bochs):
            for number, kind in ((signal.SIGABRT, emulator.Crashed), (signal.SIGKILL, Infra)):
                with self.subTest(module=module.__name__, number=number), mock.patch.object(
                        trial, "infra", side_effect=lambda error: kinds.append(type(error)) or trial.End(Verdict.INFRA)):
                    kinds = []
                    self.run_and(module, "_wait", lambda process: process.send_signal(number))
                    self.assertEqual(kinds, [kind])


class Texts(unittest.TestCase):
    """The code of a guest, as it is executed, is what was loaded."""

    def test_what_is_changed_is_found(self):
        tree = fakes.tree(self)
        tree.judge("triple")
        image = elf.read(fakes.built() / "fake.elf")
        at, size = image.symbols["observe_end"].address, image.symbols["observe_end"].size
        code = image.segments[0].content[at - image.segments[0].virtual:][:size]
        for content, changed in ((code, None), (bytes(1) + code[1:], at)):
            with self.subTest(changed=changed):
                def boot_of(*given, content=content):
                    return replace(real(*given), texts=(Text(at, content),))

                real = trial.boot_of
                with mock.patch.object(trial, "boot_of", boot_of):
                    outcome = tree.run("triple", "qemu")
                self.assertEqual(outcome.verdict, Verdict.PASSED if changed is None else Verdict.CHANGED)
                self.assertIn("" if changed is None else f"{changed:#010x}", outcome.detail)
        with mock.patch.object(trial, "boot_of", lambda *given: replace(real(*given), texts=(
                Text(at, bytes(size)), Text(at, code), Text(0xc0000000, bytes(99))))):
            self.assertEqual(tree.run("triple", "qemu").verdict, Verdict.PASSED)  # one of them has it


class Evidence(unittest.TestCase):
    """What the emulators tell from outside."""

    def setUp(self):
        self.tree = fakes.tree(self)
        self.elf = fakes.built() / "fake.elf"

    def boot(self, how="ok", modules=(), budget=20_000_000, **more):
        image = self.elf.read_bytes()
        told = observe.encode({"numbers": [1, 2, 3], "text": b"abc", "last": 9})
        return Boot(self.elf, "console=com1", (
            Module("fake", f"magic={MAGIC.hex()} domain=0 how={how}", image), Module("initrd", "", told),
            *modules), 32, budget, **more)

    def seen(self, result):
        return observe.parse(observe.find_pages(result.memory, MAGIC))

    def test_five_runs_give_the_same_bytes(self):
        for where, run in RUN.items():
            with self.subTest(where=where):
                runs = [run(self.boot(), self.tree.root / "run") for _ in range(5)]
                self.assertEqual({hashlib.sha256(r.memory).hexdigest() for r in runs},
                                 {hashlib.sha256(runs[0].memory).hexdigest()})
                self.assertEqual({str((r.serial, r.counters, r.marks)) for r in runs},
                                 {str((runs[0].serial, runs[0].counters, runs[0].marks))})

    def test_modules_arrive_whole_and_in_order(self):
        big = Random(1).randbytes(3 << 20)
        modules = (Module("domain", "mem=4096 one", big), Module("domain", "mem=8192 two", big[:-4]),
                   Module("initrd", "", b"odd"))
        for where, run in RUN.items():
            with self.subTest(where=where):
                boot = self.boot(modules=modules, budget=200_000_000)
                seen = self.seen(run(boot, self.tree.root / f"run-{where}"))
                for i, module in enumerate(boot.modules):
                    got = seen.one("module", i)
                    self.assertEqual((got.size, got.sum), (whole_pages(module.content), word_sum(module.content)))
                    keyword, _, arguments = seen.one("string", i).text.decode().partition(" ")
                    self.assertEqual((keyword.split("/")[-1], arguments),
                                     (module.keyword, module.arguments))

    def test_executions_are_counted(self):
        judge = """counters = outside.counters
    if counters.entered != 40 or outside.marks[1].entered - outside.marks[0].entered != 40:
        yield Finding(EXERCISE, "entered", 40, counters.entered)
    counts = [outside.count("observe_end", mark) for mark in (0, 1, None)]
    if counts != [0, 0, 1]:
        yield Finding(EXERCISE, "counts", [0, 0, 1], counts)"""
        self.tree.judge("triple", settings="MARKS = True", more=judge)
        outcome = self.tree.run("triple", "qemu")
        self.assertEqual(outcome.verdict, Verdict.PASSED, outcome)

    def test_memory_registers_and_faults(self):
        judge = """page = outside.translate(0xfc000000 + outside.image.symbols["canary"].address)
    got = outside.word(page), outside.variable("canary"), outside.translate(0x80000000), outside.faults
    if got != (0x600dcafe, b"\\xfe\\xca\\x0d\\x60", None, ()):
        yield Finding(EXERCISE, "evidence", "the canary", got)
    table = outside.registers["gdt"], outside.registers["gdt_limit"]
    if table[0] == 0 or table[1] % 8 != 7 or table[1] < outside.registers["cs"]:
        yield Finding(EXERCISE, "the table of segments", "one with CS", table)"""
        self.tree.judge("triple", settings="EXCEPTIONS = True", more=judge)
        for where in RUN:
            outcome = self.tree.run("triple", where)
            self.assertEqual(outcome.verdict, Verdict.PASSED, outcome)

    def test_the_exceptions_of_a_run_are_logged(self):
        for where, run in RUN.items():
            result = run(self.boot("triple", exceptions=True), self.tree.root / f"run-{where}")
            self.assertEqual(result.stop, Stop.TRIPLE_FAULT)
            self.assertEqual(result.faults[0].vector, 6)
        self.assertEqual(result.faults[1].vector, 13)

    def test_the_budget_falls_at_the_same_instruction(self):
        runs = [qemu.run(self.boot("spin"), self.tree.root / "run") for _ in range(3)]
        self.assertEqual({r.stop for r in runs}, {Stop.BUDGET})
        self.assertEqual(len({(r.detail, r.counters.total()) for r in runs}), 1)
        self.assertLess(abs(runs[0].counters.total() - 20_000_000), 100)

    def test_a_string_that_no_loader_carries_is_refused(self):
        for run in RUN.values():
            with self.assertRaisesRegex(Infra, "no comma"):
                run(self.boot("a,b"), self.tree.root / "run")

    def test_a_kernel_that_does_not_fit_is_infra(self):
        for run in RUN.values():
            with self.assertRaises(Infra):
                run(self.boot(modules=(Module("disk", "", bytes(40 << 20)),)), self.tree.root / "run")


class Seeds(unittest.TestCase):
    def test_the_same_seed_asks_for_the_same_and_another_does_not(self):
        tree = fakes.tree(self)
        tree.judge("program", factor=5)
        wants = [[f.want for f in tree.run("program", "host", seed).findings] for seed in ("1", "1", "2")]
        self.assertEqual(wants[0], wants[1])
        self.assertNotEqual(wants[0], wants[2])

    def test_findings_have_a_limit(self):
        tree = fakes.tree(self)
        tree.judge("program", factor=5)
        self.assertEqual(len(tree.run("program", "host").findings), trial.judge.MAX_FINDINGS)


def whole_pages(content):
    return (len(content) + 4095) // 4096 * 4096


def word_sum(content):
    """What fake.c computes over a module, which is padded with zeros."""
    total = 0
    content += bytes(whole_pages(content) - len(content))
    for at in range(0, len(content), 4):
        total = ((total << 1 | total >> 31) & 0xffffffff) ^ int.from_bytes(content[at:at + 4], "little")
    return total


if __name__ == "__main__":
    unittest.main()
