# SPDX-License-Identifier: MIT
"""What the judges of cases.h share: how a guest is told what to run, and where things lie in it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from atelier_grader import observe
from atelier_grader.judge import Outside
from atelier_grader.observe import Observation, Seen

TABLE, CALLBACKS, RUN, FAST = 1, 2, 3, 4

# A guest that lies at 0xfbc00000.
PAGE = 4096
WINDOWS = 0xfb800000
CODE1 = WINDOWS  # the first writable page: code of ring 1
SEND = WINDOWS + PAGE  # the operation that raises our own port
DONE = SEND + 24  # the address of the stub where a trip ends
STACK1 = WINDOWS + 2 * PAGE  # two pages
READONLY, HOLE = WINDOWS + 4 * PAGE, WINDOWS + 8 * PAGE
USER = WINDOWS + 12 * PAGE  # code of ring 3
STACK3 = USER + 2 * PAGE
BELOW = 0x400000  # nothing is mapped there
LINE = 0xfc000000
CANARY = 0x0ddba11

RING1_CODE, RING1_DATA, RING3_CODE, RING3_DATA = 0xe019, 0xe021, 0xe02b, 0xe033
IRET, EVENT_OP, VERSION = 5, 10, 0
EVENT, FAILSAFE, STUB_DONE, RESUME = 256, 257, 258, 259
STUB_ADDRESS = 0xffffffff

CF, PF, AF, ZF, SF, TF, IF, DF, OF, IOPL, NT, RF, VM = (
    1 << n for n in (0, 2, 4, 6, 7, 8, 9, 10, 11, 12, 14, 16, 17))
FLAGS = CF | PF | AF | ZF | SF | DF | OF

NAMES = ("eax", "ebx", "ecx", "edx", "esi", "edi", "ebp")
SPIN = b"\xeb\xfe"  # jmp .
INT_82 = b"\xcd\x82"
JUMP_DONE = b"\xff\x25" + DONE.to_bytes(4, "little")  # jmp *DONE
UD2 = b"\x0f\x0b"


@dataclass(frozen=True)
class Case:
    """A piece of code to be run in a ring, and the state it starts in."""

    what: str
    ring: int
    code: bytes
    regs: dict[str, int]
    eflags: int
    eip: int
    esp: int
    kernel_esp: int
    mask: int = 0
    raised: bool = False  # an event is pending before
    delay: int = 0  # in how many ns one comes; 0: none does
    fpu: bool = False  # the next use of the floating-point unit raises #NM
    stack: bytes = b""

    def told(self) -> tuple:
        cs, ss = (RING1_CODE, RING1_DATA) if self.ring == 1 else (RING3_CODE, RING3_DATA)
        return (RUN, *(self.regs[name] for name in NAMES), self.eflags, self.eip, cs, self.esp, ss, self.kernel_esp,
                self.mask, int(self.raised), self.delay, int(self.fpu), self.code, self.stack)

    def frame_esp(self, words: int) -> int:
        """Where a frame of the interrupted place lies that has `words` more words below it."""
        if self.ring == 1:
            return self.esp - 12 - 4 * words
        return self.kernel_esp - 20 - 4 * words


def case(rng: Random, what: str, ring: int, code: bytes, **changes: object) -> Case:
    """Everything that does not matter is random."""
    base = CODE1 if ring == 1 else USER
    made = Case(
        what, ring, code, {name: rng.getrandbits(32) for name in NAMES}, rng.getrandbits(32) & FLAGS | 2,
        base + rng.randrange(0, 2000), 0, STACK1 + 4 * rng.randrange(32, 1900))
    esp = STACK1 + 4 * rng.randrange(32, 1900) if ring == 1 else STACK3 + 4 * rng.randrange(32, 1900)
    return replace(made, **{"esp": esp, **changes})


def table(*entries: tuple[int, int, int, int], absent: int = 0) -> tuple:
    """Entries of (vector, flags, cs, address); `absent` more are asked for than there are."""
    return (TABLE, list(entries), absent)


def entry(vector: int, flags: int = 0, cs: int = RING1_CODE, address: int = STUB_ADDRESS) -> tuple[int, int, int, int]:
    return vector, flags, cs, address


def callbacks(*ranges: tuple[int, int] | tuple[int, int, int], count: int | None = None,
              event: tuple[int, int] = (RING1_CODE, STUB_ADDRESS),
              failsafe: tuple[int, int] = (RING1_CODE, STUB_ADDRESS)) -> tuple:
    """The two callbacks (CS, EIP), and ranges of (start, end); range i goes on at stub RESUME + i, or where a third word says."""
    told = [(*r, STUB_ADDRESS)[:3] for r in ranges]
    return (CALLBACKS, *event, *failsafe, len(told) if count is None else count, *told)


def words(seen: Observation) -> list[int]:
    """What lay on the stack."""
    return [getattr(seen, name) for name in "abcdefghijkl"]


def encode_steps(steps: list[tuple | Case]) -> tuple:
    """Steps as cases.h reads them: what calls of this file gave, and Cases; then the end."""
    return tuple(word for step in steps for word in (step.told() if isinstance(step, Case) else step)) + (0,)


def frame_differs(c: Case, want: dict[str, int], frame: list[int | None], run: Observation,
                  stack: Observation) -> Iterator[tuple]:
    """(what, wanted, got) for each thing about a trip's end that is not as it should be.

    `want`: the found registers, by name; `frame`: the words on the stack, None for one that does not matter.
    """
    for name, value in want.items():
        if (got := getattr(run, name)) != value:
            yield f"{c.what}: {name.upper()}", value, got
    for i, (value, got) in enumerate(zip(frame, words(stack))):
        if value is not None and got != value:
            yield f"{c.what}: word {i} of the frame", value, got


def arrival(c: Case, stub: int, extra: int, mask: int) -> dict[str, int]:
    """What is found where a frame with `extra` words below it was built."""
    data = RING1_DATA if c.ring == 1 else RING3_DATA
    return {"stub": stub, "mask": mask, **c.regs, "esp": c.frame_esp(extra), "ss": RING1_DATA, "cs": RING1_CODE,
            "ds": data, "es": data}


def frame(c: Case, eip: int, eflags: int, *extra: int, esp: int | None = None) -> list[int]:
    """The words of the frame; `eflags` as they were, but IF, which says whether events were unmasked."""
    below = [*extra, eip, RING1_CODE if c.ring == 1 else RING3_CODE, eflags & ~IF | (0 if c.mask else IF)]
    return below if c.ring == 1 else [*below, c.esp if esp is None else esp, RING3_DATA]


def clock_differs(seen: Seen, slices: int = 2) -> Iterator[tuple]:
    """(what, wanted, got) for each thing that was wrong with clock.c. `slices`: of 10 ms, that it may have to wait."""
    clock = seen.one("clock")
    worst = slices * 10_000_000 + 100_000
    for what, want, got in (
            ("alarms that came", clock.rounds, clock.ticks), ("events sent", clock.rounds, clock.sent),
            ("of them come", clock.rounds, clock.echoes), ("alarms come too early", 0, clock.early),
            ("times that time went back", 0, clock.back)):
        if got != want:
            yield f"the well-behaved domain: {what}", want, got
    if clock.worst > worst:
        yield "the well-behaved domain: ns that an alarm was late", f"up to {worst}", clock.worst


def encode_scripts(scripts: list[list[tuple | Case]]) -> bytes:
    """One script for each domain (find_script() of cases.h)."""
    return observe.encode(tuple(observe.encode(encode_steps(steps)) for steps in scripts))


def died(seen: Seen, domain: int) -> bool:
    """Whether a domain came to no end of its own, and domain 0 (clock.c) found it gone."""
    return domain not in seen.ended and not seen.one("lives", domain).yes


def code_differs(outside: Outside) -> Iterator[tuple]:
    """(what, wanted, got) if the hypervisor's own code or stack are not as they should be."""
    text = next(s for s in outside.image.segments
                if s.virtual <= outside.image.symbols["hypercall_dispatch"].address < s.virtual + s.size)
    if outside.read(text.physical, len(text.content)) != text.content:
        yield "the hypervisor's own code", "as it was loaded", "changed"
    if (canary := int.from_bytes(outside.variable("stack_canary"), "little")) != CANARY:
        yield "the word half-way down the hypervisor's stack", CANARY, canary
