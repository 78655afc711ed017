#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proves rules of the hypervisor for all inputs, on the functions that are shipped.

Each proof asks z3 for an input that breaks the rule. There is none, or it is printed. So that no proof holds for nothing, each is
also run on a spoilt copy of the source, where a counterexample must be found.

usage: prove.py [NAME...]     the proofs whose names begin like that
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import z3
from ir_to_z3 import Module, Pointer, Unsupported, compile_c
from z3 import And, BitVec, BitVecVal, BoolRef, Concat, Extract, If, LShR, Not, Or, UGE, UGT, ULE, ULT, ZeroExt

LINE = 0xFC000000
FENCE = 0xFC400000
TIMEOUT = 240_000  # milliseconds a proof


@dataclass(frozen=True)
class Proof:
    name: str
    says: str  # in words
    file: str
    broken: Callable[[Module], BoolRef]  # what must be impossible
    spoil: tuple[str, str]  # text in the file, and what breaks it
    inputs: str = ""  # how many


# ---- the processor's view of a descriptor, from the manual (SDM 3A, 3.4.5 and 5.3), in 64 bits ----


@dataclass(frozen=True)
class Descriptor:
    low: z3.BitVecRef
    high: z3.BitVecRef

    @property
    def base(self) -> z3.BitVecRef:
        return Concat(Extract(31, 24, self.high), Extract(7, 0, self.high), Extract(31, 16, self.low))

    @property
    def limit(self) -> z3.BitVecRef:
        raw = ZeroExt(12, Concat(Extract(19, 16, self.high), Extract(15, 0, self.low)))
        return If(self.has(23), raw * 4096 + 4095, raw)

    def has(self, number: int) -> BoolRef:
        return Extract(number, number, self.high) == 1

    @property
    def down(self) -> BoolRef:
        return And(Not(self.has(11)), self.has(10))

    @property
    def top(self) -> z3.BitVecRef:
        return If(self.has(22), BitVecVal(0xFFFFFFFF, 32), BitVecVal(0xFFFF, 32))

    def allows(self, offset: z3.BitVecRef) -> BoolRef:
        return If(self.down, And(UGT(offset, self.limit), ULE(offset, self.top)), ULE(offset, self.limit))

    def linear(self, offset: z3.BitVecRef) -> z3.BitVecRef:
        return Extract(31, 0, ZeroExt(32, self.base) + ZeroExt(32, offset))

    def kind_ok(self) -> BoolRef:
        return And(self.has(12), Extract(14, 13, self.high) != 0)

    def harms(self, offset: z3.BitVecRef) -> BoolRef:
        """Whether this offset shows that no guest may have the descriptor (S1)."""
        reaches = And(self.allows(offset), UGE(self.linear(offset), FENCE))
        return And(self.has(15), Or(Not(self.kind_ok()), reaches))


LOW, HIGH, OFFSET = BitVec("low", 32), BitVec("high", 32), BitVec("offset", 32)
BEFORE = Descriptor(LOW, HIGH)
POINTER = Pointer("descriptor")


def on_descriptor(module: Module, function: str, *more: z3.BitVecRef,
                  before: Descriptor = BEFORE) -> tuple[BoolRef, Descriptor]:
    """Whether the function said yes, and the descriptor after it."""
    memory = {("descriptor", 0): before.low, ("descriptor", 1): before.high}
    done = module.call(function, [POINTER, *more], memory)
    return done.value == 1, Descriptor(done.memory["descriptor", 0], done.memory["descriptor", 1])


def same(a: Descriptor, b: Descriptor) -> BoolRef:
    return And(a.low == b.low, a.high == b.high)


# ---- segment_fit ----


def fit_is_safe(module: Module) -> BoolRef:
    accepted, after = on_descriptor(module, "segment_fit")
    return And(accepted, after.harms(OFFSET))


def fit_refuses_untouched(module: Module) -> BoolRef:
    accepted, after = on_descriptor(module, "segment_fit")
    return And(Not(accepted), Not(same(BEFORE, after)))


def fit_changes_the_limit_alone(module: Module) -> BoolRef:
    accepted, after = on_descriptor(module, "segment_fit")
    limit_bits = 0xF0000
    kept = And(Extract(31, 16, after.low) == Extract(31, 16, LOW), (after.high & ~limit_bits) == (HIGH & ~limit_bits))
    grows = UGT(after.limit, BEFORE.limit)
    return And(accepted, Or(Not(kept), grows))


def fit_takes_what_is_harmless(module: Module) -> BoolRef:
    """Refused or cut, though none of the places where harm could show, shows any."""
    accepted, after = on_descriptor(module, "segment_fit")
    places = [BEFORE.limit, BEFORE.limit + 1, BEFORE.top, BitVecVal(0, 32), FENCE - BEFORE.base, ~BEFORE.base]
    return And(Or(Not(accepted), Not(same(BEFORE, after))), Not(Or([BEFORE.harms(place) for place in places])))


def fit_cuts_less_than_a_page(module: Module) -> BoolRef:
    accepted, after = on_descriptor(module, "segment_fit")
    left = FENCE - (ZeroExt(32, after.base) + ZeroExt(32, after.limit) + 1)
    return And(accepted, Not(same(BEFORE, after)), Not(ULT(left, 4096)))


# ---- tls_flip ----


def flip_keeps_the_fence(module: Module) -> BoolRef:
    """A descriptor that is safe for every offset stays so; asked at one offset after, and at all that matter before."""
    turned, after = on_descriptor(module, "tls_flip", BitVec("wanted", 32))
    places = [BEFORE.limit, BEFORE.limit + 1, BEFORE.top, BitVecVal(0, 32), FENCE - BEFORE.base, ~BEFORE.base]
    return And(Not(Or([BEFORE.harms(place) for place in places])), turned, after.harms(OFFSET))


def flip_makes_progress(module: Module) -> BoolRef:
    turned, after = on_descriptor(module, "tls_flip", OFFSET)
    return And(turned, Not(And(Not(BEFORE.allows(OFFSET)), after.allows(OFFSET), ULT(after.linear(OFFSET), FENCE))))


def flip_never_twice(module: Module) -> BoolRef:
    turned, after = on_descriptor(module, "tls_flip", OFFSET)
    again, _ = on_descriptor(module, "tls_flip", OFFSET, before=after)
    return And(turned, again)


def flip_touches_ring_3_data_alone(module: Module) -> BoolRef:
    turned, after = on_descriptor(module, "tls_flip", OFFSET)
    may_change = 0xF0000 | 0x400
    kept = And(Extract(31, 16, after.low) == Extract(31, 16, LOW), (after.high & ~may_change) == (HIGH & ~may_change))
    data_of_ring_3 = And(BEFORE.has(15), BEFORE.has(12), Extract(14, 13, HIGH) == 3, Not(BEFORE.has(11)), BEFORE.has(9))
    return Or(And(turned, Not(And(kept, data_of_ring_3))), And(Not(turned), Not(same(BEFORE, after))))


# ---- addresses, bits, flags ----

ADDRESS, COUNT, SIZE = BitVec("address", 32), BitVec("count", 32), BitVec("size", 32)


def range_is_exact(module: Module) -> BoolRef:
    yes = module.call("guest_range_ok", [ADDRESS, COUNT]).value == 1
    return yes != ULE(ZeroExt(32, ADDRESS) + ZeroExt(32, COUNT), LINE)


def array_is_exact(module: Module) -> BoolRef:
    """For the sizes that calls use."""
    wrong = []
    for size in (4, 8, 32):
        yes = module.call("guest_array_ok", [ADDRESS, COUNT, BitVecVal(size, 32)]).value == 1
        wrong.append(yes != ULE(ZeroExt(32, ADDRESS) + ZeroExt(32, COUNT) * size, LINE))
    return Or(wrong)


def flags_free_nobody(module: Module) -> BoolRef:
    asked = BitVec("eflags", 32)
    safe = module.call("vcpu_safe_eflags", [asked]).value
    forbidden = 0x3000 | 0x4000 | 0x20000 | 0x80000 | 0x100000  # IOPL, NT, VM, VIF, VIP
    forced = 0x200 | 2  # IF, and the bit that is always set
    return Not(And(safe & forbidden == 0, safe & forced == forced,
                   safe & ~(forbidden | forced) == asked & ~(forbidden | forced)))


def entry_bits_are_harmless(module: Module) -> BoolRef:
    entry = BitVec("entry", 32)
    yes = module.call("entry_ok", [entry]).value == 1
    allowed = 0x001 | 0x002 | 0x004 | 0x020 | 0x040 | 0xE00  # P RW US A D and the processor's three free ones
    return yes != (entry & 0xFFF & ~allowed == 0)


SELECTOR = BitVec("selector", 32)


def trap_targets_are_ring_1(module: Module) -> BoolRef:
    yes = module.call("trap_target_ok", [SELECTOR, ADDRESS]).value == 1
    slot = LShR(SELECTOR, 3)
    reserved = And(SELECTOR & 4 == 0, UGE(slot, 14 * 512), ULT(LShR(SELECTOR, 3) % 512, 16))
    right = And(ULE(SELECTOR, 0xFFFF), SELECTOR & 3 == 1, Or(SELECTOR == 0xE019, Not(reserved)), ULT(ADDRESS, LINE))
    return yes != right


def fast_vectors_are_few(module: Module) -> BoolRef:
    vector = BitVec("vector", 32)
    yes = module.call("may_be_fast", [vector]).value == 1
    return yes != Or(vector == 0x80, And(UGE(vector, 0x20), ULE(vector, 0x2F)))


PROOFS = (
    Proof("segment-safe", "what segment_fit accepts reaches no byte at or above the fence (S1)", "src/segment.c", fit_is_safe,
          ("return limit >= top || (first <= last && last < ATELIER_FENCE);", "return true;"), "2^64 x 2^32"),
    Proof("segment-untouched", "what segment_fit refuses it leaves as it was", "src/segment.c", fit_refuses_untouched,
          ("if (!(d->high & DESC_S) || !(d->high & DESC_DPL))\n\t\treturn false;",
           "if (!(d->high & DESC_S) || !(d->high & DESC_DPL)) {\n\t\td->high = 0;\n\t\treturn false;\n\t}"), "2^64"),
    Proof("segment-limit", "segment_fit changes nothing but the limit, and that downwards", "src/segment.c",
          fit_changes_the_limit_alone, ("(d->high & ~0xf0000u) | (pages & 0xf0000)", "(pages & 0xf0000) | DESC_P"), "2^64"),
    Proof("segment-exact", "segment_fit takes a harmless descriptor as it is", "src/segment.c", fit_takes_what_is_harmless,
          ("return limit >= top ||", "return"), "2^64"),
    Proof("segment-cut", "a segment that is cut ends less than a page below the fence", "src/segment.c",
          fit_cuts_less_than_a_page, ("(ATELIER_FENCE - base) / PAGE_SIZE - 1", "(ATELIER_FENCE - base) / PAGE_SIZE - 2"), "2^64"),
    Proof("flip-safe", "a descriptor that is turned over still reaches nothing above the fence (S5)", "src/tls_fixup.c",
          flip_keeps_the_fence, ("up = (ATELIER_FENCE - base) / PAGE_SIZE - 1;", "up = (ATELIER_FENCE - base) / PAGE_SIZE;"),
          "2^96 x 2^32"),
    Proof("flip-progress", "it is turned over only for an offset that was out of reach and then is in reach", "src/tls_fixup.c",
          flip_makes_progress, ("|| offset <= (down << 12 | 0xfff))", ")"), "2^96"),
    Proof("flip-once", "and not a second time for the same offset", "src/tls_fixup.c", flip_never_twice,
          ("|| offset > (up << 12 | 0xfff))", ")"), "2^96"),
    Proof("flip-only", "only writable data of ring 3 is turned over, and only its limit and direction change", "src/tls_fixup.c",
          flip_touches_ring_3_data_alone,
          ("DESC_P | DESC_S | DESC_DPL | DESC_WRITE | DESC_DB", "DESC_P | DESC_S | DESC_WRITE | DESC_DB"), "2^96"),
    Proof("range", "guest_range_ok says yes exactly if all bytes lie below the line (S6)", "src/guest_copy.c", range_is_exact,
          ("n <= ATELIER_LINE - addr.n", "addr.n + n <= ATELIER_LINE"), "2^64"),
    Proof("array", "guest_array_ok says yes exactly if all bytes of the product do", "src/guest_copy.c", array_is_exact,
          ("(uint64_t)count * size", "count * size"), "3 x 2^64"),
    Proof("eflags", "no flags that a guest asks for free it, and the others are as it asks (S4)", "src/vcpu.h", flags_free_nobody,
          ("EFLAGS_IOPL | EFLAGS_NT", "EFLAGS_NT"), "2^32"),
    Proof("entry", "an entry's flag bits are accepted exactly if each is one of the interface's (M5)", "src/paging.c",
          entry_bits_are_harmless, ("~PAGE_MASK & ~PTE_ALLOWED", "~PAGE_MASK & ~(PTE_ALLOWED | PTE_PS)"), "2^32"),
    Proof("trap-target", "an entry point is of ring 1, not the hypervisor's, and below the line (S3)", "src/trap_table.c",
          trap_targets_are_ring_1, ("index % GDT_ENTRIES_A_FRAME < GDT_RESERVED_SLOTS", "index == 14 * 512 + 1"), "2^64"),
    Proof("fast-vector", "0x80 and 0x20 to 0x2f can be fast, and no other", "src/trap_table.c", fast_vectors_are_few,
          ("vector <= 0x2f", "vector <= 0x3f"), "2^32"),
)


def counterexample(proof: Proof, module: Module) -> z3.ModelRef | None:
    solver = z3.Solver()
    solver.set("timeout", TIMEOUT)
    solver.add(proof.broken(module))
    verdict = solver.check()
    if verdict == z3.unknown:
        raise Unsupported(f"z3 gave up: {solver.reason_unknown()}")
    return solver.model() if verdict == z3.sat else None


def show(model: z3.ModelRef) -> str:
    return ", ".join(f"{name} 0x{model[name].as_long():x}" for name in sorted(model.decls(), key=str)
                     if z3.is_bv_value(model[name]))


def spoilt(proof: Proof) -> Module:
    path = Path(proof.file)
    text = path.read_text()
    old, new = proof.spoil
    if old not in text:
        raise Unsupported(f"there is nothing to spoil: {proof.file} has no {old!r}")
    return compile_c(path, text.replace(old, new, 1))


def run(proof: Proof) -> str | None:
    """None if it holds and fails where it must; otherwise what is wrong."""
    found = counterexample(proof, compile_c(Path(proof.file)))
    if found is not None:
        return f"FALSE for {show(found)}"
    if counterexample(proof, spoilt(proof)) is None:
        return "holds even for the spoilt copy: it proves nothing"
    return None


def main(names: list[str]) -> int:
    failed = 0
    wanted = [proof for proof in PROOFS if not names or any(proof.name.startswith(name) for name in names)]
    for proof in wanted:
        start = time.monotonic()
        try:
            wrong = run(proof)
        except Unsupported as reason:
            wrong = f"cannot be tried: {reason}"
        failed += wrong is not None
        print(f"{proof.name:18} {wrong or 'proved'}: {proof.says} [{proof.inputs} inputs, {time.monotonic() - start:.1f} s]",
              flush=True)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
