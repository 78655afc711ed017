# SPDX-License-Identifier: MIT
"""Judges `pending`: does each raise end in an upcall, once for many, not before it may and not for a masked port?"""

from collections.abc import Iterator
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

EXERCISE = "2.1"

PORTS = 40
TOGETHER, ONE_BY_ONE = 1, 2
LATE = 100_000  # ns that a wake-up may come after its deadline: `alarm` looks closer


def some_round(rng: Random) -> dict:
    masked = rng.sample(range(PORTS), rng.choice((0, rng.randrange(PORTS), rng.randrange(5))))
    sent = rng.choices(range(PORTS), k=rng.choice((1, rng.randrange(1, 5), rng.randrange(1, 80))))
    # block() comes back only if there is something that may be delivered.
    block = rng.randrange(2) if set(sent) - set(masked) else 0
    return {"what": rng.choice((TOGETHER, TOGETHER, ONE_BY_ONE)), "block": block, "masked": bytes(masked), "sent": bytes(sent)}


def inputs(rng: Random) -> dict:
    return {"rounds": [some_round(rng) for _ in range(120)], "naps": [rng.randrange(1_000, 2_000_000) for _ in range(8)]}


def encode(given: dict) -> bytes:
    return observe.encode((tuple(given["rounds"]), 0, given["naps"]))


def calls(round_: dict, masked: bool) -> bytes:
    """How often each handler runs: of the masked ports, or of the others."""
    ports = [p for p in round_["sent"] if (p in round_["masked"]) == masked]
    if masked or round_["what"] == TOGETHER:
        ports = set(ports)
    return bytes(list(ports).count(p) for p in range(PORTS))


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for key, r in enumerate(given["rounds"]):
        what = f"round {key} ({'together' if r['what'] == TOGETHER else 'one by one'}{', block' * r['block']})"
        wanted = [("handled", calls(r, False)), ("unmasked", calls(r, True))]
        if r["what"] == TOGETHER:
            wanted.insert(0, ("early", bytes(PORTS)))
            yield from judge_bits(what, r, seen.one("bits", key).ports, seen.one("upcall", key).pending)
            if seen.one("on", key).mask:
                yield Finding(EXERCISE, f"{what}: the master mask afterwards", 0, seen.one("on", key).mask)
        elif late := seen.one("sent", key).late:
            yield Finding(EXERCISE, f"{what}: events not handled when the sending was over", 0, late)
        for name, want in wanted:
            if (got := seen.one(name, key).calls) != want:
                yield Finding(EXERCISE, f"{what}: calls of the ports' handlers, {name}", list(want), list(got))

    for i in range(len(given["naps"])):
        nap = seen.one("slept", i)
        if not nap.fired or nap.late > LATE:
            yield Finding(EXERCISE, f"block() with a masked port pending, until an alarm (nap {i}): it fired, ns late",
                          (1, f"up to {LATE}"), (nap.fired, nap.late))


def judge_bits(what: str, r: dict, bits: bytes, upcall: int) -> Iterator[Finding]:
    """What the page says before events are on. A selector bit may stand for other ports of its word."""
    pending = [p for p in range(PORTS) if bits[p] & 1]
    if pending != sorted(set(r["sent"])):
        yield Finding(EXERCISE, f"{what}: ports pending", sorted(set(r["sent"])), pending)
    if unselected := [p for p in pending if not bits[p] & 2]:
        yield Finding(EXERCISE, f"{what}: pending ports whose word is not selected", [], unselected)
    want = bool(set(r["sent"]) - set(r["masked"]))
    if bool(upcall) != want:
        yield Finding(EXERCISE, f"{what}: upcall_pending", want, upcall)
