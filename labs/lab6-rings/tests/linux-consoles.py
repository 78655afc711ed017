# SPDX-License-Identifier: MIT
"""Judges `linux-consoles`: does every byte come through, of three domains' consoles at once and in both directions, to whom it is for?"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Created, Finding, Linux
from atelier_grader.observe import Seen

EXERCISE = "whole"
MEMORY = 192
THREE = range(1, 4)
DOMAINS = (Linux("linux-consoles", memory=49152, atl=True), *(Created() for _ in THREE))

KEY = 0x1d  # ends `atl console`
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Talk:
    """One domain's: it prints `ready` and then the text, and reads what is typed meanwhile; it prints `shell`, and there is one."""

    ready: bytes
    shell: bytes
    text: bytes
    at_once: int  # bytes of it that are written at once
    typed: bytes
    line: bytes  # for the shell
    answer: bytes

    def steps(self) -> list[tuple[bytes, bytes]]:
        return [(self.ready, self.typed), (self.shell, self.line), (self.answer, b"exit\n")]


def draw(rng: Random, number: int) -> Talk:
    ready, shell = ("".join(rng.choices(LETTERS, k=16)).encode() for _ in range(2))
    a, b = rng.randrange(1000, 10000), rng.randrange(1000, 10000)
    return Talk(ready, shell, rng.randbytes(rng.randrange(4000, 12000)), rng.randrange(1, 600),
                bytes(rng.choice([x for x in range(256) if x != KEY]) for _ in range(rng.randrange(500, 3000))),
                f"echo $(({a} * {b})) is of $(hostname)\n".encode(), f"{a * b} is of domain{number}".encode())


def inputs(rng: Random) -> dict:
    return {"talks": {d: draw(rng, d) for d in THREE}}


def encode(given: dict) -> bytes:
    talks = given["talks"].values()
    return observe.encode((len(talks), *(t.steps() for t in talks),
                           *((t.ready, t.shell, t.text, t.at_once, len(t.typed)) for t in talks)))


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for o in seen.all("atl"):
        if o.status:
            yield Finding(EXERCISE, f"atl create, call {o.key}: its status", 0, o.status)
    for d, talk in given["talks"].items():
        yield from judge_talk(d, talk, seen)


def judge_talk(d: int, talk: Talk, seen: Seen) -> Iterator[Finding]:
    heard = bytes(seen.one("heard", d).text)
    head, ready, rest = heard.partition(talk.ready)
    text, shell, session = rest.partition(talk.shell)
    if b"] Linux version " not in head:
        yield Finding(EXERCISE, f"domain {d}: what comes out of its console first", "Linux's first lines", head[:40])
    if not ready or not shell:
        yield Finding(EXERCISE, f"domain {d}: marks around its text that came out of its console", 2, bool(ready) + bool(shell))
        return
    yield from differ(f"domain {d}: its text, as it came out of its console", talk.text, text)
    yield from differ(f"domain {d}: what was typed, as it came in", talk.typed, bytes(seen.one("typed", domain=d).text))
    if talk.answer not in session:
        yield Finding(EXERCISE, f"domain {d}: the shell's answer to {talk.line!r}", talk.answer, session[:80])
    if (got := seen.one("left", domain=d).status) != 0:
        yield Finding(EXERCISE, f"domain {d}: the shell's status", 0, got)


def differ(what: str, want: bytes, got: bytes) -> Iterator[Finding]:
    if got != want:
        at = next((i for i, (a, b) in enumerate(zip(want, got, strict=False)) if a != b), min(len(want), len(got)))
        yield Finding(EXERCISE, f"{what}: from byte {at} on", f"{len(want)} bytes, ...{want[at:at + 16].hex()}",
                      f"{len(got)} bytes, ...{got[at:at + 16].hex()}")
