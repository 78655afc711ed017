# SPDX-License-Identifier: MIT
"""Judges `longest`: how long does one call, or one step of a death, keep everybody else waiting?"""

import errno
from collections.abc import Iterator

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

EXERCISE = "3.5"
DOMAINS = (Guest("longest"), Guest("longest", args="rounds=200"))
DIES = {1}
MEMORY = 32

BOUND = 2_000_000  # ns, which are instructions here, until others are served again. The reference needs 730,000.

# What each call is, and its answer; a batch that was interrupted is an answer too.
CALLS = (
    ("pins a directory over as many full tables as one call may take", (0,)),
    ("unpins it", (0,)),
    ("pins a directory over many more", (-errno.EAGAIN,)),
    ("unpins such a one", (-errno.EAGAIN,)),
    ("loads it", (0,)),
    ("unpins it while it is loaded", (0,)),
    ("loads another base", (-errno.EAGAIN,)),
    ("clears all entries but as many", (0, -errno.EAGAIN)),
    ("loads another base then", (0,)),
    ("changes between two such bases, again and again", (0, -errno.EAGAIN)),
    ("loads another such base", (0,)),
    ("changes an entry between two full tables, again and again", (0, -errno.EAGAIN)),
)


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, (what, answers) in enumerate(CALLS):
        got = seen.one("call", key)
        if got.answer not in answers:
            yield Finding(EXERCISE, f"the call that {what}: the answer", answers[0], got.answer)
        if got.ns > BOUND:
            yield Finding(EXERCISE, f"the call that {what}: ns until somebody else can run", f"up to {BOUND}", got.ns)
    death = seen.one("death")
    if not death.gone:
        yield Finding(EXERCISE, "the other domain", "dead", "alive")
    if death.ns > BOUND:
        yield Finding(EXERCISE, "a step of the death of a domain with many full tables and ports: ns", f"up to {BOUND}", death.ns)
