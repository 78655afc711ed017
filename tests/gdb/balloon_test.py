# SPDX-License-Identifier: MIT
"""A frame on its way through the balloon, as the commands tell it."""

import re
import unittest

from sessions import debug, needs_lab

ASKED = "((struct memory_op *)at.n)"


@needs_lab(7)
class Balloon(unittest.TestCase):
    def test_a_frame_that_is_given_back_is_nobody_s(self) -> None:
        """The guest names it in its list: the guest's own before the call, nobody's after it, and the domain has one less for each."""
        said = debug(7, "shrink", f"break do_memory_op if {ASKED}->op == 1 && {ASKED}->count > 0", "continue", "delete", "atl domains",
                     f"set $first = *(unsigned *){ASKED}->list", f"output {ASKED}->count", "atl frame $first", "finish", "atl frame $first",
                     "atl domains", "output $", reverse=True)
        asked, given = int(said[5]), int(re.search(r"Value returned is \$\d+ = (-?\d+)", said[7])[1])
        self.assertGreater(given, 0)
        self.assertLessEqual(given, asked)
        self.assertRegex(said[6], r"^frame 0x[0-9a-f]+: domain 1's")
        self.assertRegex(said[8], r"^frame 0x[0-9a-f]+: nobody's")
        before, after = (int(re.search(r"^1 .*?(\d+) +\d+ +\d+ +0x", text, re.MULTILINE)[1]) for text in (said[3], said[9]))
        self.assertEqual(before - after, given)
