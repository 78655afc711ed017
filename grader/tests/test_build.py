# SPDX-License-Identifier: MIT
"""What make would run, and what a compiler's words come to."""

import unittest
from pathlib import Path

from atelier_grader import build, tree
from atelier_grader.sandbox import Done
from atelier_grader.tree import Command

TRACE = """\
make: Entering directory 'x'
Makefile:44: target 'deps-build' does not exist
tools/deps build
src/build.mk:49: update target 'build/hv/src/a.c.o' due to: src/a.c src/a.h
mkdir -p build/hv/src
gcc -c -o build/hv/src/a.c.o src/a.c && \\
\tobjcopy x
src/build.mk:49: target 'build/hv/src/b.c.o' does not exist
gcc -c -o build/hv/src/b.c.o src/b.c
src/build.mk:30: update target 'build/x.elf' due to: build/hv/src/a.c.o build/hv/src/b.c.o
ld -o build/x.elf build/hv/src/a.c.o build/hv/src/b.c.o
rm build/labs/z.c.o
"""

SOURCE = Command("build/hv/src/a.c.o", ("src/a.c", "src/a.h"), "gcc")


class Parsing(unittest.TestCase):
    def test_commands_of_a_trace(self):
        self.assertEqual(list(tree.parse(TRACE)), [
            Command("build/hv/src/a.c.o", ("src/a.c", "src/a.h"),
                    "mkdir -p build/hv/src\ngcc -c -o build/hv/src/a.c.o src/a.c && \\\n\tobjcopy x"),
            Command("build/hv/src/b.c.o", (), "gcc -c -o build/hv/src/b.c.o src/b.c"),
            Command("build/x.elf", ("build/hv/src/a.c.o", "build/hv/src/b.c.o"),
                    "ld -o build/x.elf build/hv/src/a.c.o build/hv/src/b.c.o")])

    def test_a_compiler_that_obeys_sees_no_tests(self):
        for output, inputs, alone in (
                ("build/hv/src/a.c.o", ("src/a.c",), True), ("build/host/lab/labs/lab1/tests/a.o", ("labs/a.c",), False),
                ("build/x.elf", ("build/a.o",), False), ("build/hv/symbols.o", ("build/hv/symbols.S",), False)):
            self.assertEqual(build.sees_sources_alone(Command(output, inputs, "")), alone, output)


class Explaining(unittest.TestCase):
    def explain(self, text, status=1, stopped=""):
        return build.explain(Done(status, b"", text.encode(), stopped), SOURCE, Path("/base/tree"))

    def test_the_first_error_has_its_place(self):
        for text, line in (
                ("src/a.c: In function 'f':\nsrc/a.c:7:3: error: 'x' undeclared\nsrc/a.c:9:1: error: more", "src/a.c:7: 'x' undeclared"),
                ("src/a.c:7:3: fatal error: x.h: No such file or directory", "src/a.c:7: x.h: No such file or directory"),
                ("/tmp/ccX.s: Assembler messages:\n/tmp/ccX.s:9: Error: no such instruction: `foo'", "src/a.c: no such instruction: `foo'"),
                ("ld: build/a.o: in function `f':\n/base/tree/src/a.c:88: undefined reference to `g'",
                 "src/a.c:88: undefined reference to `g'"),
                ("ld: build/a.o:(.text+0x2): undefined reference to `g'", "src/a.c: undefined reference to `g'"),
                ("cc1: fatal error: src/a.c: Is a directory\ncompilation terminated.", "src/a.c: src/a.c: Is a directory"),
                ("x\x1b[2J\n", "src/a.c: x\\x1b[2J"), ("", "src/a.c: status 1")):
            with self.subTest(text=text):
                self.assertEqual(self.explain(text), line)

    def test_limits_are_named(self):
        for text, status, stopped, why in (
                ("", -24, "", "30 s of processor time"), ("cc1: out of memory allocating 9 bytes", 1, "", "wants more than 1536 MiB"),
                ("as: a.o: File too large", 1, "", "a file of more than 64 MiB"), ("", -9, "folder", "more than 512 MiB")):
            self.assertRegex(self.explain(text, status, stopped), f"^src/a.c: .*{why}")


if __name__ == "__main__":
    unittest.main()
