# SPDX-License-Identifier: MIT
"""The host's side of `make gdb`: starts machines for GDB, records them, and hands them over to tools/gdb."""
