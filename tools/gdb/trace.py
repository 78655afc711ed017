# SPDX-License-Identifier: MIT
"""What a debug build remembers of its last calls, exceptions and words (src/trace.h), read as one block."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import gdb

from .command import Failure, clean
from .model import hypervisor, variable, whole

NO_DOMAIN = 0xFFFF  # the hypervisor itself

Record = TypeVar("Record")


@dataclass(frozen=True)
class Call:
    number: int  # of the record: of two, the one with the lesser number came first
    domain: int
    entry: bool  # of a multicall
    entered: bool  # a handler was found
    returned: bool
    call: int
    handler: int
    args: tuple[int, ...]
    eip: int  # behind the caller's INT
    result: int

    @property
    def failed(self) -> bool:
        return self.returned and -4096 < self.result < 0


@dataclass(frozen=True)
class Exception_:
    number: int
    domain: int
    own: bool  # it was the hypervisor that faulted
    mended: bool  # nobody heard of it
    vector: int
    error: int
    eip: int
    cs: int
    address: int


@dataclass(frozen=True)
class Words:
    """What was said at a death."""

    number: int
    domain: int
    start: int  # where it was found, in the hypervisor
    text: str
    regs: dict[str, int]  # empty: it was no fault


@dataclass(frozen=True)
class Trace:
    """Each kind from the oldest to the newest."""

    calls: tuple[Call, ...]
    exceptions: tuple[Exception_, ...]
    words: tuple[Words, ...]


def kept() -> bool:
    """Whether this hypervisor remembers anything: it is a debug build."""
    return hypervisor().lookup_static_symbol("trace") is not None


def read() -> Trace:
    if not kept():
        raise Failure("this hypervisor remembers nothing: debug builds do, build/atelier-debug.elf")
    trace = whole(variable("trace", "trace.c"))
    return Trace(_ring(trace, "calls", "call_count", _call), _ring(trace, "exceptions", "exception_count", _exception),
                 _ring(trace, "words", "words_count", _words))


def _ring(trace: gdb.Value, name: str, counter: str, make: Callable[[gdb.Value], Record]) -> tuple[Record, ...]:
    ring, count = trace[name], int(trace[counter])
    size = ring.type.range()[1] + 1
    return tuple(make(ring[i % size]) for i in range(max(count - size, 0), count))


def _call(r: gdb.Value) -> Call:
    return Call(int(r["number"]), int(r["domain"]), bool(r["entry"]), bool(r["entered"]), bool(r["returned"]), int(r["call"]),
                int(r["handler"]), tuple(int(r["args"][i]) for i in range(5)), int(r["eip"]), int(r["result"]))


def _exception(r: gdb.Value) -> Exception_:
    return Exception_(int(r["number"]), int(r["domain"]), bool(r["own"]), bool(r["mended"]), int(r["vector"]), int(r["error"]),
                      int(r["eip"]), int(r["cs"]), int(r["address"]))


def _words(r: gdb.Value) -> Words:
    regs = r["regs"]
    return Words(int(r["number"]), int(r["domain"]), int(r["from"]), clean(r["text"].string("latin-1")),
                 {field.name: int(regs[field.name]) for field in regs.type.fields()} if bool(r["has_regs"]) else {})
