# SPDX-License-Identifier: MIT
"""Judges `vif-again`: does a VIF appear whole and go without a trace, a thousand times?"""

from collections.abc import Iterator
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "8.5"
FRAMES = 24


def inputs(rng: Random) -> dict:
    return {"rounds": 1000 + rng.randrange(50)}


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key in range(given["rounds"]):
        got = seen.one("round", key)
        for name, want, what in (("created", 0, "the creation's answer"), ("early", 0, "packets that it got before it was there"),
                                 ("status", 0, "the status of what it sent"), ("destroyed", 0, "the answer of its end")):
            if getattr(got, name) != want:
                yield Finding(EXERCISE, f"round {key}: {what}", want, getattr(got, name))
                return
        if got.got < 1:
            yield Finding(EXERCISE, f"round {key}: packets that it received", "at least 1", got.got)
            return
    for o in seen.all("audit"):
        yield Finding(EXERCISE, f"round {o.key}: the state", "sound", bytes(o.text).decode())
    end = seen.one("end")
    if end.after != end.before:
        yield Finding(EXERCISE, "free frames in the end", end.before, end.after)
    if end.owned != FRAMES:
        yield Finding(EXERCISE, "frames of the domain in the end", FRAMES, end.owned)
    if not end.arrived:
        yield Finding(EXERCISE, "moments at which packets arrived", "some", 0)
