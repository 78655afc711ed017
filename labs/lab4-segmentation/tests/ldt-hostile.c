// SPDX-License-Identifier: MIT
/*
 * LDTs that are not what they must be, each beside one that is: a page that is writable somewhere
 * else, a range over the line, a hole in the middle; and what is behind an address when the address
 * is used for something else afterwards. The pages lie at their own addresses and, for a while, in
 * the hole.
 */
#include "probes.h"

#define SLOT		7
#define SELECTOR	(SLOT << 3 | 4 | 1)
#define ENTRIES		GDT_ENTRIES_A_FRAME
#define READ_ONLY	(PTE_P | PTE_A)
#define READ_WRITE	(PTE_P | PTE_RW | PTE_A | PTE_D)

static uint32_t hole(uint32_t i)
{
	return (uint32_t)window_page(WINDOW_HOLE, i);
}

/* A read-only page with a descriptor whose first byte is @value. */
static uint64_t *make_ldt(uint8_t value)
{
	uint64_t *table = page_alloc();

	table[SLOT] = segment_descriptor((uint32_t)window_page(WINDOW_READONLY, 0) + value, 0, SEGMENT_DATA3);
	if (page_protect(table, READ_ONLY))
		panic("a page cannot be made read-only");
	return table;
}

static void ask(const char *what, uint32_t key, uint32_t va, uint32_t entries)
{
	observe(what, key, hypercall_set_ldt((const void *)va, entries));
}

/* What the selector shows, as a key's first byte. */
static void look(uint32_t key)
{
	struct probe p = { .selector = SELECTOR, .kind = PROBE_BYTE };
	struct fault fault = try_call(do_probe, &p);

	gs_load(0);
	observe("look vector error value", key, fault.happened ? fault.vector : NOTHING, fault.error, p.value);
}

static void try_alias(uint64_t *page, uint8_t value)
{
	uint64_t *other = make_ldt(value);

	page_map(hole(0), page_mfn(other), READ_WRITE);
	ask("writable-elsewhere answer:int", 0, (uint32_t)other, ENTRIES);
	look(1);			/* still the one before */
	page_map(hole(0), 0, 0);
	ask("not-any-more answer:int", 0, (uint32_t)other, ENTRIES);
	look(2);
	observe("alias-later answer:int", 0, page_map(hole(0), page_mfn(other), READ_WRITE));
	observe("own-later answer:int", 0, page_protect(other, READ_WRITE));
	observe("before-again answer:int", 0, page_protect(page, READ_WRITE));
}

static void try_ranges(void)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++) {
		uint32_t va = input_word();

		ask("range answer:int", i, va, input_word());
	}
	look(3);
}

/* In the hole: a page, none, a page. */
static void try_holes(uint8_t value)
{
	uint64_t *first = make_ldt(value), *third = make_ldt(value + 1), *other = make_ldt(value + 2);

	page_map(hole(0), page_mfn(first), READ_ONLY);
	page_map(hole(2), page_mfn(third), READ_ONLY);
	ask("hole answer:int", 0, hole(0), 3 * ENTRIES);
	ask("hole answer:int", 1, hole(0), ENTRIES + 1);
	ask("hole answer:int", 2, hole(1), ENTRIES);
	ask("before-hole answer:int", 0, hole(0), ENTRIES);
	look(4);

	page_map(hole(0), 0, 0);
	look(5);			/* unmapped: held all the same */
	observe("unmapped answer:int", 0, page_protect(first, READ_WRITE));
	page_map(hole(0), page_mfn(other), READ_ONLY);
	look(6);			/* replaced: still the first one */
	observe("replaced answer:int", 0, page_protect(first, READ_WRITE));
	ask("none answer:int", 0, 0, 0);
	look(7);
	observe("free-again answer:int", 0, page_protect(first, READ_WRITE));
}

/* A bad descriptor in the second of two pages. */
static void try_bad(uint8_t value)
{
	uint64_t *two = page_alloc_run(2);

	two[SLOT] = segment_descriptor((uint32_t)window_page(WINDOW_READONLY, 0) + value, 0, SEGMENT_DATA3);
	two[ENTRIES + 3] = segment_descriptor(0, 0, SEGMENT_DATA3 & ~SEGMENT_DPL(3));
	protect(two, 2, READ_ONLY);
	ask("bad answer:int", 0, (uint32_t)two, ENTRIES + 4);
	ask("good-part answer:int", 0, (uint32_t)two, ENTRIES);
	look(8);
}

int test_main(const struct start_info *start)
{
	uint8_t value = input_word();
	uint64_t *page;

	if (trap_init())
		panic("no trap table");
	page = make_ldt(value);
	ask("first answer:int", 0, (uint32_t)page, ENTRIES);
	look(0);
	try_alias(page, value + 1);
	try_ranges();
	try_holes(value + 2);
	try_bad(value + 5);
	return 0;
}
