# SPDX-License-Identifier: MIT
"""The format of observations: what is read, and that nothing incomplete is ever taken for complete."""

import struct
import unittest
from random import Random

from atelier_grader import observe
from atelier_grader.observe import END, HEADER, MORE, PAGE, RECORD, TAG_END, TAG_NAME, Malformed, Unseen

MAGIC = bytes(range(200, 216))


def record(tag, key, payload, more=0):
    return RECORD.pack(tag, len(payload) | more, key) + payload + bytes(-len(payload) % 4)


def name(number, text):
    return record(TAG_NAME, number, text.encode())


def end(records, lost=0, overrun=0):
    return record(TAG_END, 0, END.pack(records, lost, overrun))


def page(*records, index=0, domain=0, used=None):
    body = b"".join(records)
    used = HEADER.size + len(body) if used is None else used
    return (HEADER.pack(MAGIC, index, used, domain, 0) + body).ljust(PAGE, b"\0")


READ = name(1, "read result:int sector")
TWO = (READ, record(1, 0, struct.pack("<iI", -14, 7)), record(1, 1, struct.pack("<iI", 0, 0xfc000000)))


class Reading(unittest.TestCase):
    def test_fields_are_named_and_signed_as_the_tag_says(self):
        seen = observe.parse([page(*TWO, end(3))])
        self.assertEqual((seen.one("read", 0).result, seen.one("read", 1).sector), (-14, 0xfc000000))
        self.assertEqual([o.key for o in seen.all("read")], [0, 1])
        self.assertEqual(seen.ended, {0})
        with self.assertRaisesRegex(AttributeError, "no field 'size'"):
            seen.one("read", 0).size

    def test_what_is_not_there_exactly_once_is_unseen(self):
        seen = observe.parse([page(*TWO, TWO[1])])
        for key, why in ((0, "observed 2 times"), (2, "never observed")):
            with self.assertRaisesRegex(Unseen, why):
                seen.one("read", key)
        with self.assertRaisesRegex(Unseen, "domain 1 was never"):
            seen.one("read", 1, domain=1)

    def test_pages_may_lie_in_any_order_and_domains_among_each_other(self):
        pages = [page(TWO[2], end(3), index=1), page(READ, TWO[1]), page(READ, domain=2)]
        seen = observe.parse(pages)
        self.assertEqual([o.key for o in seen.all("read")], [0, 1])
        self.assertEqual(seen.ended, {0})

    def test_long_bytes_come_in_pieces(self):
        pages = [page(name(1, "copy data:bytes"), record(1, 5, b"abcd", MORE)),
                 page(record(1, 5, b"efg"), end(3), index=1)]
        self.assertEqual(observe.parse(pages).one("copy", 5).data, b"abcdefg")

    def test_pages_are_found_at_page_addresses_only(self):
        memory = bytearray(8 * PAGE)
        memory[3 * PAGE:4 * PAGE] = page(*TWO)
        memory[5 * PAGE + 16:5 * PAGE + 32] = MAGIC
        self.assertEqual(observe.find_pages(bytes(memory), MAGIC), [page(*TWO)])

    def test_whatever_is_missing_twice_or_cut_off_is_refused(self):
        for why, pages in {
                "page 0 of domain 0 is missing": [page(*TWO, index=1)],
                "page 1 of domain 0 is missing": [page(*TWO), page(index=2)],
                "page 0 of domain 0 is there twice": [page(*TWO), page(*TWO)],
                "the same page twice": [page(*TWO)] * 2,
                "after the end": [page(*TWO, end(3), TWO[1])],
                "something after the end": [page(*TWO, end(3)), page(READ, index=1)],
                "4 records were written and 3": [page(*TWO, end(4))],
                "2 records were written and 3": [page(*TWO, end(2))],
                "1 observations were lost": [page(*TWO, end(3, lost=1))],
                "beyond the end of its input": [page(*TWO, end(3, overrun=2))],
                "is cut off": [page(*TWO, used=HEADER.size + len(b"".join(TWO)) - 4)],
                "record is cut off": [page(READ, used=HEADER.size + 4)],
                "which cannot be": [page(used=PAGE + 4)],
                "cannot be": [page(used=HEADER.size + 2)],
                "24 bytes are used": [page(used=24)],
                "tag 1 has no name": [page(TWO[1])],
                "named twice": [page(READ, READ)],
                "tag 0 is named twice, or cannot be": [page(name(0, "x"))],
                "breaks off at the end": [page(name(1, "c d:bytes"), record(1, 0, b"abcd", MORE))],
                "breaks off; were": [page(name(1, "c d:bytes"), record(1, 0, b"abcd", MORE), READ)],
                "breaks off;": [page(name(1, "c d:bytes"), record(1, 0, b"abcd", MORE), end(2))],
                "read has 4 bytes, and 2 fields": [page(READ, record(1, 0, bytes(4)))],
                "names domain 5000": [page(domain=5000)],
                "cut off": [page(*TWO)[:-1]]}.items():
            with self.subTest(why), self.assertRaises(Malformed) as raised:
                observe.parse(pages)
            if why != "the same page twice":
                self.assertIn(why, str(raised.exception))

    def test_tags_that_a_guest_may_not_use(self):
        for text in ("", "a ", "a b b", "a b:float", "a x:bytes y", "a key", "a :int", "a\nb", "x" * 257):
            with self.subTest(text), self.assertRaises(Malformed):
                observe.parse([page(name(1, text))])

    def test_output_of_a_program_is_pages_and_nothing_else(self):
        pages = page(*TWO) + page(index=1)
        self.assertEqual(len(observe.split_output(pages, MAGIC)), 2)
        for output, why in ((pages + b"PASS\n", "no number of pages"), (bytes(PAGE), "not the magic")):
            with self.assertRaisesRegex(Malformed, why):
                observe.split_output(output, MAGIC)

    def test_noise_is_refused_or_read_but_never_breaks_the_reader(self):
        rng = Random(1)
        whole = page(*TWO, end(3))
        for _ in range(3000):
            noisy = bytearray(whole)
            for _ in range(rng.randrange(1, 6)):
                noisy[rng.randrange(16, 120)] = rng.randrange(256)
            try:
                observe.parse([bytes(noisy)])
            except Malformed:
                continue


class Encoding(unittest.TestCase):
    def test_each_kind_of_value(self):
        for given, want in (
                ({"a": 1, "b": -1}, struct.pack("<Ii", 1, -1)),
                ({"a": True}, struct.pack("<I", 1)),
                ({"a": [7, 8]}, struct.pack("<III", 2, 7, 8)),
                ({"a": (7, 8)}, struct.pack("<II", 7, 8)),
                ({"a": [(1, 2), (3, 4)]}, struct.pack("<IIIII", 2, 1, 2, 3, 4)),
                ({"a": b"xyz"}, struct.pack("<I4s", 3, b"xyz")),
                ({"a": "\u00e4"}, struct.pack("<I4s", 2, b"\xc3\xa4")),
                ({}, b"")):
            self.assertEqual(observe.encode(given), want)

    def test_what_does_not_fit_is_refused(self):
        for value in (1 << 32, -(1 << 31) - 1, 1.5, None, bytes(observe.MAX_INPUT)):
            with self.assertRaises(ValueError):
                observe.encode({"a": value})


if __name__ == "__main__":
    unittest.main()
