# SPDX-License-Identifier: MIT
"""Judges `ring-gate`: is the gate of the calls shut for ring 3, and open for ring 1 all the time?"""

from collections.abc import Iterator

from atelier_grader.judge import Finding, Guest, Outside
from atelier_grader.observe import Seen

EXERCISE = "1.1"
DOMAINS = (Guest("honest"), Guest("ring-gate", args="good=0"), Guest("ring-gate", args="good=20"))
DIES = {1, 2}
EXCEPTIONS = True

PROTECTION = 13
INT_82 = 0x82 << 3 | 2  # error code: the gate 0x82 of the IDT (SDM 3A, 6.13)
RING3_CODE = 0xe02b


def judge(given: dict, seen: Seen, outside: Outside) -> Iterator[Finding]:
    calls = seen.one("honest").calls
    if (good := seen.one("honest").good) != calls - 1:
        yield Finding(EXERCISE, "good calls of the domain that keeps to ring 1", calls - 1, good)
    for domain, asked in ((1, 0), (2, 20)):
        before = seen.one("user", domain=domain)
        calls += before.calls
        if before.good != asked:
            yield Finding(EXERCISE, f"good calls of domain {domain} from ring 1", asked, before.good)

    refused = [f for f in outside.faults if f.vector == PROTECTION and f.error == INT_82
               and f.cs in (None, RING3_CODE)]
    if len(refused) != 2:
        yield Finding(EXERCISE, f"#GP({INT_82:#x}) in ring 3, one in each of two domains", 2, len(refused))
    if outside.emulator == "qemu" and (served := outside.count("hypercall_dispatch")) != calls:
        yield Finding(EXERCISE, "calls served: those of ring 1 and no other", calls, served)
