# SPDX-License-Identifier: MIT
"""What the judges of steps.h share: the steps, and a model that knows what each must answer.

The model follows src/public/paging.h. It keeps what frames hold, the pins and the base, and takes and gives
references as the steps say; a step that is refused leaves it as it was. Frames have names, as steps.h has
them; an entry is a word with the name in place of the frame number.
"""

import errno
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from atelier_grader import observe
from atelier_grader.judge import Finding, Outside
from atelier_grader.observe import Seen

PAGE, RAW, BOOT, FOREIGN, VOID, SHARED = (kind << 28 for kind in range(6))
DIRECTORY0 = BOOT  # the one that we started with
TABLES0 = BOOT + 1  # all its tables, as if they were one: own addresses of pages are there
OWN, OF_M2P = 1, 2  # kinds of an address: the own address of a page, its word in the M2P

STORE, CALL, MAP, TOUCH, CLONE, CLEAR, SWEEP, COMPARE, COUNTS, GIVE_UP, STALE = range(1, 12)
NO_DONE, BAD_DONE, AT_HOLE, HYPERVISOR, WRAPS = range(1, 6)

P, RW, US, PWT, PCD, A, D, PS, G, AVL = 1, 2, 4, 8, 16, 32, 64, 128, 256, 0xe00
ALLOWED = P | RW | US | A | D | AVL
SLOTS, ENTRIES = 1008, 1024
TABLES_A_CALL = 4
GUEST_SLOT, HOST_SLOT = 768, 256  # where pages have their own addresses, in a guest and on the host
SELF = 0xfff0
M2P_TABLE = 0xfc000000
NO_PFN = 0xffffffff
CANARY = 0x0ddba11

WRITE, M2P, COMMAND = 0, 1, 2
PIN_TABLE, PIN_DIRECTORY, UNPIN, NEW_BASE, FLUSH, INVLPG = range(6)
UVM_NONE, UVM_INVLPG, UVM_FLUSH = range(3)

NOTHING, WRITABLE, TABLE, DIRECTORY = "nothing", "writable", "table", "directory"


class Refused(Exception):
    """With the error; or with several, where the interface leaves open which."""

    def __init__(self, *errors: int):
        super().__init__(*errors)
        self.errors = frozenset(-error for error in errors)


DONE = frozenset()


class Unspecified(Exception):
    """The interface leaves open what happens: a judge may not ask."""


def entry(name: int, low: int = 0) -> int:
    return name << 12 | low


def raw(value: int) -> int:
    """A plain number as an entry: the frame of that number."""
    return entry(RAW | value >> 12, value & 0xfff)


EMPTY = raw(0)


def name_of(e: int) -> int:
    return e >> 12


@dataclass
class Frame:
    """One of the domain's own."""

    type: str = NOTHING
    refs: int = 1
    uses: int = 0
    valid: bool = False
    busy: bool = False
    pinned: bool = False
    linear: int = 0
    words: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    where: int  # an entry: frame, byte in it and kind
    value: int

    def told(self) -> tuple:
        return (name_of(self.where), self.where & 0xfff, name_of(self.value), self.value & 0xfff)


def write(name: int, i: int, value: int) -> Request:
    return Request(entry(name, 4 * i | WRITE), value)


def command(code: int, name: int = RAW) -> Request:
    return Request(entry(name, COMMAND), raw(code))


def invlpg(va: int) -> Request:
    return Request(raw(va & ~3 | COMMAND), raw(INVLPG))


class Model:
    """One domain with `pages` pages, each mapped writable at its own address by the tables that it started with."""

    def __init__(self, pages: int, slot: int):
        self.frames = {PAGE | i: Frame(type=WRITABLE, refs=2, uses=1) for i in range(pages)}
        self.frames[TABLES0] = Frame(type=TABLE, refs=99, uses=99, valid=True,
                                     words={i: entry(PAGE | i, P | RW) for i in range(pages)})
        self.frames[DIRECTORY0] = Frame(type=DIRECTORY, refs=99, uses=99, valid=True, pinned=True,
                                        words={slot: entry(TABLES0, P | RW | US)})
        self.frames[SHARED] = Frame(type=WRITABLE, refs=99, uses=99)
        self.base = DIRECTORY0
        self.journal: list[tuple] = []
        self.new_tables = 0

    # ---- all or nothing ----

    def set(self, frame: Frame, **values) -> None:
        for name, value in values.items():
            self.journal.append((frame, name, getattr(frame, name)))
            setattr(frame, name, value)

    def store(self, frame: Frame, i: int, value: int) -> None:
        self.journal.append((frame.words, i, frame.words.get(i, EMPTY)))
        frame.words[i] = value

    def attempt(self, action, *args) -> frozenset[int]:
        """No error, or those of which one is answered; then nothing has changed."""
        self.journal = []
        self.new_tables = TABLES_A_CALL
        try:
            action(*args)
        except Refused as refused:
            self.undo()
            return refused.errors
        except Unspecified:
            self.undo()
            raise
        return DONE

    def undo(self) -> None:
        for where, key, value in reversed(self.journal):
            if isinstance(where, dict):
                where[key] = value
            else:
                setattr(where, key, value)

    # ---- references ----

    def frame(self, name: int) -> Frame:
        kind = name >> 28 << 28
        if name in self.frames:
            return self.frames[name]
        if kind == RAW:
            raise Refused(errno.EINVAL)  # judges use numbers of frames that are not there
        if kind == VOID:  # whether the number stands for anything at all is the machine's affair
            raise Refused(errno.EPERM, errno.EINVAL)
        raise Refused(errno.EPERM)

    def take(self, name: int) -> None:
        frame = self.frame(name)
        self.set(frame, refs=frame.refs + 1)

    def put(self, name: int) -> None:
        frame = self.frames[name]
        self.set(frame, refs=frame.refs - 1)

    def take_type(self, name: int, kind: str) -> None:
        self.take(name)
        frame = self.frames[name]
        if frame.busy or (frame.uses and frame.type != kind):
            raise Refused(errno.EBUSY)
        if frame.uses:
            self.set(frame, uses=frame.uses + 1)
            return
        self.set(frame, uses=1, type=kind)
        if kind == WRITABLE:
            return
        self.set(frame, busy=True)
        for i, e in sorted(frame.words.items()):
            if kind == TABLE:
                self.take_table_entry(e)
            elif i < SLOTS:
                self.take_directory_entry(name, e)
        if kind == DIRECTORY:  # the hypervisor fills its slots, and leaves there what no page table may hold
            for i in range(SLOTS, ENTRIES):
                self.store(frame, i, entry(VOID, P))
        self.set(frame, busy=False, valid=True)

    def put_type(self, name: int) -> None:
        frame = self.frames[name]
        if frame.uses == 1 and frame.valid:
            for i, e in sorted(frame.words.items(), reverse=True):
                if frame.type == TABLE:
                    self.put_table_entry(e)
                elif i < SLOTS:
                    self.put_directory_entry(name, e)
            self.set(frame, valid=False)
        self.set(frame, uses=frame.uses - 1)
        self.put(name)

    def take_table_entry(self, e: int) -> None:
        if not e & P:
            return
        if e & 0xfff & ~ALLOWED:
            raise Refused(errno.EINVAL)
        if e & RW:
            self.take_type(name_of(e), WRITABLE)
        else:
            self.take(name_of(e))

    def put_table_entry(self, e: int) -> None:
        if e & P and e & RW:
            self.put_type(name_of(e))
        elif e & P:
            self.put(name_of(e))

    def take_directory_entry(self, directory: int, e: int) -> None:
        if not e & P:
            return
        name = name_of(e)
        if e & 0xfff & ~ALLOWED:
            raise Refused(errno.EINVAL)
        if name == directory:
            if e & RW:
                raise Refused(errno.EINVAL, errno.EBUSY)
            self.take(name)
            return
        frame = self.frame(name)
        if frame.uses and frame.type == DIRECTORY:
            if e & RW:
                raise Refused(errno.EINVAL, errno.EBUSY)
            self.take_linear(directory, name)
            return
        if frame.uses == 0:
            if self.new_tables == 0:
                raise Refused(errno.EAGAIN)
            self.new_tables -= 1
        self.take_type(name, TABLE)

    def take_linear(self, directory: int, name: int) -> None:
        from_, to = self.frames[directory], self.frames[name]
        if from_.linear < 0 or to.linear > 0:
            raise Refused(errno.EBUSY)
        self.take_type(name, DIRECTORY)
        self.set(from_, linear=from_.linear + 1)
        self.set(to, linear=to.linear - 1)

    def put_directory_entry(self, directory: int, e: int) -> None:
        if not e & P:
            return
        name = name_of(e)
        if name == directory:
            self.put(name)
            return
        frame = self.frames[name]
        if frame.type == DIRECTORY:
            self.set(self.frames[directory], linear=self.frames[directory].linear - 1)
            self.set(frame, linear=frame.linear + 1)
        self.put_type(name)

    def can_drop(self, name: int) -> None:
        """Whether the last use of a directory can go in one call."""
        frame = self.frames[name]
        if frame.type != DIRECTORY or frame.uses > 1:
            return
        named = [name_of(e) for i, e in frame.words.items() if i < SLOTS and e & P and name_of(e) != name]
        last = [n for n in set(named) if self.frames[n].uses == named.count(n)]
        if any(self.frames[n].type == DIRECTORY for n in last):
            raise Unspecified(f"the last use of {name:#x} takes another directory with it")
        if len(last) > TABLES_A_CALL:
            raise Refused(errno.EAGAIN)

    # ---- what can be asked ----

    def write_entry(self, name: int, i: int, new: int) -> None:
        frame = self.frame(name)
        if not frame.valid:
            self.write_data(name, i, new)
            return
        if frame.type == DIRECTORY and i >= SLOTS:
            raise Refused(errno.EPERM)
        old = frame.words.get(i, EMPTY)
        if new & P and not new & 0xfff & ~ALLOWED and name_of(new) == name_of(old) and not (new ^ old) & (P | RW):
            self.store(frame, i, new)
            return
        if frame.type == DIRECTORY:
            if old & P:
                self.can_drop(name_of(old))
            self.take_directory_entry(name, new)
            self.store(frame, i, new)
            self.put_directory_entry(name, old)
        else:
            self.take_table_entry(new)
            self.store(frame, i, new)
            self.put_table_entry(old)

    def write_data(self, name: int, i: int, new: int) -> None:
        self.take_type(name, WRITABLE)
        self.store(self.frames[name], i, new)
        self.put_type(name)

    def pin(self, name: int, kind: str) -> None:
        if name in self.frames and self.frames[name].pinned:
            raise Refused(errno.EBUSY)
        self.take_type(name, kind)
        self.set(self.frames[name], pinned=True)

    def unpin(self, name: int) -> None:
        frame = self.frame(name)
        if not frame.pinned:
            raise Refused(errno.EINVAL)
        self.can_drop(name)
        self.set(frame, pinned=False)
        self.put_type(name)

    def new_base(self, name: int) -> None:
        old = self.base
        if name != old:
            self.can_drop(old)
        self.take_type(name, DIRECTORY)
        self.journal.append((self, "base", old))
        self.base = name
        self.put_type(old)

    def request(self, r: Request) -> None:
        kind, name, low = r.where & 3, name_of(r.where), r.where & 0xffc
        code = r.value & 0xfff if name_of(r.value) == RAW else -1
        if kind == WRITE:
            self.write_entry(name, low // 4, r.value)
        elif kind == M2P:
            self.frame(name)
        elif kind != COMMAND:
            raise Refused(errno.EINVAL)
        elif code in (PIN_TABLE, PIN_DIRECTORY):
            self.pin(name, TABLE if code == PIN_TABLE else DIRECTORY)
        elif code == UNPIN:
            self.unpin(name)
        elif code == NEW_BASE:
            self.new_base(name)
        elif code == INVLPG:
            if (name & 0xfffff) >= 0xfc000:
                raise Refused(errno.EINVAL)
        elif code != FLUSH:
            raise Refused(errno.EINVAL)

    def find(self, kind: int, at: int) -> tuple[int | None, int]:
        """The table that maps an address, and the index in it."""
        if kind == OWN:
            return TABLES0, at & 0xfffffff
        top = self.frames[self.base].words.get(at >> 22, EMPTY)
        name = name_of(top)
        if not top & P or name not in self.frames or self.frames[name].type != TABLE:
            return None, 0
        return name, at >> 12 & 1023

    def map(self, kind: int, at: int, value: int, flags: int) -> None:
        if kind != OWN and at >= 0xfc000000 or flags & ~3:
            raise Refused(errno.EINVAL)
        table, i = self.find(kind, at)
        if table is None:
            raise Refused(errno.EFAULT)
        self.write_entry(table, i, value)

    def translate(self, kind: int, at: int) -> tuple[Frame | None, bool]:
        """The frame that shows at an address, and whether it can be written there."""
        if kind == OWN:
            e, top = self.frames[TABLES0].words[at & 0xfffffff], P | RW
        else:
            top = self.frames[self.base].words.get(at >> 22, EMPTY)
            if not top & P:
                return None, False
            e = self.frames[name_of(top)].words.get(at >> 12 & 1023, EMPTY)
        if not e & P:
            return None, False
        return self.frames[name_of(e)], bool(e & top & RW)


# ---- steps ----

@dataclass(frozen=True)
class Step:
    told: tuple
    what: str
    tag: str  # of the observation; "": there is none
    want: tuple  # its fields, in order; a set: one of these; None: whatever it is


class Script:
    """Steps for a guest, together with what each must answer."""

    def __init__(self, pages: int, slot: int = GUEST_SLOT):
        self.pages = pages
        self.model = Model(pages, slot)
        self.steps: list[Step] = []

    def add(self, told: tuple, what: str, tag: str, *want) -> None:
        self.steps.append(Step(told, what, tag, want))

    def store(self, name: int, i: int, value: int) -> None:
        """A store of the guest's own, at the own address of a page."""
        frame, writable = self.model.translate(OWN, name)
        told = (STORE, name, i, name_of(value), value & 0xfff)
        what = f"a store to word {i} of {said(name)}"
        if frame is None or not writable:
            self.add(told, what, "store", 1, 3 if frame else 2)
            return
        frame.words[i] = value
        self.add(told, what, "store", 0, 0)

    def call(self, *requests: Request, domain: int = SELF, how: int = 0) -> bool:
        """An mmu_update; whether the model did all of it."""
        errors, done = DONE, 0
        for r in requests:
            errors = self.model.attempt(self.model.request, r)
            if errors:
                break
            done += 1
        self.ask(requests, errors or 0, None if how else done, domain, how=how)
        return not errors

    def ask(self, requests, error: int | frozenset[int], done: int | None, domain: int = SELF, more: int = 0, how: int = 0) -> None:
        """An mmu_update whose answer is known, and that leaves the model alone."""
        told = (CALL, len(requests), *(r.told() for r in requests), more % (1 << 32), how, domain)
        what = "mmu_update() of " + ", ".join(map(described, requests[:4])) + (", ..." if len(requests) > 4 else "")
        self.add(told, what, "call", error, done)

    def map(self, at: int, value: int, flags: int = UVM_INVLPG, kind: int = 0) -> bool:
        errors = self.model.attempt(self.model.map, kind, at, value, flags)
        self.add((MAP, kind, at, name_of(value), value & 0xfff, flags, SELF),
                 f"update_va_mapping({said(at) if kind else hex(at)}, {described_entry(value)}, {flags})", "map", errors or 0)
        return not errors

    def protect(self, name: int, low: int, flags: int = UVM_INVLPG) -> bool:
        """Changes how a page is mapped at its own address; 0: not at all."""
        return self.map(name, entry(name, low) if low else EMPTY, flags, OWN)

    def read(self, at: int, kind: int = 0) -> None:
        frame, _ = self.model.translate(kind, at)
        told = (TOUCH, kind, at, 0, RAW, 0)
        if frame is None:
            self.add(told, f"a read at {said_at(kind, at)}", "touch", 1, 0, EMPTY)
        else:
            i = 0 if kind == OWN else (at & 0xfff) // 4
            self.add(told, f"a read at {said_at(kind, at)}", "touch", 0, 0, frame.words.get(i, EMPTY))

    def write(self, at: int, value: int) -> None:
        frame, writable = self.model.translate(0, at)
        told = (TOUCH, 0, at, 1, name_of(value), value & 0xfff)
        if frame is None or not writable:
            self.add(told, f"a write at {at:#x}", "touch", 1, 3 if frame else 2, EMPTY)
            return
        frame.words[(at & 0xfff) // 4] = value
        self.add(told, f"a write at {at:#x}", "touch", 0, 0, EMPTY)

    def clone(self, name: int) -> None:
        self.model.frames[name].words = dict(self.model.frames[DIRECTORY0].words)
        self.add((CLONE, name), "", "")

    def clear(self, name: int) -> None:
        """All that a page holds becomes 0, by stores of the guest's own. The page must be writable."""
        self.model.frames[name].words = {}
        self.add((CLEAR, name), "", "")

    def sweep(self, name: int, value: int) -> None:
        """An entry in each slot of a directory in turn: the judge knows the answers."""
        words = self.model.frames[name].words
        answers = []
        for slot in range(ENTRIES):
            if slot < SLOTS and (words.get(slot, EMPTY) & P or slot == 767 and 768 in words or 769 <= slot < 800):
                answers.append(None)  # what the directory that we started with holds
                continue
            errors = self.model.attempt(self.model.write_entry, name, slot, value)
            if not errors:
                self.model.attempt(self.model.write_entry, name, slot, EMPTY)
            answers.append(errors or {0})
        self.add((SWEEP, name, name_of(value), value & 0xfff),
                 f"{described_entry(value)} in each slot of {said(name)}", "sweep", tuple(answers))

    def m2p(self, name: int, pfn: int) -> None:
        """Sets a page's word of the M2P and reads it; after that other domains' frames cannot be told by it."""
        self.call(Request(entry(name, M2P), raw(pfn)))
        self.add((TOUCH, OF_M2P, name, 0, RAW, 0), f"the M2P's word of {said(name)}", "touch", 0, 0, raw(pfn))
        self.add((TOUCH, OF_M2P, name, 1, RAW, 0), f"a store to the M2P's word of {said(name)}", "touch", 1, 3, EMPTY)

    # ---- on the host alone ----

    def counts(self) -> None:
        """The counts of all pages as the hypervisor has them, and what an auditor says that knows its own rules."""
        want = tuple((f.refs, f.uses, f.valid | f.pinned << 1) for f in self.page_frames())
        self.add((COUNTS,), "references, uses, and whether valid (1) and pinned (2), of all pages", "counts", want)

    def page_frames(self) -> list[Frame]:
        return [self.model.frames[PAGE | i] for i in range(self.pages)]

    def give_up(self, name: int) -> None:
        """Takes a page out of the domain's reservation; it is free if nothing else held it."""
        frame = self.model.frames[name]
        frame.refs -= 1
        self.add((GIVE_UP, name), f"{said(name)} given up: references, and whether it is free", "given", frame.refs,
                 int(frame.refs == 0))

    def stale(self, at: int) -> None:
        """A store through whatever the processor may remember of an address, where it may remember nothing."""
        self.add((STALE, 0, at, RAW, 0x1f), f"a store through what the processor may remember of {at:#x}", "stale", 0)

    # ---- either ----

    def compare(self, name: int) -> None:
        self.add((COMPARE, name), f"slots of the hypervisor's in {said(name)} that are not its own", "compare", 0)

    def encode(self) -> bytes:
        return observe.encode((self.pages, *(s.told for s in self.steps), 0))


def encode(given: dict) -> bytes:
    return given["script"].encode()


def said(name: int) -> str:
    kind, n = name >> 28, name & 0xfffffff
    return (f"page {n}", f"frame {n:#x}", "the first directory" if n == 0 else "a first table",
            f"another domain's frame ({n})", f"a frame of no domain ({n})", "the shared page")[kind]


def said_at(kind: int, at: int) -> str:
    return f"{said(at)}'s own address" if kind == OWN else hex(at)


FLAG_NAMES = ((P, "P"), (RW, "RW"), (US, "US"), (PWT, "PWT"), (PCD, "PCD"), (A, "A"), (D, "D"), (PS, "PS"), (G, "G"))


def described_entry(e: int) -> str:
    if e == EMPTY:
        return "0"
    flags = "+".join(name for bit, name in FLAG_NAMES if e & bit)
    return f"{said(name_of(e))} {flags or '-'}" + (f"+{e & AVL:#x}" if e & AVL else "")


def described(r: Request) -> str:
    kind, name = r.where & 3, name_of(r.where)
    if kind == WRITE:
        return f"[{said(name)}, {(r.where & 0xffc) // 4}] = {described_entry(r.value)}"
    if kind == M2P:
        return f"M2P[{said(name)}]"
    names = ("pin table", "pin directory", "unpin", "new base", "flush", "invlpg")
    code = r.value & 0xfff
    return f"{names[code] if code < len(names) else f'command {code}'} {said(name)}"


# ---- judging ----

def numbers(seen: Seen, pages: int, domain: int) -> dict[int, int]:
    """The frame numbers behind the names."""
    found = {PAGE | i: seen.one("page", i, domain).mfn for i in range(pages)}
    return found | {BOOT | i: seen.one("boot", i, domain).mfn for i in range(2)}


def number(value: int, frames: dict[int, int]) -> int:
    name = name_of(value)
    if name >> 28 << 28 == RAW:
        return (name & 0xfffff) << 12 | value & 0xfff
    return frames[name] << 12 | value & 0xfff


def judge(exercise: str, script: Script, seen: Seen, domain: int = 0) -> Iterator[Finding]:
    frames = numbers(seen, script.pages, domain)
    for key, step in enumerate(script.steps):
        if not step.tag:
            continue
        got = seen.one(step.tag, key, domain)
        if step.tag == "sweep":
            yield from judge_sweep(exercise, step, got.answers)
            continue
        if step.tag == "counts":
            wrong = list(judge_counts(exercise, f"step {key}", step.want[0], got.bytes, seen.one("audit", key, domain).text))
            yield from wrong
            if wrong:
                return
            continue
        want, have = list(step.want), list(got.fields.values())
        if step.tag == "touch":  # what the processor may set in an entry is its own affair
            table = name_of(want[2]) >> 28 << 28 != RAW
            want[2] = number(want[2], frames) & ~(A | D if table else 0)
            have[2] &= ~(A | D if table else 0)
        if not all(fits(w, h) for w, h in zip(want, have, strict=True)):
            yield Finding(exercise, f"step {key}, {step.what}: {', '.join(got.fields)}",
                          ", ".join(map(shown, want)), ", ".join(map(str, have)))
            return  # what follows builds on it


def fits(want: int | frozenset[int] | None, got: int) -> bool:
    return want is None or (got in want if isinstance(want, frozenset) else got == want)


def shown(want: int | frozenset[int] | None) -> str:
    if want is None:
        return "any"
    return " or ".join(map(str, sorted(want))) if isinstance(want, (frozenset, set)) else str(want)


def judge_sweep(exercise: str, step: Step, answers: bytes) -> Iterator[Finding]:
    for slot, want in enumerate(step.want[0]):
        got = int.from_bytes(answers[slot:slot + 1], "little", signed=True) if slot < len(answers) else None
        if want is not None and got not in want:
            yield Finding(exercise, f"{step.what}: slot {slot}", shown(want), got)
            return


def judge_counts(exercise: str, when: str, want: tuple, counts: bytes, audit: bytes) -> Iterator[Finding]:
    got = tuple(zip(counts[0::3], counts[1::3], counts[2::3]))
    for i, (w, g) in enumerate(zip(want, got)):
        if w != g:
            yield Finding(exercise, f"{when}, page {i}: references, uses, valid (1) and pinned (2)", w, g)
            return
    if len(got) != len(want):
        yield Finding(exercise, f"{when}: pages that were counted", len(want), len(got))
    if audit:
        yield Finding(exercise, f"{when}: what is wrong in the tables or could be remembered of them", "nothing",
                      audit.decode(errors="replace"))


def used_frames(outside: Outside, frames: int) -> set[int]:
    """Which of the machine's frames the M2P has a number for. Where it cannot be read zeros are taken for it."""
    pages = (outside.read(outside.translate(M2P_TABLE + at) or 0, 4096).ljust(4096, b"\0") for at in range(0, 4 * frames, 4096))
    return {mfn for mfn, pfn in enumerate(struct.unpack(f"<{frames}I", b"".join(pages))) if pfn != NO_PFN}


def judge_neighbour(exercise: str, seen: Seen, outside: Outside) -> Iterator[Finding]:
    """Domain 0, which did nothing wrong, and the hypervisor."""
    got = seen.one("neighbour")
    if (got.good, got.same) != (got.asked, 1):
        yield Finding(exercise, "the other domain: good answers, and whether its memory and tables are as before",
                      (got.asked, 1), (got.good, got.same))
    if (canary := int.from_bytes(outside.variable("stack_canary"), "little")) != CANARY:
        yield Finding(exercise, "the word half-way down the hypervisor's stack", CANARY, canary)
