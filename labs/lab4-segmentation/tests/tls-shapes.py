# SPDX-License-Identifier: MIT
"""Judges `tls-shapes`: is every way to write an offset understood, below the base and above it?

The judge assembles each instruction itself, and knows what it does to eight registers and the bytes around the base.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from atelier_grader.judge import Finding
from atelier_grader.observe import Seen

sys.path.insert(0, str(Path(__file__).parent))

import lab4_programs as programs  # noqa: E402
from lab4_model import PAGE, WORDS  # noqa: E402
from lab4_programs import AROUND, DATA, EAX, EBP, EBX, ECX, EDI, EDX, END, ES, ESI, ESP, FS, GS, NAMES, Program, word  # noqa: E402

EXERCISE = "4.5"

REPEATED = 2  # each shape so often, with other numbers


class Machine:
    """What an instruction works on: registers, and the bytes around the base."""

    def __init__(self, base: int, registers: list[int]):
        self.first, self.registers = base - AROUND, list(registers)
        self.bytes = programs.data(self.first, 2 * AROUND)
        self.base = base

    def load(self, offset: int, size: int = 4) -> int:
        at = self.base + offset - self.first
        return int.from_bytes(self.bytes[at:at + size], "little")

    def store(self, offset: int, value: int, size: int = 4) -> None:
        at = self.base + offset - self.first
        self.bytes[at:at + size] = (value % (1 << 8 * size)).to_bytes(size, "little")

    def low(self, register: int, value: int, size: int) -> None:
        """The low bytes of a register."""
        keep = self.registers[register] >> 8 * size << 8 * size
        self.registers[register] = keep | value % (1 << 8 * size)


# ---- where the operand is: ModRM, SIB and displacement for an offset, and registers that make it so ----

def address(rng: Random, form: str, reg: int, offset: int, registers: list[int]) -> bytes:
    """The bytes from ModRM on. `reg` is ModRM's middle; registers that the form wants are set."""
    def modrm(mod: int, rm: int) -> int:
        return mod << 6 | reg << 3 | rm

    plain = [r for r in (ECX, EBX, ESI, EDI) if r != reg]
    d8, d32 = rng.randrange(-128, 128), rng.getrandbits(32)
    base, index = rng.sample(plain, 2)
    scale = rng.randrange(4)
    many = rng.getrandbits(32)
    match form:
        case "disp32":
            return bytes([modrm(0, 5)]) + word(offset)
        case "[reg]":
            registers[base] = offset % WORDS
            return bytes([modrm(0, base)])
        case "[reg+disp8]":
            registers[base] = (offset - d8) % WORDS
            return bytes([modrm(1, base), d8 & 0xff])
        case "[reg+disp32]":
            registers[base] = (offset - d32) % WORDS
            return bytes([modrm(2, base)]) + word(d32)
        case "[ebp+disp8]":
            registers[EBP] = (offset - d8) % WORDS
            return bytes([modrm(1, EBP), d8 & 0xff])
        case "[ebp+disp32]":
            registers[EBP] = (offset - d32) % WORDS
            return bytes([modrm(2, EBP)]) + word(d32)
        case "[esp+disp8]":
            registers[ESP] = (offset - d8) % WORDS
            return bytes([modrm(1, 4), 0x24, d8 & 0xff])
        case "[base+index*scale]":
            registers[index] = many
            registers[base] = (offset - (many << scale)) % WORDS
            return bytes([modrm(0, 4), scale << 6 | index << 3 | base])
        case "[base+index*scale+disp8]":
            registers[index] = many
            registers[base] = (offset - (many << scale) - d8) % WORDS
            return bytes([modrm(1, 4), scale << 6 | index << 3 | base, d8 & 0xff])
        case "[base+index*scale+disp32]":
            registers[index] = many
            registers[base] = (offset - (many << scale) - d32) % WORDS
            return bytes([modrm(2, 4), scale << 6 | index << 3 | base]) + word(d32)
        case "[index*scale+disp32]":
            registers[index] = many
            return bytes([modrm(0, 4), scale << 6 | index << 3 | 5]) + word(offset - (many << scale))
        case "[disp32] by SIB":
            return bytes([modrm(0, 4), 0x25]) + word(offset)
        case "[ebp+index*scale+disp8]":
            registers[index] = many
            registers[EBP] = (offset - (many << scale) - d8) % WORDS
            return bytes([modrm(1, 4), scale << 6 | index << 3 | EBP, d8 & 0xff])
    raise ValueError(form)


FORMS = ("disp32", "[reg]", "[reg+disp8]", "[reg+disp32]", "[ebp+disp8]", "[ebp+disp32]", "[esp+disp8]", "[base+index*scale]",
         "[base+index*scale+disp8]", "[base+index*scale+disp32]", "[index*scale+disp32]", "[disp32] by SIB",
         "[ebp+index*scale+disp8]")


# ---- what is done with it ----

def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def put(m: Machine, register: int, value: int) -> None:
    m.registers[register] = value % WORDS


def exchange(m: Machine, o: int) -> None:
    value = m.load(o)
    m.store(o, m.registers[EDX])
    m.registers[EDX] = value


def exchange_add(m: Machine, o: int) -> None:
    value = m.load(o)
    m.store(o, value + m.registers[EDX])
    m.registers[EDX] = value


def compare_exchange(m: Machine, o: int) -> None:
    """EAX is never what lies there."""
    m.registers[EAX] = m.load(o)


# Name, bytes before ModRM, ModRM's middle, bytes behind the displacement, what it does.
OPERATIONS = (
    ("mov edx, [m]", b"\x8b", EDX, b"", lambda m, o: put(m, EDX, m.load(o))),
    ("mov [m], edx", b"\x89", EDX, b"", lambda m, o: m.store(o, m.registers[EDX])),
    ("mov dl, [m]", b"\x8a", EDX, b"", lambda m, o: m.low(EDX, m.load(o, 1), 1)),
    ("mov [m], dl", b"\x88", EDX, b"", lambda m, o: m.store(o, m.registers[EDX], 1)),
    ("add edx, [m]", b"\x03", EDX, b"", lambda m, o: put(m, EDX, m.registers[EDX] + m.load(o))),
    ("sub [m], edx", b"\x29", EDX, b"", lambda m, o: m.store(o, m.load(o) - m.registers[EDX])),
    ("xor edx, [m]", b"\x33", EDX, b"", lambda m, o: put(m, EDX, m.registers[EDX] ^ m.load(o))),
    ("or [m], edx", b"\x09", EDX, b"", lambda m, o: m.store(o, m.load(o) | m.registers[EDX])),
    ("and edx, [m]", b"\x23", EDX, b"", lambda m, o: put(m, EDX, m.registers[EDX] & m.load(o))),
    ("cmp edx, [m]", b"\x3b", EDX, b"", lambda m, o: None),
    ("test [m], edx", b"\x85", EDX, b"", lambda m, o: None),
    ("xchg [m], edx", b"\x87", EDX, b"", exchange),
    ("add [m], imm32", b"\x81", 0, word(0x1234567), lambda m, o: m.store(o, m.load(o) + 0x1234567)),
    ("sub [m], imm8", b"\x83", 5, b"\x7f", lambda m, o: m.store(o, m.load(o) - 0x7f)),
    ("xor [m], imm8", b"\x80", 6, b"\x5a", lambda m, o: m.store(o, m.load(o, 1) ^ 0x5a, 1)),
    ("mov [m], imm32", b"\xc7", 0, word(0x89abcdef), lambda m, o: m.store(o, 0x89abcdef)),
    ("mov [m], imm8", b"\xc6", 0, b"\x42", lambda m, o: m.store(o, 0x42, 1)),
    ("inc [m]", b"\xff", 0, b"", lambda m, o: m.store(o, m.load(o) + 1)),
    ("dec [m]", b"\xfe", 1, b"", lambda m, o: m.store(o, m.load(o, 1) - 1, 1)),
    ("not [m]", b"\xf7", 2, b"", lambda m, o: m.store(o, ~m.load(o))),
    ("neg [m]", b"\xf6", 3, b"", lambda m, o: m.store(o, -m.load(o, 1), 1)),
    ("test [m], imm32", b"\xf7", 0, word(0x55555555), lambda m, o: None),
    ("shl [m], imm8", b"\xc1", 4, b"\x05", lambda m, o: m.store(o, m.load(o) << 5)),
    ("shr [m]", b"\xd1", 5, b"", lambda m, o: m.store(o, m.load(o) >> 1)),
    ("imul edx, [m], imm8", b"\x6b", EDX, b"\xfd", lambda m, o: put(m, EDX, m.load(o) * -3)),
    ("imul edx, [m], imm32", b"\x69", EDX, word(0x10001), lambda m, o: put(m, EDX, m.load(o) * 0x10001)),
    # 16 bits
    ("mov dx, [m]", b"\x66\x8b", EDX, b"", lambda m, o: m.low(EDX, m.load(o, 2), 2)),
    ("mov [m], imm16", b"\x66\xc7", 0, b"\xfe\xca", lambda m, o: m.store(o, 0xcafe, 2)),
    ("add [m], dx", b"\x66\x01", EDX, b"", lambda m, o: m.store(o, m.load(o, 2) + m.registers[EDX], 2)),
    # LOCK
    ("lock inc [m]", b"\xf0\xff", 0, b"", lambda m, o: m.store(o, m.load(o) + 1)),
    ("lock xadd [m], edx", b"\xf0\x0f\xc1", EDX, b"", exchange_add),
    # two-byte opcodes
    ("movzx edx, byte [m]", b"\x0f\xb6", EDX, b"", lambda m, o: put(m, EDX, m.load(o, 1))),
    ("movzx edx, word [m]", b"\x0f\xb7", EDX, b"", lambda m, o: put(m, EDX, m.load(o, 2))),
    ("movsx edx, byte [m]", b"\x0f\xbe", EDX, b"", lambda m, o: put(m, EDX, signed(m.load(o, 1), 8))),
    ("movsx edx, word [m]", b"\x0f\xbf", EDX, b"", lambda m, o: put(m, EDX, signed(m.load(o, 2), 16))),
    ("imul edx, [m]", b"\x0f\xaf", EDX, b"", lambda m, o: put(m, EDX, m.registers[EDX] * m.load(o))),
    ("cmovnz edx, [m]", b"\x0f\x45", EDX, b"", lambda m, o: put(m, EDX, m.load(o))),
    ("setnz [m]", b"\x0f\x95", 0, b"", lambda m, o: m.store(o, 1, 1)),
    ("btc [m], imm8", b"\x0f\xba", 7, b"\x11", lambda m, o: m.store(o, m.load(o) ^ 1 << 17)),
    ("shld [m], edx, imm8", b"\x0f\xa4", EDX, b"\x08", lambda m, o: m.store(o, m.load(o) << 8 | m.registers[EDX] >> 24)),
    ("cmpxchg [m], edx", b"\x0f\xb1", EDX, b"", compare_exchange),
)


def moffs(opcode: int, offset: int) -> bytes:
    return bytes([opcode]) + word(offset)


def lods(opcode: bytes, offset: int, registers: list[int]) -> bytes:
    registers[ESI] = offset % WORDS
    return opcode


def loaded(m: Machine, offset: int, size: int) -> None:
    m.low(EAX, m.load(offset, size), size)
    put(m, ESI, m.registers[ESI] + size)


def xlat(offset: int, registers: list[int]) -> bytes:
    registers[EBX] = (offset - (registers[EAX] & 0xff)) % WORDS
    return b"\xd7"


# Without ModRM: name, bytes for an offset, what it does.
IMPLICIT = (
    ("mov al, [moffs]", lambda o, r: moffs(0xa0, o), lambda m, o: m.low(EAX, m.load(o, 1), 1)),
    ("mov eax, [moffs]", lambda o, r: moffs(0xa1, o), lambda m, o: put(m, EAX, m.load(o))),
    ("mov [moffs], al", lambda o, r: moffs(0xa2, o), lambda m, o: m.store(o, m.registers[EAX], 1)),
    ("mov [moffs], eax", lambda o, r: moffs(0xa3, o), lambda m, o: m.store(o, m.registers[EAX])),
    ("mov ax, [moffs]", lambda o, r: b"\x66" + moffs(0xa1, o), lambda m, o: m.low(EAX, m.load(o, 2), 2)),
    ("lodsd", lambda o, r: lods(b"\xad", o, r), lambda m, o: loaded(m, o, 4)),
    ("lodsb", lambda o, r: lods(b"\xac", o, r), lambda m, o: loaded(m, o, 1)),
    ("xlat", xlat, lambda m, o: m.low(EAX, m.load(o, 1), 1)),
)


@dataclass(frozen=True)
class Case:
    program: Program
    machine: Machine  # as it is afterwards
    end: int  # where the program ends


def way_there(prefix: int, offset: int) -> bytes:
    """An access on the other side, so that the segment reaches this one; and EAX again, by `mov eax, [m]`."""
    return bytes([prefix, 0x8b, 0x05]) + word(-offset)


def case(rng: Random, what: str, make_code, effect) -> Case:
    """`make_code(offset, registers)` is the instruction without its segment prefix."""
    base = DATA + PAGE // 2 + rng.randrange(PAGE)
    offset = rng.choice((-1, 1)) * rng.randrange(8, AROUND - 4)
    prefix = rng.choice((GS, GS, GS, FS, ES))
    registers = [rng.getrandbits(32) for _ in NAMES]
    instruction = make_code(offset, registers)
    prefixes = bytes([prefix]) if rng.random() < 0.8 else bytes([rng.choice((0x2e, 0x36, 0x3e)), prefix])  # the last one counts
    code = way_there(prefix, offset) + b"\xb8" + word(registers[EAX])
    # Only moves up to here, and EFLAGS is as it was: ZF is 0.
    code += prefixes + instruction + END if rng.random() < 0.5 else instruction_first(prefixes, instruction) + END
    after = Machine(base, registers)
    effect(after, offset)
    program = Program(f"{what}, prefix {prefix:#x}, offset {offset}", programs.flat(base), code, base, registers, prefix)
    return Case(program, after, programs.CODE + len(code))


def instruction_first(prefixes: bytes, instruction: bytes) -> bytes:
    """The segment prefix behind the instruction's own prefixes."""
    own = len(instruction) - len(instruction.lstrip(b"\x66\xf0"))
    return instruction[:own] + prefixes + instruction[own:]


def cases(rng: Random) -> Iterator[Case]:
    for _ in range(REPEATED):
        for form in FORMS:
            for name, opcode, reg, behind, effect in rng.sample(OPERATIONS, 4):
                yield case(rng, f"{name} at {form}",
                           lambda o, r: opcode + address(rng, form, reg, o, r) + behind, effect)
        for name, opcode, reg, behind, effect in OPERATIONS:
            form = rng.choice(FORMS)
            yield case(rng, f"{name} at {form}", lambda o, r: opcode + address(rng, form, reg, o, r) + behind, effect)
        for name, code, effect in IMPLICIT * 3:
            yield case(rng, name, code, effect)


def inputs(rng: Random) -> dict:
    drawn = list(cases(rng))
    return {"cases": rng.sample(drawn, len(drawn))}


def encode(given: dict) -> bytes:
    return programs.encode([c.program for c in given["cases"]])


def judge(given: dict, seen: Seen) -> Iterator[Finding]:
    for i, c in enumerate(given["cases"]):
        o, p = seen.one("ran", i), c.program
        if (got := seen.one("loaded", i).answer) != 0:
            yield Finding(EXERCISE, f"{p.what}: a flat segment: the answer", 0, got)
        if (o.vector, o.eip) != (programs.SYSTEM_CALL, c.end):
            yield Finding(EXERCISE, f"{p.what} ({p.code.hex(' ')}): trap, error, address", "none", (o.vector, o.error, hex(o.eip)))
            continue
        for name, want in zip(NAMES, c.machine.registers, strict=True):
            if (value := getattr(o, name)) != want:
                yield Finding(EXERCISE, f"{p.what}: {name}", hex(want), hex(value))
        if (got := seen.one("around", i).bytes) != bytes(c.machine.bytes):
            yield Finding(EXERCISE, f"{p.what}: the bytes around the base", bytes(c.machine.bytes).hex(), got.hex())
        yield from programs.settled_badly(p, o, EXERCISE)
