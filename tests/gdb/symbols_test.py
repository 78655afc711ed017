# SPDX-License-Identifier: MIT
"""GDB has the names of the domain that runs, and breakpoints by name are hit in whoever has that name.

What a domain runs, the test knows from its judge; where names lie, from the files themselves, read by nm.
"""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from sessions import ROOT, debug, needs_lab

GUESTS = ("director", "shares", "shares", "sleepers", "sleepers")  # labs/lab5-bvt/tests/sleepers.py: DOMAINS


def names(file: str) -> dict[str, int]:
    out = subprocess.run(["nm", ROOT / file], check=True, capture_output=True, text=True).stdout
    return {words[2]: int(words[0], 16) for line in out.splitlines() if len(words := line.split()) == 3}


def guest(name: str) -> dict[str, int]:
    return names(f"build/labs/lab5-bvt/tests/{name}.elf")


def last_number(text: str) -> int:
    return int(re.findall(r"= (0x[0-9a-f]+|-?[0-9]+)", text)[-1], 0)


class Alone(unittest.TestCase):
    def test_a_guest_that_has_not_begun(self) -> None:
        said = debug(1, "copy", "break test_main", "continue", "output/x $eip", "atl symbols", "print $domain()")
        self.assertRegex(said[1], r"test_main .* at labs/lab1-hypercalls/tests/cop\w+\.[ch]:")
        self.assertIn(int(said[2], 16) - names("build/labs/lab1-hypercalls/tests/copy.elf")["test_main"], range(32))
        self.assertRegex(said[3], r"\n0 .* \*  build/labs/lab1-hypercalls/tests/copy.elf\n")
        self.assertEqual(0, last_number(said[4]))


@needs_lab(5)
class Follow(unittest.TestCase):
    def test_a_name_stops_in_whoever_has_it_at_its_own_address(self) -> None:
        orders = ["break test_main"]
        for _ in GUESTS:
            orders += ["continue", "output/x $eip", "print $domain()", "atl symbols"]
        said = debug(5, "sleepers", *orders)
        seen = set()
        for i in range(1, len(orders), 4):
            number = last_number(said[i + 2])
            seen.add(number)
            # GDB stops behind a function's first few instructions.
            self.assertIn(int(said[i + 1], 16) - guest(GUESTS[number])["test_main"], range(32))
            self.assertIn(f"tests/{GUESTS[number]}.c:", said[i])
            stars = re.findall(r"^(\d+) .* \*  build/labs/lab5-bvt/tests/(\w+).elf$", said[i + 3], re.M)
            self.assertEqual({(str(n), name) for n, name in enumerate(GUESTS) if name == GUESTS[number]}, set(stars))
        self.assertEqual(set(range(len(GUESTS))), seen)

    def test_a_breakpoint_in_one_domain(self) -> None:
        said = debug(5, "sleepers", "atl break 4 event_dispatch", "continue", "print $domain()", "continue", "print $domain()",
                     "continue", "print $domain()")
        self.assertEqual([4, 4, 4], [last_number(said[i]) for i in (2, 4, 6)])

    def test_one_file_a_domain(self) -> None:
        said = debug(5, "sleepers", "break serve_hypercall", "continue", "atl symbols", "print $domain()")
        self.assertEqual(list(GUESTS), re.findall(r"tests/(\w+).elf", said[2]))
        self.assertEqual([GUESTS[last_number(said[3])]], re.findall(r"\*  build/labs/lab5-bvt/tests/(\w+).elf", said[2]))

    def test_the_hypervisor_keeps_its_names(self) -> None:
        said = debug(5, "sleepers", "break event_dispatch", "continue", "print/x (int)&stack_top", "print/x (int)&memcpy",
                     "python import atl.model; print('=', hex(atl.model.address('memcpy')))")
        hypervisor = names("build/atelier-debug.elf")
        self.assertEqual(hypervisor["stack_top"], last_number(said[2]))
        self.assertEqual(hypervisor["memcpy"], last_number(said[3]))
        self.assertEqual(hypervisor["memcpy"], last_number(said[4]))

    def test_before_there_is_anything(self) -> None:
        said = debug(5, "sleepers", "atl symbols", "print $domain()", "atl break 7 nowhere")
        self.assertEqual(1, len(said[0].splitlines()), said[0])
        self.assertEqual(-1, last_number(said[1]))
        self.assertIn("pending", said[2])
        self.assertNotRegex(said.whole, "Traceback|Python Exception")


def program(folder: str, *, at: int = 0, pie: bool = False) -> str:
    """A file with a function `in_ring_3` at an address, or anywhere."""
    source, made = Path(folder) / "program.s", Path(folder) / "program.elf"
    source.write_text(".globl in_ring_3, _start\n_start: in_ring_3: nop\nagain: jmp again\n.type in_ring_3, @function\n")
    where = ["-pie"] if pie else [f"-Ttext={at:#x}"]
    subprocess.run(["as", "--32", "-o", f"{folder}/program.o", source], check=True)
    subprocess.run(["ld", "-m", "elf_i386", *where, "-o", made, f"{folder}/program.o"], check=True)
    return str(made)


@needs_lab(4)
class Programs(unittest.TestCase):
    """Of mini's programs in ring 3 there is no file: the test makes one for where mini puts them, in its user window's first page."""

    def test_a_breakpoint_in_ring_3(self) -> None:
        window = debug(4, "tls", "break user_run", "continue", "print/x regs->eip")
        at = last_number(window[2])
        with tempfile.TemporaryDirectory() as folder:
            file = program(folder, at=at)
            said = debug(4, "tls", f"atl program {file}", "atl program", "atl break 0 *in_ring_3", "continue", "print $cs & 3",
                         "print/x $eip", f"atl program {file} off", "atl program", "info symbol $eip")
        self.assertIn(file, said[1])
        self.assertIn("in_ring_3", said[3])
        self.assertEqual((3, at), (last_number(said[4]), last_number(said[5])))
        self.assertIn("no program", said[7])
        self.assertNotIn("in_ring_3", said[8])

    def test_one_that_may_be_anywhere_needs_an_address(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = program(folder, pie=True)
            start = names(file)["in_ring_3"]
            fixed = debug(4, "tls", f"atl program {program(folder, at=0x8000000)} 0x1000")
            program(folder, pie=True)
            said = debug(4, "tls", f"atl program {file}", f"atl program {file} 0x8000000", "info address in_ring_3",
                         f"atl program {file} 0x8000000", "atl program /nowhere off", "atl program /etc/passwd")
        self.assertIn("leave the address out", fixed[0])
        self.assertIn("ADDRESS", said[0])
        self.assertIn(f"{start + 0x8000000:#x}", said[2])
        for refused in said[3:]:
            self.assertRegex(refused, r"^error: atl program: [^\n]+\n$")


if __name__ == "__main__":
    unittest.main()
