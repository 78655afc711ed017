# SPDX-License-Identifier: MIT
"""Judges `console-flood`: what does it cost others that a domain writes and domain 0 never reads?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding, Guest
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab6_consoles as consoles  # noqa: E402
from lab6_consoles import COLLECT, DESTROY, GONE, FREE, SLEEP, SLOTS, Script, Talker, encode  # noqa: E402,F401

EXERCISE = "6.4"
KIB = 4096  # of each domain
FLOOD, DIES_IN_BETWEEN, NEIGHBOUR = 1, 2, 3
DOMAINS = (Guest("director"), Guest("console-flood", args="act=1"), Guest("console-flood", args="act=2"),
           Guest("console-flood", args="act=0"))
DIES = {FLOOD, DIES_IN_BETWEEN}
SLACK = 64  # KiB of a domain that are the hypervisor's, more or less


def inputs(rng: Random) -> dict:
    counts = tuple(rng.randrange(1, 61) for _ in range(100))
    quiet = Talker(0, ())
    script = Script([b"", b"", b""], [quiet, quiet, Talker(rng.randrange(1 << 31), counts)])
    keys = [script.add(FREE)]
    script.add(COLLECT, NEIGHBOUR, script.talkers[-1].written // 2)
    script.add(SLEEP, 0, 12_000)
    keys.append(script.add(FREE))
    gone = [script.add(GONE, DIES_IN_BETWEEN)]
    keys.append(script.add(FREE))
    script.add(COLLECT, NEIGHBOUR, script.talkers[-1].written)
    destroy = script.add(DESTROY, FLOOD)
    gone.append(script.add(GONE, FLOOD))
    keys.append(script.add(FREE))
    gone.append(script.add(GONE, NEIGHBOUR))
    return {"script": script, "memory": keys, "gone": gone, "destroy": destroy}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    flood = seen.one("flood", domain=FLOOD)
    if (flood.put, flood.answers, flood.refused) != (SLOTS, 0, 0):
        yield Finding(EXERCISE, "(written, answered, kicks that were refused) while domain 0 does not read", (SLOTS, 0, 0),
                      (flood.put, flood.answers, flood.refused))
    if answer := seen.one("destroy", given["destroy"]).answer:
        yield Finding(EXERCISE, "the answer to the flood's destruction", 0, answer)
    for key in given["gone"]:
        if not seen.one("gone", key).yes:
            yield Finding(EXERCISE, f"step {key}: a domain with a console is gone", "within a second", "not yet")
            return
    free = [seen.one("memory", key).free_kib for key in given["memory"]]
    if free[1] != free[0]:
        yield Finding(EXERCISE, "KiB free before and after the flood", "as much", f"{free[0]} and {free[1]}")
    for before, after, who in ((1, 2, "one that died"), (2, 3, "the flood")):
        if not 0 <= free[after] - free[before] - KIB <= SLACK:
            yield Finding(EXERCISE, f"KiB that came back from {who}", f"{KIB}, and what it cost the hypervisor",
                          free[after] - free[before])
    script, d = given["script"], NEIGHBOUR
    talker = script.talkers[d - 1]
    if (heard := seen.one("heard", d).text) != talker.text():
        yield Finding(EXERCISE, f"what domain 0 heard of domain {d}", talker.text()[:20], heard[:20])
    yield from consoles.judge_answers(EXERCISE, d, talker, b"", seen.one("answers", domain=d).list)
