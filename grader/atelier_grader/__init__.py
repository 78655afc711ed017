# SPDX-License-Identifier: MIT
"""The grader of Atelier: boots a test on a hypervisor, reads what was observed, and judges it.

Read in this order: manifest (which tests a lab has), judge (what a test is, and how it is judged),
observe (the format of observations), trial (one test, run once), emulator (a boot and what came out
of it), qemu, bochs, cli.
"""
