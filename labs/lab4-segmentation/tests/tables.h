/* SPDX-License-Identifier: MIT */
/*
 * What the tests of tables share: a guest that fills one descriptor table after the other as the
 * judge says, has it loaded, shows what stands in it then, and goes through its selectors. The
 * judge (lab4_model.py) works out what the processor must say.
 */
#ifndef LAB4_TABLES_H
#define LAB4_TABLES_H

#include "lib/string.h"
#include "probes.h"

/* Each kind has two places for a table: the one in use cannot be written. */
static struct {
	uint64_t *place[2];
	unsigned int used;
} tables[TABLE_KINDS];

/* [kind, entries, [index, low, high], [index to show], [selector, offset, kind of probe]] */
static void do_round(void)
{
	static uint32_t round, shown;
	unsigned int kind = input_word();
	uint32_t entries = input_word(), pages = (entries + GDT_ENTRIES_A_FRAME - 1) / GDT_ENTRIES_A_FRAME, count;
	uint64_t *table = tables[kind].place[!tables[kind].used];
	int answer;

	protect(table, pages, PTE_P | PTE_RW | PTE_A | PTE_D);
	memset(table, 0, pages * PAGE_SIZE);
	for (count = input_word(); count > 0; count--) {
		uint32_t i = input_word(), low = input_word();

		table[i] = (uint64_t)input_word() << 32 | low;
	}
	protect(table, pages, PTE_P | PTE_A);
	answer = load_table(kind, table, entries);
	if (answer == 0)
		tables[kind].used = !tables[kind].used;
	observe("table answer:int", round++, answer);
	for (count = input_word(); count > 0; count--) {
		uint32_t i = input_word();

		observe("shown low high", shown++, table[i], table[i] >> 32);
	}
	for (count = input_word(); count > 0; count--)
		probe();
}

static void tables_open(void)
{
	if (trap_init())
		panic("no trap table");
	for (unsigned int kind = 0; kind < TABLE_KINDS; kind++)
		for (unsigned int i = 0; i < 2; i++)
			tables[kind].place[i] = page_alloc_run(GDT_FRAMES);
}

static void do_rounds(void)
{
	for (uint32_t count = input_word(); count > 0; count--)
		do_round();
}

/* Where entry @i of the table in use is. */
static inline uint64_t *table_entry(unsigned int kind, uint32_t i)
{
	return tables[kind].place[tables[kind].used] + i;
}

#endif
