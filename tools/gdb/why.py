# SPDX-License-Identifier: MIT
"""What went wrong last, who caused it, and what it means: `atl why`."""

import re
import struct
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import gdb

from . import check, exercises, faults, session
from .calls import arguments, call_name, result_words, show
from .command import WIDTH, Failure, clean, command, say, words
from .domains import state
from .exercises import Exercise, Place, call_chain, functions_at, line_at
from .layout import LINE
from .model import PAGE, address, bytes_at, domains, function_at, life_of, name_of, slots, variable
from .pagetable import base_of, follow
from .trace import NO_DOMAIN, Call, Exception_, Trace, Words, kept, read

FAILED = 3  # calls that are shown
SAID = re.compile(r"^\(atelier\) (?:CRASH: ([^\r\n]*)|domain (\d+) \([^\r\n]*\) dies: ([^\r\n]*))", re.MULTILINE)
ADDRESS = re.compile(r"page fault in the hypervisor at address ([0-9a-f]+), error ([0-9a-f]+)")
VECTOR = re.compile(r"exception (\d+) in the hypervisor")
AUDITOR = re.compile(r"(\w+)_check: [^\r\n]*")
OVERFLOW = "the hypervisor's stack overflowed"
BROKEN = "an auditor found the state broken"
NOTHING_MORE = ("budget used up", "asleep for ever", "halted with interrupts off", "cut short")  # the grader's words: no end
TRIPLE = "triple fault"  # the same
RW = 2
WORD = 4
LIBRARY = ("string.c", "printf.c", "list.h")  # who calls them is to blame
RECURSION = 4  # times that one function is at work, from which it is to blame for a full stack
STACK = 0x2000  # the hypervisor's: pc/layout.h


@dataclass(frozen=True)
class Cause:
    """What is told: two sentences, or few more, the line of the source, and the exercise."""

    sentences: tuple[str, ...]
    place: Place | None = None
    exercise: Exercise | None = None
    about: Exercise | None = None  # that of the test, if another one


@command("why")
def show_why(given: list[str]) -> None:
    """What went wrong last: what it was, who caused it, and what it means.

    atl why

    The hypervisor's own crash comes first, then what the grader said of this run (in a recording), then the death of a domain,
    then the last exception that a guest was told of. With it come the line of the source where it happened, the
    exercise that the line is a part of, and the calls that failed last, the newest below. It can be asked at any time."""
    words(given, "why", 0)
    try:
        trace = read() if kept() else Trace((), (), tuple(_said()))
    except gdb.MemoryError:
        raise Failure("the hypervisor has not started yet: it has nothing to tell") from None
    told = list(causes(trace))
    if not told:
        say("nothing has gone wrong so far: nobody died, and no exception reached a guest" if kept() else
            "nobody has died so far; a debug build (build/atelier-debug.elf) would remember calls and exceptions, too")
    for cause in told:
        _tell(cause)
    failed = [call for call in trace.calls if call.failed][-FAILED:]
    if failed:
        say()
        say("Calls that failed, the last ones:")
        show(failed)


def _tell(cause: Cause) -> None:
    for sentence in cause.sentences:
        for line in textwrap.wrap(clean(sentence), WIDTH, break_on_hyphens=False):
            say(line)
    if cause.place:
        for line in textwrap.wrap(clean(f"at {cause.place}"), WIDTH, initial_indent="  ", subsequent_indent="    "):
            say(line)
    for before, exercise in (("look at", cause.exercise), ("the test is about", cause.about)):
        if exercise:
            for line in textwrap.wrap(f"{before} {exercises.words(exercise)}", WIDTH, initial_indent="  ", subsequent_indent="    "):
                say(line)


def causes(trace: Trace) -> Iterator[Cause]:
    finding = session.current.finding if session.current else ""
    crash = next((w for w in trace.words if w.domain == NO_DOMAIN), None)
    death = next((w for w in reversed(trace.words) if w.domain != NO_DOMAIN), None)
    heard = next((e for e in reversed(trace.exceptions) if not e.mended), None)
    if crash:
        yield crashed(trace, crash, finding)
    elif finding:
        yield judged(trace, finding)
        if death and "dies:" in finding:
            yield died(trace, death)
    elif death:
        yield died(trace, death)
    elif heard:
        yield raised(heard)


def _said() -> Iterator[Words]:
    """Last words by the console's log, where the hypervisor does not remember them."""
    for number, found in enumerate(SAID.finditer(console_log())):
        yield Words(number, int(found[2] or NO_DOMAIN), 0, clean(found[1] or found[3]), {})


# ---- the hypervisor ----

def crashed(trace: Trace, crash: Words, finding: str) -> Cause:
    """The hypervisor stopped the machine."""
    call, last = _under_way(trace), trace.calls[-1] if trace.calls else None
    chain = _chain(crash)
    meaning, place, exercise = _meaning(crash, chain, call)
    exercise = exercise or exercises.owner(name for where, _ in chain for name in functions_at(where)) or _exercise_of(call) \
        or next((found for where, _ in chain if (line := line_at(where)) and (found := exercises.of_file(line.file))), None)
    sentences = [f"The hypervisor crashed: {crash.text}."]
    if call:
        sentences.append(f"It was at work for {domain_words(call.domain)}, in its call {call_words(call)}.")
    elif last:
        sentences.append(f"It was in no call; the last one was {domain_words(last.domain)}'s {call_words(last)}, "
                         + (f"which answered {result_words(last)}." if last.returned else "which never came back."))
    large = _large_frame(last)
    if large:
        exercise = _exercise_of(last)
    sentences += [text for text in (_of_the_dead(), meaning, large) if text]
    sentences += finding.split("\n")[1:]
    about = _exercise_in(finding)
    return Cause(tuple(sentences), place or _first_line(chain), exercise or about, about if exercise and about != exercise else None)


def _of_the_dead() -> str:
    """Whether it worked for a domain that has ended."""
    d = variable("crash_context")["domain"]
    if int(d) == 0 or life_of(d) == "lives":
        return ""
    return f"It worked for {domain_words(int(d['id']))}, which has died: somebody still had it in a queue, or a pointer to it."


def _under_way(trace: Trace) -> Call | None:
    """The call that the hypervisor worked at."""
    context = variable("crash_context")
    if int(context["domain"]) == 0 or int(context["call"]) == 0xFFFFFFFF or not trace.calls:
        return None
    return trace.calls[-1]


def _chain(crash: Words) -> list[tuple[int, int]]:
    """Who called whom, outwards: places in the code, and their frames on the stack."""
    if crash.regs and crash.regs["cs"] & 3 == 0:
        return [(crash.regs["eip"], crash.regs["esp"]), *call_chain(crash.regs["ebp"])]
    found = list(call_chain(int(gdb.parse_and_eval("(unsigned int)$ebp"))))
    names = [functions_at(place)[-1:] or [function_at(place)] for place, _ in found]
    for entry in (["from_hypervisor"], ["entry_double_fault"]):  # it faulted: what lies above is the report
        if entry in names:
            return found[names.index(entry) + 1:]
    inside = next((i for i, (place, _) in enumerate(found) if place == crash.start - 1), None)
    return found[inside:] if inside is not None else [(crash.start - 1, 0)] if crash.start else found


def _first_line(chain: Iterable[tuple[int, int]]) -> Place | None:
    lines = [line for place, _ in chain if (line := line_at(place))]
    return next((line for line in lines if line.file not in LIBRARY), next(iter(lines), None))


def _meaning(crash: Words, chain: list[tuple[int, int]], call: Call | None) -> tuple[str, Place | None, Exercise | None]:
    """What a crash means, and where to look if that is not where it was noticed."""
    if crash.text == BROKEN:
        return _broken(call)
    if crash.text.startswith(OVERFLOW) and crash.regs:
        return _overflow(crash, chain)
    eip = crash.regs.get("eip") or (chain[0][0] + 1 if chain else 0)
    page, other = ADDRESS.match(crash.text), VECTOR.match(crash.text)
    if (page or other) and not address("image_start") <= eip < address("text_end") and not (page and eip == int(page[1], 16)):
        text = f"It executed what is no code, at {eip:#x}: a return address on its stack, or a pointer to a function, was overwritten."
        return text, None, None
    if page:
        place = None
        if eip == int(page[1], 16) and crash.regs:  # it jumped to nowhere: who called is on the stack
            place = line_at(struct.unpack("<I", bytes_at(crash.regs["esp"], WORD))[0] - 1)
        return faults.own_page_fault(int(page[1], 16), int(page[2], 16), eip), place, None
    if other:
        return faults.own_exception(int(other[1])), None, None
    if "assertion failed" in crash.text:
        return "That can never be, whatever a guest does: the hypervisor's own tables were wrong before.", None, None
    if crash.regs and crash.regs["cs"] & 3:
        return "It gave up over a guest, whose registers it shows: only the domain should die of that (crash_domain).", None, None
    return "", None, None


def _broken(call: Call | None) -> tuple[str, Place | None, Exercise | None]:
    """An auditor's words, from the console's log, and the handler that ran before it."""
    found = list(AUDITOR.finditer(console_log()))
    said = f"{found[-1][0]}: " if found else ""
    more = _from_outside()
    name = f"do_{call_name(call.handler)}" if call and call.entered else ""
    meaning = f"{said}the call that ended just before left it so, and answered {result_words(call)}." if call else said
    exercise = exercises.owner([name]) or (exercises.of_file(f"{found[-1][1]}.c") if found else None)
    place = None
    if name and (symbol := gdb.lookup_global_symbol(name)) is not None:
        place = line_at(int(symbol.value().address))
    return meaning + more, place, exercise


def _from_outside() -> str:
    """What `atl check` finds."""
    try:
        lines = check.findings()
    except (Failure, gdb.error):
        return ""
    more = f" (and {len(lines) - 1} more: atl check)" if len(lines) > 1 else ""
    return f" Seen from outside: {lines[0]}{more}." if lines else ""


def console_log() -> str:
    """The last that the hypervisor and guests said."""
    console = variable("console", "console.c")
    log, count = console["log"], int(console["logged"])
    data = bytes_at(int(log.address), log.type.sizeof)
    at = count % len(data)
    return (data[at:] + data[:at]).decode("latin-1") if count > len(data) else data[:at].decode("latin-1")


def _overflow(crash: Words, chain: list[tuple[int, int]]) -> tuple[str, Place | None, Exercise | None]:
    """Which call has the largest share of the stack."""
    sizes = []
    below = crash.regs["esp"]
    for (place, _), (_, frame) in zip(chain, chain[1:]):
        sizes.append((frame - below, place))
        below = frame
    if not sizes:
        return "", None, None
    often, again = Counter(functions_at(place)[-1] for place, _ in chain if functions_at(place)).most_common(1)[0]
    if again > RECURSION:
        line = next(line_at(place) for place, _ in chain if functions_at(place)[-1:] == [often])
        text = f"{often} calls itself, over other functions or at once, and no end of it: {again} of the last {len(chain)} calls."
        return text, line, exercises.owner([often])
    size, place = max(sizes)
    names = functions_at(place)
    meaning = f"It has {STACK:,} bytes for all calls together, and {names[-1] if names else hex(place)} alone takes {size} bytes of it."
    return meaning, line_at(place), exercises.owner(names)


def _large_frame(call: Call | None) -> str:
    """Whether the last call's handler takes more of the stack at once than there is, which leads past the guard page."""
    name = f"do_{call_name(call.handler)}" if call and call.entered else ""
    symbol = gdb.lookup_global_symbol(name) if name else None
    if symbol is None:
        return ""
    start = int(symbol.value().address)
    end = gdb.block_for_pc(start).end
    for line in gdb.selected_inferior().architecture().disassemble(start, end - 1):
        taken = re.match(r"sub +\$(0x[0-9a-f]+),%esp", line["asm"])
        if taken and int(taken[1], 16) >= PAGE:
            return f"{name} takes {int(taken[1], 16):,} bytes of the stack at once, and the stack has {STACK:,}."
    return ""


# ---- domains ----

def domain_words(number: int) -> str:
    if number == NO_DOMAIN:
        return "nobody"
    name = name_of(slots()[number])
    return f"domain {number}" + (f" ({name})" if name and name != f"domain {number}" else "")


def call_words(call: Call) -> str:
    return f"{call_name(call.call)}({arguments(call)})"


def _exercise_of(call: Call | None) -> Exercise | None:
    return exercises.owner([f"do_{call_name(call.handler)}"]) if call and call.entered else None


def _exercise_in(finding: str) -> Exercise | None:
    number = re.search(r"exercise (\d+\.\d+)", finding)
    return exercises.named(number[1]) if number else None


def died(trace: Trace, death: Words) -> Cause:
    """A domain had to die."""
    d = slots()[death.domain]
    sentences = [f"Domain {death.domain} ({name_of(d)}) died: {death.text}."]
    last = next((e for e in reversed(trace.exceptions) if e.domain == death.domain and not e.mended and e.number < death.number), None)
    if death.text.startswith("double fault") and death.regs:
        sentences.append(_no_room(d, death))
    elif death.text.startswith("exception"):
        sentences.append("Its trap table (set_trap_table) has no handler for that, so there was nobody to tell.")
    elif death.text.startswith("the way back") and death.regs:
        sentences.append(_way_back(death))
    if last and not last.own and "event" not in death.text:
        sentences.append(_exception_words(last) + " " + faults.guest_exception(d, last))
    return Cause(tuple(sentences), line_at(death.start - 1) if death.start else None)


def _no_room(d: gdb.Value, death: Words) -> str:
    """Why a frame could not be stored."""
    inner = death.regs["cs"] & 3 > 1
    sp = int(d["vcpu"]["kernel_esp"]) if inner else death.regs["esp"]
    stack = "the kernel's stack that stack_switch named" if inner else "the stack it was on"
    at = (sp - WORD) & 0xFFFFFFFF
    if sp >= LINE:
        return f"A frame goes onto {stack}, below {sp:#x}: that is above the line, where the hypervisor does not store for a guest."
    if life_of(d) != "lives":
        return f"A frame goes onto {stack}, below {sp:#x}."
    steps = follow(base_of(d), at)
    if not steps[-1].present:
        what = "nothing is mapped there"
    elif not all(step.value & RW for step in steps):
        what = "it is mapped to be read only"
    else:
        what = "this page is there, but not all that the frame needs"
    return f"A frame goes onto {stack}, below {sp:#x}: {what} (atl pagetable {int(d['id'])} {at:#x})."


def _way_back(death: Words) -> str:
    selectors = ", ".join(f"{name.upper()} {death.regs[name] & 0xFFFF:#x}" for name in ("cs", "ss", "ds", "es", "fs", "gs"))
    return f"The processor refused what it was to be loaded with: {selectors}, EIP {death.regs['eip']:#x}."


def _exception_words(e: Exception_) -> str:
    return f"The exception was of {faults.who(e)}: {faults.name(e.vector)}{faults.details(e)}."


def raised(e: Exception_) -> Cause:
    """An exception that a guest was told of: nothing bad in itself."""
    d = slots()[e.domain]
    head = f"The last exception that a guest was told of, {domain_words(e.domain)}'s: {faults.name(e.vector)}{faults.details(e)}, " \
        f"by {faults.who(e)}."
    return Cause((head, faults.guest_exception(d, e), "Nobody died of it."))


# ---- the grader ----

def judged(trace: Trace, finding: str) -> Cause:
    """Nothing crashed, and the test fails all the same."""
    head, *more = finding.split("\n")
    sentences = [f"The grader says: {head}.", *more]
    if TRIPLE in head:
        sentences += _triple()
    if any(end in head for end in NOTHING_MORE):
        sentences.append("Now: " + "; ".join(f"domain {int(d['id'])} {state(d)}" for d in domains()) + ".")
        return Cause(tuple(sentences), line_at(int(gdb.parse_and_eval("(unsigned int)$pc"))), _exercise_in(finding))
    if session.current.replay and not _at_end():
        sentences.append(f"The run ends at instruction {session.current.end:,}; here it is at {session.position():,}.")
    return Cause(tuple(sentences), None, _exercise_in(finding))


def _triple() -> Iterator[str]:
    """What a processor that gave up has loaded."""
    yield "The processor could not even deliver an exception: neither the IDT, nor a stack, nor its handler could be reached."
    loading = re.search(r"mov +%(\w+),%cr3", gdb.execute("x/i $pc", to_string=True))
    base, eip = (int(gdb.parse_and_eval(f"(unsigned int)${register}")) for register in (loading[1] if loading else "cr3", "pc"))
    if not follow(base >> 12, eip)[-1].present:
        mfn = base >> 12
        yield (f"CR3 names frame {mfn:#x}, and by its entries {eip:#x}, where the hypervisor runs, is not mapped{faults.use_of(mfn)}; "
               f"who wrote it: atl last-write {mfn:#x}:{(eip >> 22) * WORD:#x}.")


def _at_end() -> bool:
    return session.position() >= session.current.end - 1000
