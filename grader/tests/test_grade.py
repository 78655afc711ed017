# SPDX-License-Identifier: MIT
"""A submission from the folder to the result, on a course of two functions: what scores, what does not, and what it is told."""

import os
import unittest
from unittest import mock

from atelier_grader import emulator, grade, result, sandbox, score, steps, tree
from atelier_grader.manifest import ManifestError

from . import course as courses
from .course import FIRST, SECOND, row

GOOD = {"src/first.c": FIRST + "/* mine */\n"}


class Grading(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(lambda: None)
        cls.holder = unittest.TestCase()
        cls.course = courses.course(cls.holder)
        cls.addClassCleanup(cls.holder.doCleanups)

    def grade(self, files, lab=1, **options):
        return self.course.grade(courses.folder(self, files), lab, **options)

    def test_a_right_one_has_all_points(self):
        graded = self.grade(GOOD)
        self.assertEqual((graded.status, graded.score, graded.points, graded.message), (result.GRADED, 100, 100, ""))
        self.assertEqual(graded.environment.sandbox, "bubblewrap")
        self.assertEqual([(t.name, t.emulator, t.status) for t in graded.tests],
                         [("triple", "qemu+bochs", "passed"), ("program", "host", "passed")])
        self.assertGreater(row(graded, "triple").instructions, 1000)

    def test_what_is_handed_out_has_none(self):
        graded = self.grade({"src/first.c": (self.course.root / "starter/lab1/first.c").read_text()})
        self.assertEqual((graded.status, graded.score), (result.GRADED, 0))
        failed = row(graded, "triple")
        self.assertEqual((failed.status, failed.failure, failed.reproduce),
                         (result.FAILED, "wrong observation", "make gdb LAB=1 TEST=triple SEED=1 REVERSE=1"))
        self.assertEqual((len(failed.findings), failed.more), (5, 15))
        self.assertEqual((len(row(graded, "program").findings), row(graded, "program").more), (1, 19))  # it is hidden

    def test_the_same_gives_the_same_bytes(self):
        files = {"src/first.c": FIRST.replace("3 * x", "3 * x + (x == 7)")}
        texts = {result.to_json(self.grade(files)).replace(name, "") for name in ("x",)}
        one, other = self.grade(files), self.grade(files)
        self.assertEqual(result.to_json(one).replace(one.submission.name, ""), result.to_json(other).replace(other.submission.name, ""))
        self.assertNotIn("/tmp", "".join(texts))

    def test_only_what_is_the_labs_is_taken(self):
        graded = self.grade(GOOD | {"Makefile": "$(info Score: 100/100)\n", "src/second.c": "#error not mine\n",
                                    "labs/lab1-fake/tests/triple.py": "raise SystemExit\n"})
        self.assertEqual(graded.score, 100)
        self.assertEqual(graded.submission.taken, ("src/first.c",))
        self.assertEqual({i.name for i in graded.submission.ignored}, {"Makefile", "src/second.c", "labs/lab1-fake/tests/triple.py"})

    def test_what_does_not_build_says_where(self):
        graded = self.grade({"src/first.c": FIRST + "int x = missing;\n"})
        self.assertEqual((graded.status, graded.score), (result.NOT_BUILT, 0))
        self.assertRegex(graded.message, r"^src/first.c:6: .*missing")
        self.assertEqual({t.failure for t in graded.tests}, {"did not build"})

    def test_what_does_not_link_says_where(self):
        graded = self.grade({"src/first.c": FIRST.replace("{", "{\n\textern uint32_t nowhere(void);\n\tx += nowhere();", 1)})
        self.assertEqual(graded.status, result.NOT_BUILT)
        self.assertRegex(graded.message, r"^src/first.c:5: undefined reference to `nowhere'")

    def test_a_machine_that_ends_badly_is_told_how(self):
        for code, failure, message in (
                ("asm volatile(\"cli; hlt\");", "halted with interrupts off", r"Halted with interrupts off in QEMU: at 0xfc1"),
                ("for (;;) ;", "budget used up", r"after 20,000,000 instructions, at 0xfc1"),
                ("asm volatile(\"lidt (%0); ud2\" : : \"r\"(0x1000));", "triple fault", r"#UD in ring 0 at 0xfc1")):
            with self.subTest(failure=failure):
                failed = row(self.grade({"src/first.c": FIRST.replace("\treturn", f"\t{code}\n\treturn")}, test="triple"), "triple")
                self.assertEqual((failed.status, failed.failure, failed.score), (result.FAILED, failure, 0))
                self.assertRegex(failed.message, message)

    def test_the_wall_clock_is_nobodys_fault(self):
        with mock.patch.object(grade, "_run_machine", side_effect=emulator.Infra("the wall clock ended the run")):
            graded = self.grade(GOOD)
        self.assertEqual((graded.status, graded.score, graded.points), (result.INFRA, None, 100))
        self.assertEqual((row(graded, "triple").status, row(graded, "triple").score), (result.INFRA, None))
        self.assertEqual(row(graded, "program").score, 50)

    def test_one_test_alone(self):
        graded = self.grade(GOOD, test="program")
        self.assertEqual((graded.score, graded.points), (50, 50))
        self.assertEqual(self.grade(GOOD, emulator="bochs").tests[0].emulator, "bochs")
        with self.assertRaisesRegex(ManifestError, "it has triple, program"):
            self.grade(GOOD, test="nothing")
        with self.assertRaisesRegex(ManifestError, "there is no lab 7; this tree has 1, 2"):
            self.grade(GOOD, lab=7)

    def test_a_key_gives_each_its_own_seed(self):
        graded = self.grade(GOOD, key=b"k" * 32)
        seeds = {t.seed for t in graded.tests}
        other = {t.seed for t in self.grade({"src/first.c": FIRST + "/* hers */\n"}, key=b"k" * 32).tests}
        self.assertEqual((graded.score, graded.seed, len(seeds | other)), (100, "", 4))

    def test_nothing_of_the_lab_is_a_refusal(self):
        graded = self.grade({"first.c": FIRST})
        self.assertEqual((graded.status, graded.score, graded.points), (result.REFUSED, 0, 100))
        self.assertEqual(graded.message, "there is none of the files of lab 1 in it: src/first.c")
        self.assertEqual(self.course.grade(self.course.root / "nowhere").status, result.REFUSED)

    # ---- everything together ----

    def test_together_takes_all_files(self):
        graded = self.grade(GOOD | {"src/second.c": SECOND + "\n"}, lab=2)
        self.assertEqual((graded.score, graded.notes), (100, ("not handed in, and taken as they are handed out: src/second.h",)))

    def test_an_old_mistake_costs_a_fifth_and_is_named(self):
        graded = self.grade({"src/first.c": FIRST.replace("3", "4"), "src/second.c": SECOND + "\n"}, lab=2)
        self.assertEqual((row(graded, "hidden").score, row(graded, "together").score), (50, 40))
        self.assertRegex(row(graded, "together").message, "^4 points in 5: .*with src/first.c as solved it passes")

    def test_earlier_labs_that_are_not_there_are_lent(self):
        graded = self.grade({"src/second.c": SECOND + "\n"}, lab=2)
        self.assertEqual((row(graded, "together").status, row(graded, "together").score), (result.PASSED, 40))
        self.assertRegex(row(graded, "together").message, "src/first.c of earlier labs, not handed in")

    def test_one_mistake_is_one_failure(self):
        graded = self.grade({"src/first.c": FIRST, "src/second.c": SECOND.replace("0", "2")}, lab=2)
        self.assertEqual([(t.status, t.waits_for) for t in graded.tests], [(result.FAILED, ()), (result.WAITS, ("2.1",))])
        self.assertEqual(graded.score, 0)

    def test_what_leans_on_its_own_earlier_files_is_built_on_them(self):
        lab1 = FIRST + "uint32_t helper(void);\nuint32_t helper(void)\n{\n\treturn 0;\n}\n"
        lab2 = SECOND.replace("{", "{\n\tuint32_t helper(void);", 1).replace("return 0", "return helper()")
        graded = self.grade({"src/first.c": lab1, "src/second.c": lab2}, lab=2)
        self.assertEqual(graded.score, 100)
        self.assertRegex(graded.notes[-1], "only on your own")

    # ---- no ordinary mistakes ----

    def with_crashes(self, *broken):
        """Grades, where the emulator breaks down on the first run of each of these: the submission, again, and the solution."""
        def run(words, mounts, *more, **named):
            if words[-1] != "run":
                return real(words, mounts, *more, **named)
            runs.append(0)
            if len(runs) <= len(broken) and broken[len(runs) - 1]:
                return sandbox.Done(0, b'{"crashed": "QEMU ended on its own: it said nothing"}', b"", "")
            return real(words, mounts, *more, **named)

        runs, real = [], sandbox.run
        with mock.patch.object(sandbox, "run", run):
            return self.grade(GOOD, test="triple", emulator="qemu"), len(runs)

    def test_an_emulator_that_breaks_down_once_is_forgiven(self):
        graded, runs = self.with_crashes(True)
        self.assertEqual((graded.score, runs), (50, 2))

    def test_who_breaks_the_emulator_each_time_fails_and_is_flagged(self):
        graded, runs = self.with_crashes(True, True)
        failed = row(graded, "triple")
        self.assertEqual((graded.status, graded.score, failed.failure, runs), (result.GRADED, 0, "crashed the emulator", 3))
        self.assertRegex(failed.message, "QEMU ended on its own: it said nothing; twice, and not with the solution")
        self.assertEqual(score.flagged(graded), [failed])

    def test_what_breaks_with_the_solution_too_is_nobodys_fault(self):
        graded, runs = self.with_crashes(True, True, True)
        self.assertEqual((graded.status, graded.score, runs), (result.INFRA, None, 3))
        self.assertRegex(graded.message, "with the solution as well")

    def test_a_program_has_to_say_the_same_twice(self):
        code = "\tuint32_t low, high;\n\tasm volatile(\"rdtsc\" : \"=a\"(low), \"=d\"(high));\n\tx += low % 3 == 0;\n\treturn"
        graded = self.grade({"src/first.c": FIRST.replace("\treturn", code)}, test="program")
        self.assertEqual(graded.score, 0)
        twice = []

        def run(program, asked, folder):
            status = real(program, asked, folder)
            output = folder / steps.OUTPUT
            output.write_bytes(output.read_bytes() + bytes(4096) * len(twice))
            twice.append(status)
            return status

        real = grade._run_program
        with mock.patch.object(grade, "_run_program", run):
            graded = self.grade(GOOD, test="program")
        self.assertEqual((twice, graded.score, row(graded, "program").failure), ([0, 0], 0, "differs from run to run"))
        self.assertEqual(score.flagged(graded), [row(graded, "program")])

    # ---- hostile ones ----

    def test_the_compiler_shows_nothing(self):
        secret = courses.folder(self, {"secret.h": "#error SECRET\n"}) / "secret.h"
        self.grade(GOOD, test="program")
        made = next((self.course.root / "build/grader/trees").glob("lab1-*[!k]"))
        for line in (f'#include "{secret}"', '#include "/etc/passwd"', '#include "/proc/self/environ"', f'asm(".incbin \\"{secret}\\"");',
                     'asm(".incbin \\"labs/lab1-fake/tests/triple.c\\"");',
                     f'asm(".incbin \\"{made}/labs/lab1-fake/tests/triple.c\\"");', '#include "../labs/lab1-fake/tests/program.c"'):
            with self.subTest(line=line):
                graded = self.grade({"src/first.c": FIRST + line + "\n"})
                self.assertEqual(graded.status, result.NOT_BUILT)
                self.assertRegex(graded.message, "No such file|file not found")
                self.assertNotIn("SECRET", result.to_json(graded))

    def test_bombs_end(self):
        for line, why in (("char bomb[1u << 30] = {1};", "a file of more than 64 MiB"),
                          ('asm(".fill 0x7fffffff");', "a file of more than 64 MiB"), ('#include "/dev/zero"', "wants more than")):
            with self.subTest(line=line):
                graded = self.grade({"src/first.c": FIRST + line + "\n"}, test="program")
                self.assertEqual(graded.status, result.NOT_BUILT)
                self.assertIn(why, graded.message)

    def test_code_of_the_host_is_alone(self):
        attack = '''
#ifndef __STDC_HOSTED__
#define __STDC_HOSTED__ 0
#endif
#if __STDC_HOSTED__
#include <stdio.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/socket.h>
__attribute__((constructor)) static void attack(void)
{
	char text[64] = "";
	int fd = open("/etc/passwd", O_RDONLY), out = open("/tmp/x", O_CREAT | O_WRONLY, 0600);
	for (int i = 0; i < 100 && fork() >= 0; i++)
		;
	fprintf(stderr, "error: passwd %d root %d uid %d\\n", fd, open("/new", O_CREAT | O_WRONLY, 0600), getuid());
	(void)text, (void)out;
	_exit(9);
}
#endif
'''
        graded = self.grade({"src/first.c": FIRST + attack}, test="program")
        self.assertEqual((row(graded, "program").status, row(graded, "program").failure), (result.FAILED, "crashed"))
        self.assertRegex(row(graded, "program").message, "passwd -1 root -1 uid 65534")

    def test_a_pass_that_is_printed_earns_nothing(self):
        code = 'for (const char *c = "PASS 100/100\\n"; *c; c++)\n\t\tasm volatile("outb %0, %1" : : "a"(*c), "d"((uint16_t)0x3f8));\n'
        code += '\tasm volatile("outw %w0, %w1" : : "a"(0x2000), "d"(0x604));\n\tfor (;;) ;'
        graded = self.grade({"src/first.c": FIRST.replace("\treturn", f"\t{code}\n\treturn")}, test="triple")
        self.assertEqual((graded.score, row(graded, "triple").failure), (0, "cut short"))

    # ---- other machines ----

    def test_a_strict_umask_changes_nothing(self):
        self.addCleanup(os.umask, os.umask(0o077))
        self.assertEqual(self.grade(GOOD).score, 100)

    def test_what_an_emulator_leaves_is_files(self):
        def run(words, mounts, *more, **named):
            done = real(words, mounts, *more, **named)
            if words[-1] == "run":
                (mounts[-1].source / "link").symlink_to("/etc/passwd")
            return done

        real = sandbox.run
        with mock.patch.object(sandbox, "run", run):
            graded = self.grade(GOOD, test="triple", emulator="qemu")
        self.assertEqual((graded.status, graded.message), (result.INFRA, "triple: the emulator left something that is no file"))

    def test_without_namespaces_the_report_says_so(self):
        with mock.patch.object(sandbox, "missing", lambda: "no namespaces here"):
            graded = self.grade(GOOD)
        self.assertEqual((graded.score, graded.environment.sandbox), (100, "none: no namespaces here"))


class OwnTree(unittest.TestCase):
    """A student's tree has no cutter: what it is graded on is a copy of itself."""

    def test_who_breaks_the_emulator_has_no_score(self):
        def run(words, *more, **named):
            if words[-1] == "run":
                return sandbox.Done(0, b'{"crashed": "QEMU ended on its own"}', b"", "")
            return real(words, *more, **named)

        real, course = sandbox.run, courses.course(self, staff=False)
        with mock.patch.object(sandbox, "run", run):
            graded = course.grade(course.root, test="triple")
        self.assertEqual((graded.status, graded.score), (result.INFRA, None))
        self.assertRegex(graded.message, "QEMU ended on its own, twice; no solution is here to tell")

    def test_it_grades_itself(self):
        course = courses.course(self, staff=False)
        trees = course.root / "build/grader/trees"
        self.assertEqual(course.grade(course.root).score, 100)
        before = sorted(trees.iterdir())
        course.write({"src/first.c": FIRST.replace("3", "4")})
        self.assertEqual(course.grade(course.root).score, 0)
        self.assertEqual(sorted(trees.iterdir()), before)  # it was not built again

    def test_a_file_that_does_not_compile_is_a_result(self):
        course = courses.course(self, staff=False)
        course.write({"src/first.c": FIRST + "int x = y;\n"})
        graded = course.grade(course.root)
        self.assertEqual(graded.status, result.NOT_BUILT)
        self.assertRegex(graded.message, "^src/first.c:6: ")
        course.write({"src/first.c": FIRST})
        self.assertEqual(course.grade(course.root).score, 100)

    def test_a_tree_that_is_not_got_is_not_held(self):
        course = courses.course(self)
        course.grade(courses.folder(self, GOOD), test="program")
        before = os.listdir("/proc/self/fd")
        with mock.patch.object(tree, "Base", side_effect=emulator.Infra("broken")):
            self.assertEqual(course.grade(courses.folder(self, GOOD), test="program").message, "broken")
        self.assertEqual(len(os.listdir("/proc/self/fd")), len(before))

    def test_a_tree_that_nobody_can_build_is_no_zero(self):
        course = courses.course(self)
        course.write({"tests/fake/fake.c": "int x = y;\n"})
        graded = course.grade(courses.folder(self, GOOD))
        self.assertEqual((graded.status, graded.score), (result.INFRA, None))
        self.assertRegex(graded.message, "the tree of the lab failed: tests/fake/fake.c:1:9: error")


if __name__ == "__main__":
    os.umask(0o022)
    unittest.main()
