# SPDX-License-Identifier: MIT
"""The grader of Atelier: boots a test on a hypervisor, reads what was observed, and judges it.

Read in this order: manifest (which tests a lab has), judge (what a test is, and how it is judged),
observe (the format of observations), trial (one test, run once), emulator (a boot and what came out
of it), qemu, bochs, cli: that is grader/run-tests, on a built tree that one trusts.

grader/grade does the same with what one does not trust: submission (reads it), sandbox, tree (what it is
laid over), build, steps (what runs inside the sandboxes), score, result (what comes out), grade (all of it
in order), report, gradecli; and for many of them classrun, classtable, similar, slurm, classcli.
"""
