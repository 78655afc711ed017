# SPDX-License-Identifier: MIT
"""Going backwards: each of these sessions comes to its end and finds what it looks for, on a busy machine too."""

import unittest

from sessions import debug


class Reverse(unittest.TestCase):
    def test_the_last_call_is_found_from_the_end(self) -> None:
        said = debug(3, "batch", "continue", "atl position", "watch crash_context.call", "reverse-continue", "print number",
                     "delete", "continue", "atl position", reverse=True)
        self.assertIn("end of the recording", said[0])
        self.assertIn("= 9", said[4])  # HYPERCALL_shutdown
        self.assertEqual(said[1], said[7])

    def test_it_goes_on_at_neither_end(self) -> None:
        said = debug(3, "batch", "continue", "continue", "continue", "reverse-stepi", "reverse-continue", "reverse-continue", "atl position",
                     reverse=True)
        self.assertIn("recording is over", said[2])
        self.assertIn("instruction 0 of", said[6])
