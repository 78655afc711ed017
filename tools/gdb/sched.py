# SPDX-License-Identifier: MIT
"""Who runs, who is next and why, and what wakes the machine: `atl runq`, `atl timers`."""

from collections.abc import Iterator
from dataclasses import dataclass

import gdb

from .command import Failure, command, duration, paragraph, say, table, words
from .domains import state
from .model import domains, has, list_of, name_of, running, slots, variable, whole

NEVER = (1 << 64) - 1
WRAP = 1 << 64
UNIT = 65536  # virtual time that a nanosecond costs at the default weight: POLICY_UNIT
MS = 1_000_000
SLICE = 10 * MS  # of taking turns, before lab 5


def last_look() -> int:
    """The latest time that the hypervisor has read off its clock and kept: nothing stopped can tell what time it is."""
    metered = int(variable("sched", "sched.c")["metered"])
    return max([int(d["vtime"]["since"]) for d in domains()] + [0 if metered == NEVER else metered])


def optional(value: gdb.Value | None, member: str) -> gdb.Value | None:
    """A field of a struct that belongs to an exercise, and may look another way."""
    return value[member] if value is not None and member in value.type.strip_typedefs() else None


def _policy() -> gdb.Value | None:
    try:
        return variable("policy", "sched_policy.c")
    except Failure:
        return None


def _slice_end(now: int) -> str:
    end = int(variable("timer", "timer.c")["slice"])
    if end == NEVER:
        return "the slice is over"
    return f"the slice ends in {duration(end - now)}" if end >= now else f"the slice ended {duration(now - end)} ago"


def _who(d: gdb.Value) -> str:
    return f"domain {int(d['id'])}"


def _in(head: gdb.Value, member: str) -> Iterator[gdb.Value]:
    """The domains on a list, each of them once at most."""
    return list_of(head, "struct domain", member, slots().type.range()[1] + 1)


# ---- atl runq ----

@command("runq")
def show_queue(given: list[str]) -> None:
    """Who can run, in the order of their claims; who cannot; and why the next one is next.

    atl runq

    A is a domain's actual virtual time and E its claim, which is less than A while it borrows (WARP): both in microseconds
    of the default weight, beyond the system's virtual time SVT, as charged up to the hypervisor's last look at its clock.
    The least E goes first, but the one that runs goes on until it is C beyond that. WARP: how far it may borrow, and how much
    of its limit it has used, or for how long it rests, in milliseconds. Before lab 5 domains take turns."""
    words(given, "runq", 0)
    if has("struct policy_share"):
        _show_claims()
    else:
        _show_turns()
    if int(variable("sched", "sched.c")["wanted"]):
        say("The policy is asked again before a guest runs (sched.wanted).")


@dataclass(frozen=True)
class Runner:
    """A domain as the policy sees it. Times are virtual where nothing else is said."""

    number: int
    name: str
    state: str
    can: bool
    place: int  # in the queue: who is there for longer goes first
    avt: int
    weight: int
    advance: int
    warp: int  # real, as the others: nanoseconds
    limit: int
    warped: int
    rest_until: int

    def borrows(self, now: int) -> bool:
        return self.warp > 0 and now >= self.rest_until

    def claim(self, now: int) -> int:
        return (self.avt - self.warp * UNIT) % WRAP if self.borrows(now) else self.avt


def beyond(a: int, b: int) -> int:
    """How far virtual time @a is beyond @b: they wrap."""
    return (a - b + WRAP // 2) % WRAP - WRAP // 2


def _runners(policy: gdb.Value | None) -> list[Runner]:
    queue = optional(policy, "queue")
    places = {int(d["id"]): i for i, d in enumerate(_in(queue, "sched.queue"))} if queue is not None else {}
    found = []
    for d in domains():
        s, entity = whole(d["policy"]), whole(d["sched"])
        can = int(d["life"]) == 1 and not int(entity["blocked"]) and not int(entity["paused"])
        found.append(Runner(int(d["id"]), name_of(d), state(d), can, places.get(int(d["id"]), 0), int(s["avt"]), int(s["weight"]),
                            int(s["advance"]), int(s["warp"]), int(s["warp_limit"]), int(s["warped"]), int(s["rest_until"])))
    return found


def _show_claims() -> None:
    policy, now = _policy(), last_look()
    runners = _runners(policy)
    if not runners:
        say("there is no domain yet: the hypervisor is starting")
        return
    can = [r for r in runners if r.can]
    svt, allowance = optional(policy, "svt"), optional(policy, "allowance")
    base = int(svt) if svt is not None else (can or runners)[0].avt
    can.sort(key=lambda r: (beyond(r.claim(now), base), r.place))
    known = f"SVT {duration(int(svt) // UNIT)}; " if svt is not None else ""
    paragraph(f"{known}{f'C {duration(int(allowance))}; ' if allowance is not None else ''}{_slice_end(now)}; clock {duration(now)}")
    table(("D", "NAME", "STATE", "A", "E", "WEIGHT", "WARP"), [
        (r.number, r.name, r.state, _virtual(r.avt, base), _virtual(r.claim(now), base) if r.can else "", r.weight, _warp(r, now))
        for r in (*can, *(r for r in runners if not r.can))], "adef")
    if policy is None or allowance is None:
        say("The policy keeps its state elsewhere than `policy` in sched_policy.c: who is next is its own to say.")
    else:
        paragraph(_why(policy, can, int(allowance), now))


def _virtual(a: int, base: int) -> str:
    return f"{beyond(a, base) / UNIT / 1000:+.1f}"


def _warp(r: Runner, now: int) -> str:
    """In milliseconds of real time."""
    if not r.warp:
        return ""
    uses = f"{r.warped / MS:.2f} of {r.limit / MS:g} used" if r.borrows(now) else f"rests {(r.rest_until - now) / MS:.2f}"
    return f"{r.warp / MS:g} ms, {uses}"


def _id(pointer: gdb.Value | None) -> int | None:
    return int(pointer["id"]) if pointer is not None and int(pointer) else None


def _why(policy: gdb.Value, can: list[Runner], allowance: int, now: int) -> str:
    """What policy_pick() answers now, and its reason. @can: who can run, by claim."""
    yielded, ran = _id(optional(policy, "yielded")), _id(optional(policy, "running"))
    if not can:
        return "Nobody can run: the machine idles until an event wakes somebody."
    if yielded is not None:
        others = [r for r in can if r.number != yielded]
        if not others:
            return f"Next is domain {yielded}: it yielded, but nobody else can run."
        return f"Next is domain {others[0].number}: domain {yielded} yielded, and of the others it has the least claim."
    least, current = can[0], next((r for r in can if r.number == ran), None)
    if current is None:
        return f"Next is domain {least.number}: it has the least claim{_tie(can, now)}, and nobody that was chosen before can go on."
    lead = beyond(current.claim(now), least.claim(now))
    if lead <= 0:
        return f"Next is domain {current.number}: it runs, and nobody's claim is less."
    bound = allowance * current.advance
    far = f"{duration(lead // UNIT)} of virtual time beyond the least claim, domain {least.number}'s"
    if lead < bound:
        return f"Next is domain {current.number}: it runs, and it is {far}, which is less than its allowance of {duration(bound // UNIT)}."
    return (f"Next is domain {least.number}: it has the least claim{_tie(can, now)}, and domain {current.number}, which runs, is {far}, "
            f"no less than its allowance of {duration(bound // UNIT)}.")


def _tie(can: list[Runner], now: int) -> str:
    return " and waits for longest of those that have it" if len(can) > 1 and can[0].claim(now) == can[1].claim(now) else ""


def _show_turns() -> None:
    turns, now = variable("turns", "sched_policy.c"), last_look()
    queue = list(_in(turns["queue"], "sched.queue"))
    there = {int(d["id"]) for d in queue}
    rows = [(int(d["id"]), name_of(d), state(d)) for d in (*queue, *(d for d in domains() if int(d["id"]) not in there))]
    if not rows:
        say("there is no domain yet: the hypervisor is starting")
        return
    used = int(turns["used"])
    say(f"in turns of {duration(SLICE)}; {_slice_end(now)}; clock {duration(now)}")
    table(("D", "NAME", "STATE"), rows, "a")
    if not queue:
        say("Nobody can run: the machine idles until an event wakes somebody.")
    elif used >= SLICE and len(queue) > 1:
        say(f"Next is {_who(queue[1])}: {_who(queue[0])} has used its turn, and it is the first behind it.")
    else:
        say(f"Next is {_who(queue[0])}: it is first in the queue, and has used {duration(used)} of its turn.")


# ---- atl timers ----

@command("timers")
def show_timers(given: list[str]) -> None:
    """What wakes the machine: alarms, the end of the slice, and what the machine's timer was programmed with.

    atl timers

    IN is counted from the hypervisor's last look at its clock. An alarm in virtual time has no moment: it comes when its
    domain has had the processor for so long."""
    words(given, "timers", 0)
    timer, now = whole(variable("timer", "timer.c")), last_look()
    deadlines = sorted(_deadlines(), key=lambda row: row[0])
    say(f"clock {duration(now)}")
    rows = [(f"{when:,}", duration(when - now), who, what) for when, who, what in deadlines]
    rows += [("", duration(left), who, what) for left, who, what in _virtual_alarms()]
    if rows:
        table(("DEADLINE (ns)", "IN", "WHO", "WHAT"), rows, "ab")
    else:
        say("nothing is armed")
    programmed = optional(timer, "programmed")
    if programmed is not None:
        paragraph(_programmed(int(programmed), [when for when, _, _ in deadlines], now))


def _deadlines() -> Iterator[tuple[int, str, str]]:
    """(when, whose, what), in real time."""
    timer = variable("timer", "timer.c")
    end, now = int(timer["slice"]), running()
    if end != NEVER:
        yield end, _who(now) if now is not None else "nobody", "its slice ends"
    armed = optional(timer, "armed")
    if armed is None:
        return
    for d in _in(armed, "timers.armed"):
        port = int(d["events"]["virq_port"][0])
        yield int(d["timers"]["deadline"]), _who(d), f"alarm, port {port}" if port else "alarm, bound to no port: it will be lost"


def _virtual_alarms() -> Iterator[tuple[int, str, str]]:
    for d in domains():
        v = whole(d["vtime"])
        if "alarm" in v.type.strip_typedefs() and int(v["alarm"]):
            yield int(v["alarm"]) - int(v["used"]), _who(d), "of its own time: alarm in virtual time"


def _programmed(programmed: int, deadlines: list[int], now: int) -> str:
    if programmed == NEVER:
        return "The machine's timer is not programmed" + (": nothing of this will come!" if deadlines else ".")
    text = f"The machine's timer is programmed for {programmed:,}, in {duration(programmed - now)}: "
    if not deadlines or programmed < deadlines[0]:
        return text + "before the first of these, as what it was for is gone. That is harmless: it is then programmed again."
    late = programmed - deadlines[0]
    return text + (f"{duration(late)} too late for the first of these!" if late else "the first of these.")
