/* SPDX-License-Identifier: MIT */
/*
 * Observations: what a test guest saw, left where the grader finds it.
 *
 * A guest does not say whether a test passed. It writes down return codes, bytes, orders and
 * counts; the judge on the host (labs/.../tests/X.py) works out what is right. The grader finds
 * the pages by a magic number that is fresh in each run, in a dump of the machine's memory, or on
 * the standard output of a program of the host. What it cannot read completely is a failure, never
 * a pass.
 *
 * Invariant: between two calls of this file the pages hold whole records only, and every record
 * that was not written is counted in the end record.
 *
 * The format is in grader/atelier_grader/observe.py. This file needs nothing but <stdint.h>: the
 * caller gives the pages.
 */
#ifndef MINI_OBSERVE_H
#define MINI_OBSERVE_H

#include <stdint.h>

#define OBSERVE_PAGE	4096
#define OBSERVE_TAGS	64	/* different tags of one guest */

/*
 * Starts writing. @pages is @count pages (1 to 4,096) of OBSERVE_PAGE bytes, page-aligned, used
 * for nothing else and never copied. @magic is the 32 hexadecimal digits that follow "magic=" on
 * the command line; with NULL or anything else nobody watches, and every call below does nothing.
 * @domain is "domain=".
 */
void observe_open(void *pages, unsigned int count, const char *magic, unsigned int domain);

/*
 * Writes one record of @count words. @tag names the record and its fields, apart by one blank:
 *
 *   observe("read result:int sector", i, result, sector);
 *
 * and the judge says seen.one("read", i).result. A field is an unsigned word, "name:int" a signed
 * one. The same tag text must come with the same number of words. @key tells records of a tag
 * apart.
 */
#define observe(tag, key, ...) \
	observe_words((tag), (key), (const uint32_t[]){ __VA_ARGS__ }, \
		      sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

void observe_words(const char *tag, uint32_t key, const uint32_t *words, unsigned int count);

/*
 * Writes one record of @length bytes, however long. The tag has one field, as in "copy
 * data:bytes".
 */
void observe_bytes(const char *tag, uint32_t key, const void *bytes, uint32_t length);

/*
 * Writes the end record: what a guest that ran to its end has and a guest that died has not.
 * Nothing can be observed after it.
 */
void observe_end(void);

/*
 * A place that the grader counts at: its counters are noted at each call (QEMU only), and a judge
 * compares two of them ("between these marks the hypervisor was entered 0 times"). Does nothing
 * else.
 */
void observe_mark(void);

/*
 * How many pages were begun; 0 before observe_open(). A program of the host writes these to its
 * output.
 */
unsigned int observe_pages(void);

/*
 * Reading what the judge drew for this run (its inputs(), encoded as observe.py says): the
 * domain's boot module, or standard input. @input must stay where it is.
 */
void input_open(const void *input, uint32_t length);

/*
 * The next word. Reading beyond the end gives 0 and is reported in the end record: a guest and a
 * judge that disagree about the encoding are told so.
 */
uint32_t input_word(void);

/* The next byte string: its first byte, 4-byte aligned as @input is, and its length in @length. */
const uint8_t *input_bytes(uint32_t *length);

#endif
