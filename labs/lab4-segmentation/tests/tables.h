/* SPDX-License-Identifier: MIT */
/*
 * What the tests of tables share: a guest that fills one descriptor table after the other as the judge says, has it loaded, shows what
 * stands in it then, and goes through its selectors. The judge (lab4_model.py) works out what the processor must say.
 */
#ifndef LAB4_TABLES_H
#define LAB4_TABLES_H

#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"
#include "segment.h"
#include "trap.h"

#define NOTHING		0xffffffffu	/* in place of a vector: no trap came */

enum { TABLE_GDT, TABLE_LDT, TABLE_KINDS };

/* Each kind has two places for a table: the one in use cannot be written. */
static struct {
	uint64_t *place[2];
	unsigned int used;
} tables[TABLE_KINDS];

enum { PROBE_LOAD, PROBE_READ, PROBE_BYTE, PROBE_WRITE };

struct probe {
	uint32_t selector, offset, kind, value;
};

static void do_probe(void *arg)
{
	struct probe *p = arg;

	gs_load(p->selector);
	if (p->kind == PROBE_READ)
		p->value = gs_read(p->offset);
	else if (p->kind == PROBE_BYTE)
		asm volatile("movzbl %%gs:(%1), %0" : "=r" (p->value) : "r" (p->offset) : "memory");
	else if (p->kind == PROBE_WRITE)
		gs_write(p->offset, p->value);
}

static void probe(uint32_t key)
{
	struct probe p = { .selector = input_word(), .offset = input_word(), .kind = input_word() };
	struct fault fault = try_call(do_probe, &p);

	gs_load(0);
	observe("probe vector error address value", key,
		fault.happened ? fault.vector : NOTHING, fault.error, fault.address, p.value);
}

static void protect(uint64_t *table, uint32_t pages, uint32_t flags)
{
	for (uint32_t i = 0; i < pages; i++)
		if (page_protect(table + i * GDT_ENTRIES_A_FRAME, flags))
			panic("a page cannot be protected with %x", flags);
}

static int load_table(unsigned int kind, uint64_t *table, uint32_t entries)
{
	uint32_t list[GDT_FRAMES], pages = (entries + GDT_ENTRIES_A_FRAME - 1) / GDT_ENTRIES_A_FRAME;

	if (kind == TABLE_LDT)
		return hypercall_set_ldt(entries ? table : NULL, entries);
	for (uint32_t i = 0; i < pages; i++)
		list[i] = page_mfn(table + i * GDT_ENTRIES_A_FRAME);
	return hypercall_set_gdt(list, entries);
}

/* [kind, entries, [index, low, high], [index to show], [selector, offset, kind of probe]] */
static void do_round(uint32_t round, uint32_t *shown, uint32_t *probed)
{
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
	observe("table answer:int", round, answer);
	for (count = input_word(); count > 0; count--) {
		uint32_t i = input_word();

		observe("shown low high", (*shown)++, table[i], table[i] >> 32);
	}
	for (count = input_word(); count > 0; count--)
		probe((*probed)++);
}

static void do_rounds(void)
{
	uint32_t count = input_word(), shown = 0, probed = 0;

	if (trap_init())
		panic("no trap table");
	for (unsigned int kind = 0; kind < TABLE_KINDS; kind++)
		for (unsigned int i = 0; i < 2; i++)
			tables[kind].place[i] = page_alloc_run(GDT_FRAMES);
	for (uint32_t i = 0; i < count; i++)
		do_round(i, &shown, &probed);
}

#endif
