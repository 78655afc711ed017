# SPDX-License-Identifier: MIT
"""What the judges of cases.h share: how a guest is told what to run, and where things lie in it."""

from dataclasses import dataclass, field, replace
from random import Random

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


def callbacks(*ranges: tuple[int, int]) -> tuple:
    """The two callbacks' stubs; range i goes on at stub RESUME + i."""
    return (CALLBACKS, list(ranges))


def words(seen: object) -> list[int]:
    return [getattr(seen, name) for name in "abcdefghijkl"]
