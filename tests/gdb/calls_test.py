# SPDX-License-Identifier: MIT
"""`atl calls` against what a test's guest was told to ask, and what the test's judge says that the answers are."""

import errno
import re
import struct
import sys
import unittest

from sessions import ROOT, debug

sys.path.append(str(ROOT / "grader"))

from atelier_grader import manifest, trial  # noqa: E402


def given(number: int, name: str) -> dict:
    """What a test's guest is told, with seed 1."""
    lab = next(lab for lab in manifest.load_all(ROOT) if lab.number == number)
    return trial.ask(lab, next(test for test in lab.tests if test.name == name), "qemu", "1").given


def rows(text: str) -> list[list[str]]:
    """A table's lines without its head, in columns."""
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()[1:] if re.match(r" *\d+ ", line)]


class Calls(unittest.TestCase):
    def test_numbers_of_no_call_and_a_good_one_behind_each(self) -> None:
        said = debug(1, "numbers", "continue", "atl calls 81")
        want = []
        for number in given(1, "numbers")["numbers"][-40:]:
            want += [["0", f"no call ({number:#x})", "-ENOSYS"], ["0", "version", "1"]]
        self.assertEqual([*want, ["0", "shutdown", "not yet"]], [row[:3] for row in rows(said[1])])
        self.assertIn("reason=0 status=0", said[1])

    def test_entries_of_a_multicall_with_arguments_and_results(self) -> None:
        known = {0: "version", 4: "stack_switch", 6: "fpu_taskswitch", 7: "set_debugreg", 8: "get_debugreg", 9: "shutdown"}
        names = {4: ("ss", "esp"), 6: ("set",), 7: ("reg", "value"), 8: ("reg", "value"), 9: ("reason", "status")}
        after = given(1, "multicall")["batches"][-1].after
        entries = [entry for entry in struct.iter_unpack("<IiIIIIII", after) if entry[0] in known]
        said = debug(1, "multicall", "continue", f"atl calls {len(entries) + 2}")
        want = []
        for call, result, *args, _ in entries:
            shown = f"-{errno.errorcode[-result]}" if result < 0 else str(result)
            words = " ".join(f"{n}={v if v < 1024 else hex(v)}" for n, v in zip(names.get(call, ()), args))
            want.append(["0", f"+ {known[call]}", shown, *([words] if words else [])])
        found = rows(said[1])
        self.assertEqual("multicall", found[0][1])
        self.assertIn(f"count={len(after) // 32}", found[0][3])
        self.assertEqual(want, found[1:-1])

    def test_a_call_that_is_under_way(self) -> None:
        said = debug(1, "hello", "break do_console_write", "continue", "output count", "output/x bytes.n",
                     "output/x domains.slots[0].vcpu.regs.eip", "atl calls 1")
        self.assertEqual(["0", "console_write", "not yet", f"bytes={said[3]} count={said[2]}"], rows(said[5])[-1])
        self.assertIn(f"all by the INT at {int(said[4], 16) - 2:#x}", said[5])

    def test_no_call_yet_no_memory_yet_and_no_number(self) -> None:
        said = debug(1, "hello", "atl calls", "break start_subsystems", "continue", "atl calls", "atl calls x", "atl calls 1 2",
                     "atl calls 0")
        self.assertIn("not there yet", said[0])
        self.assertIn("no guest has called yet", said[3])
        self.assertIn("x: no number of calls", said[4])
        self.assertIn("say: atl calls [N]", said[5])
        self.assertIn("no guest has called yet", said[6])

    def test_a_build_that_remembers_nothing(self) -> None:
        said = debug(1, "hello", "continue", "atl calls", "atl why", more=("--hypervisor", str(ROOT / "build/atelier.elf")))
        self.assertIn("this hypervisor remembers nothing: debug builds do", said[1])
        self.assertIn("nobody has died so far; a debug build", said[2])

    def test_lines_fit_a_terminal(self) -> None:
        said = debug(1, "copy", "continue", "atl calls 256")
        self.assertTrue(rows(said[1]))
        self.assertLessEqual(max(map(len, said[1].splitlines())), 80)
