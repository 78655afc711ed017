# SPDX-License-Identifier: MIT
"""Reads what test guests observed, from a dump of the machine's memory or a program's output.

guestos/mini/observe.c writes this format; all numbers are little-endian.

A page has 4,096 bytes and is page-aligned in physical memory:

    16 bytes  the magic of this run; nothing else in the machine has it at the start of a page
    u32       index of the page, from 0, for each domain
    u32       bytes used, this header included
    u16       domain
    u16       0

and then records, none of which crosses a page:

    u16       tag
    u16       length of the payload; with bit 15 set the payload goes on in the next record of this tag
    u32       key
    payload, padded with zeros to a multiple of 4

Tag 0 names a tag: the key is its number, the payload its text: a name and the names of its fields,
apart by one blank. A field is an unsigned word, "x:int" a signed one, and "x:bytes", which must be the
only one, all of the payload. Tag 0x7fff ends what a domain has to say: three words, the number of
records before it, the number of records that could not be written, and the number of reads beyond
the end of the input.

Whatever is missing, twice there, cut off or out of order is Malformed, never a pass: pages must be
0, 1, 2 ... of each domain, once each; records must fill the used part exactly; the end record must
be the last, and its count right. Whether a domain has ended is told to the caller, as a domain may
have been meant to die. The reading is one pass, with limits, over bytes that are not to be trusted.

What a judge draws for a guest (`given`) goes the other way, as `encode` says; input_word() and
input_bytes() of observe.h read it:

    an int or bool       one u32 (negative ones as two's complement)
    bytes, str           u32 length, the bytes (UTF-8), zeros up to a multiple of 4
    a list               u32 number of items, then the items
    a tuple or a dict    the items or values one after the other, no length: like a struct
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .emulator import Memory

PAGE = 4096
HEADER = struct.Struct("<16sIIHH")
RECORD = struct.Struct("<HHI")
END = struct.Struct("<III")
TAG_NAME = 0
TAG_END = 0x7fff
MORE = 0x8000

MAX_PAGES = 4096  # of all domains
MAX_DOMAIN = 1024
MAX_TEXT = 256  # bytes of a tag's text
MAX_INPUT = 1 << 20
RESERVED = {"domain", "tag", "key"}


class Malformed(Exception):
    """The observations cannot be read completely. One line: where and what."""


class Unseen(Exception):
    """A judge asked for an observation that never came, or came twice. One line."""


@dataclass(frozen=True)
class Observation:
    """One record; its fields are attributes, as its tag names them."""

    domain: int
    tag: str
    key: int
    fields: Mapping[str, int | bytes]

    def __getattr__(self, name: str) -> int | bytes:
        try:
            return self.__dict__["fields"][name]
        except KeyError:
            raise AttributeError(f"the guest's tag {self.tag!r} has no field {name!r}") from None


@dataclass(frozen=True)
class Seen:
    """All observations of a run, in the order in which each domain made them."""

    observations: tuple[Observation, ...]
    ended: frozenset[int]  # domains whose end record is there
    _index: Mapping[tuple[int, str, int], tuple[Observation, ...]] = field(repr=False, default_factory=dict)

    def all(self, tag: str, domain: int = 0) -> list[Observation]:
        """Every observation of a tag, in order. An empty list if there is none."""
        return [o for o in self.observations if o.tag == tag and o.domain == domain]

    def one(self, tag: str, key: int = 0, domain: int = 0) -> Observation:
        """The one observation of a tag with this key; that there is not exactly one is a finding."""
        found = self._index.get((domain, tag, key), ())
        if len(found) == 1:
            return found[0]
        times = "never observed" if not found else f"observed {len(found)} times"
        raise Unseen(f"{tag} {key} of domain {domain} was {times}")


@dataclass(frozen=True)
class _Tag:
    name: str
    fields: tuple[tuple[str, str], ...]  # name, kind


def find_pages(memory: Memory, magic: bytes) -> list[bytes]:
    """Every page of a dump that starts with the magic."""
    places = pages_that_start(memory, magic)
    if len(places) > MAX_PAGES:
        raise Malformed(f"there are more than {MAX_PAGES} pages of observations")
    return [memory[at:at + PAGE] for at in places]


def pages_that_start(memory: Memory, words: bytes) -> list[int]:
    """Where the pages of a dump are that start with these bytes."""
    return [at for at in range(0, len(memory), PAGE) if memory[at:at + len(words)] == words]


def split_output(output: bytes, magic: bytes) -> list[bytes]:
    """The pages that a program of the host wrote: nothing else may be in its output."""
    if len(output) % PAGE:
        raise Malformed(f"the program wrote {len(output)} bytes, which is no number of pages")
    pages = [output[at:at + PAGE] for at in range(0, len(output), PAGE)]
    if len(pages) > MAX_PAGES:
        raise Malformed(f"there are more than {MAX_PAGES} pages of observations")
    for i, page in enumerate(pages):
        if page[:16] != magic:
            raise Malformed(f"page {i} of the program's output has not the magic of this run")
    return pages


def parse(pages: Iterable[bytes]) -> Seen:
    """Reads the pages of a run, in whatever order they were found."""
    by_domain: dict[int, dict[int, bytes]] = {}
    for page in pages:
        if len(page) != PAGE:
            raise Malformed("a page of observations is cut off")
        _, index, _, domain, _ = HEADER.unpack_from(page)
        if domain > MAX_DOMAIN:
            raise Malformed(f"a page of observations names domain {domain}")
        pages_of_domain = by_domain.setdefault(domain, {})
        if index in pages_of_domain:
            raise Malformed(f"page {index} of domain {domain} is there twice")
        pages_of_domain[index] = page

    observations: list[Observation] = []
    ended = set()
    for domain, numbered in sorted(by_domain.items()):
        if sorted(numbered) != list(range(len(numbered))):
            missing = min(set(range(len(numbered))) - set(numbered))
            raise Malformed(f"page {missing} of domain {domain} is missing")
        reader = _Reader(domain)
        for index in range(len(numbered)):
            reader.read_page(index, numbered[index])
        if reader.partial is not None:
            raise Malformed(f"an observation of domain {domain} breaks off at the end of its last page")
        observations += reader.observations
        if reader.ended:
            ended.add(domain)

    index: dict[tuple[int, str, int], list[Observation]] = {}
    for o in observations:
        index.setdefault((o.domain, o.tag, o.key), []).append(o)
    return Seen(tuple(observations), frozenset(ended), {k: tuple(v) for k, v in index.items()})


class _Reader:
    """Reads the pages of one domain in order."""

    def __init__(self, domain: int):
        self.domain = domain
        self.observations: list[Observation] = []
        self.tags: dict[int, _Tag] = {}
        self.records = 0
        self.ended = False
        self.partial: tuple[int, int, bytearray] | None = None  # tag, key, payload so far

    def fail(self, index: int, what: str) -> Malformed:
        return Malformed(f"page {index} of domain {self.domain}: {what}")

    def read_page(self, index: int, page: bytes) -> None:
        used = HEADER.unpack_from(page)[2]
        if not HEADER.size <= used <= PAGE or used % 4:
            raise self.fail(index, f"{used} bytes are used, which cannot be")
        at = HEADER.size
        while at < used:
            if self.ended:
                raise self.fail(index, "there is something after the end")
            if used - at < RECORD.size:
                raise self.fail(index, "the last record is cut off")
            tag, length, key = RECORD.unpack_from(page, at)
            more, length = length & MORE, length & ~MORE
            at += RECORD.size
            if length > used - at:
                raise self.fail(index, "the last record is cut off")
            payload = page[at:at + length]
            at += (length + 3) & ~3
            if tag == TAG_END:
                self.end(index, payload)
            else:
                self.piece(index, tag, key, payload, bool(more))
            self.records += 1

    def piece(self, index: int, tag: int, key: int, payload: bytes, more: bool) -> None:
        """A record, or a part of one."""
        if self.partial is None:
            self.partial = (tag, key, bytearray())
        if self.partial[:2] != (tag, key):
            raise self.fail(index, "an observation breaks off; were there too few pages?")
        self.partial[2].extend(payload)
        if not more:
            whole = bytes(self.partial[2])
            self.partial = None
            self.record(index, tag, key, whole)

    def record(self, index: int, tag: int, key: int, payload: bytes) -> None:
        if tag == TAG_NAME:
            self.name(index, key, payload)
            return
        if tag not in self.tags:
            raise self.fail(index, f"tag {tag} has no name")
        self.observations.append(
            Observation(self.domain, self.tags[tag].name, key, self.fields(index, tag, payload)))

    def name(self, index: int, number: int, payload: bytes) -> None:
        text = payload.decode("ascii", errors="replace")
        words = text.split(" ")
        kinds = [(name, kind or "word") for name, _, kind in (w.partition(":") for w in words[1:])]
        names = [name for name, _ in kinds]
        if (len(payload) > MAX_TEXT or not text.isprintable() or not all(words) or not all(names)
                or not {kind for _, kind in kinds} <= {"word", "int", "bytes"}
                or len(set(names)) != len(names) or RESERVED & set(names)
                or ("bytes" in dict(kinds).values() and len(kinds) != 1)):
            raise self.fail(index, f"no tag can be called {text[:40]!r}")
        if number in self.tags or not 0 < number < TAG_END:
            raise self.fail(index, f"tag {number} is named twice, or cannot be")
        self.tags[number] = _Tag(words[0], tuple(kinds))

    def fields(self, index: int, tag: int, payload: bytes) -> dict[str, int | bytes]:
        kinds = self.tags[tag].fields
        if [kind for _, kind in kinds] == ["bytes"]:
            return {kinds[0][0]: payload}
        if len(payload) != 4 * len(kinds):
            raise self.fail(index, f"{self.tags[tag].name} has {len(payload)} bytes, and {len(kinds)} fields")
        letters = "".join("i" if kind == "int" else "I" for _, kind in kinds)
        values = struct.unpack("<" + letters, payload)
        return dict(zip((name for name, _ in kinds), values, strict=True))

    def end(self, index: int, payload: bytes) -> None:
        if self.partial is not None or len(payload) != END.size:
            raise self.fail(index, "an observation breaks off; were there too few pages?")
        records, lost, overrun = END.unpack(payload)
        if lost:
            raise self.fail(index, f"{lost} observations were lost: too few pages, more than 64 tags, "
                                   "or one made inside another")
        if overrun:
            raise self.fail(index, f"the guest read {overrun} times beyond the end of its input")
        if records != self.records:
            raise self.fail(index, f"{records} records were written and {self.records} are there")
        self.ended = True


def encode(given: object) -> bytes:
    """The bytes of what a judge drew, as this file's text says. ValueError, one line, if it has none."""
    encoded = b"".join(_encode(given))
    if len(encoded) > MAX_INPUT:
        raise ValueError(f"the input of this test has {len(encoded)} bytes, more than {MAX_INPUT}")
    return encoded


def _encode(value: object) -> Iterator[bytes]:
    match value:
        case int():
            if not -(1 << 31) <= value < 1 << 32:
                raise ValueError(f"{value} does not fit a word; split it")
            yield struct.pack("<I", value & 0xffffffff)
        case bytes() | str():
            data = value.encode() if isinstance(value, str) else value
            yield struct.pack("<I", len(data)) + data + bytes(-len(data) % 4)
        case list():
            yield struct.pack("<I", len(value))
            for item in value:
                yield from _encode(item)
        case tuple():
            for item in value:
                yield from _encode(item)
        case dict():
            for item in value.values():
                yield from _encode(item)
        case _:
            raise ValueError(f"a guest cannot be given a {type(value).__name__}")
