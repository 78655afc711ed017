# SPDX-License-Identifier: MIT
"""lab.toml: what is wrong in it is said in one line, with file and place."""

import unittest

from atelier_grader import manifest
from atelier_grader.emulator import ROOT
from atelier_grader.manifest import ManifestError

from . import fakes


class Manifests(unittest.TestCase):
    def setUp(self):
        self.tree = fakes.tree(self)
        self.path = self.tree.root / "labs" / "lab1-fake" / "lab.toml"

    def test_the_real_ones_are_valid(self):
        self.assertTrue(manifest.load_all(ROOT))

    def test_a_good_one(self):
        lab = self.tree.lab()
        self.assertEqual(lab.exercises[0].functions, (("src/fake.c", "triple"),))
        self.assertEqual([(t.name, t.emulators, t.budget) for t in lab.tests],
                         [("triple", ("qemu", "bochs"), 20_000_000), ("program", ("host",), 100_000_000)])

    def test_mistakes(self):
        for old, new, why in (
                ("number = 1\n", "number = 2\n", "number and name say lab2-fake"),
                ("number = 1\n", "number = \"1\"\n", "number must be of type int, and is '1'"),
                ("number = 1\n", "", "has no number"),
                ("number = 1\n", "numbre = 1\nnumber = 1\n", "nobody knows the key numbre"),
                ("points = 50", "points = 49", "99 points together, not 100"),
                ("points = 50", "points = true", "test triple: points must be of type int"),
                ('exercise = "1.1"', 'exercise = "1.3"', "test triple names exercise 1.3, which is not there"),
                ("budget = 20", 'needs = ["1.4"]', "test triple names exercise 1.4, which is not there"),
                ("budget = 20", 'needs = ["1.1"]', "test triple needs its own exercise"),
                ('visibility = "public"', 'visibility = "secret"', "must be one of public, hidden, hostile"),
                ('["qemu", "bochs"]', '["xen"]', "test triple: emulators must be one of ['qemu']"),
                ('["src/fake.c"]', '["src/other.c"]', "exercise 1.1 is in src/fake.c, which is not editable"),
                ('["src/fake.c"]', '["src/fake.c", "../x"]', "../x leads out of the tree"),
                ('name = "program"', 'name = "triple"', "test triple is there twice"),
                ('name = "program"', 'name = "Pro gram"', "made of a-z"),
                ('functions = ["triple"]', "functions = []", "src/fake.c needs a list of functions"),
                ("title =", "title = =", "Invalid value (at line 4")):
            with self.subTest(why):
                self.path.write_text(fakes.LAB.replace(old, new, 1))
                with self.assertRaises(ManifestError) as raised:
                    self.tree.lab()
                self.assertTrue(str(raised.exception).startswith("labs/lab1-fake/lab.toml"), raised.exception)
                self.assertIn(why, str(raised.exception))
                self.assertNotIn("\n", str(raised.exception))

    def test_what_the_tree_lacks(self):
        (self.path.parent / "tests" / "triple.c").touch()
        (self.path.parent / "tests" / "program.c").touch()
        self.assertEqual(manifest.problems(self.tree.lab(), self.tree.root), [])
        (self.path.parent / "tests" / "program.py").unlink()
        (self.tree.root / "src" / "fake.c").write_text("int echo(int x)\n{\n}\n\nint triple(int x);\n")
        where = "labs/lab1-fake/lab.toml"
        self.assertEqual(manifest.problems(self.tree.lab(), self.tree.root), [
            f"{where}: exercise 1.1 names triple, which src/fake.c does not define",
            f"{where}: test program has no tests/program.py"])

    def test_how_a_definition_looks(self):
        for source, defined in (
                ("int f(void)\n{\n}\n", True),
                ("static inline struct x *f(int a,\n\t\t\t  int b)\n{\n}\n", True),
                ("const char *\nf(int a)\n{\n}\n", True),
                ("__attribute__((noinline)) void f(void)\n{\n}\n", True),
                ("int f(void);\n", False),
                ("int ff(void)\n{\n}\n", False),
                ("int g(void)\n{\n\tf();\n}\n", False),
                ("/*\nint f(void)\n{\n*/\n", False),
                ("int g(void)\n{\n\tif (f(1)) {\n\t}\n}\n", False)):
            with self.subTest(source):
                self.assertEqual(manifest.defines(source, "f"), defined)


if __name__ == "__main__":
    unittest.main()
