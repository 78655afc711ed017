/* SPDX-License-Identifier: MIT */
/* What the test guests of lab 4 share: descriptor tables, and what a selector leads to. */
#ifndef LAB4_PROBES_H
#define LAB4_PROBES_H

#include "hypercall.h"
#include "mini.h"
#include "paging.h"
#include "segment.h"
#include "trap.h"

#define NOTHING		0xffffffffu	/* in place of a vector: no trap came */

enum { TABLE_GDT, TABLE_LDT, TABLE_KINDS };

enum { PROBE_LOAD, PROBE_READ, PROBE_BYTE, PROBE_WRITE };

struct probe {
	uint32_t selector, offset, kind, value;
};

static inline void do_probe(void *arg)
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

/* The next one that the judge asks for. */
static inline void probe(void)
{
	static uint32_t key;
	struct probe p = { .selector = input_word(), .offset = input_word(), .kind = input_word() };
	struct fault fault = try_call(do_probe, &p);

	gs_load(0);
	observe("probe vector error address value", key++,
		fault.happened ? fault.vector : NOTHING, fault.error, fault.address, p.value);
}

/* How the pages of a table are mapped at their own addresses. */
static inline void protect(uint64_t *table, uint32_t pages, uint32_t flags)
{
	for (uint32_t i = 0; i < pages; i++)
		if (page_protect(table + i * GDT_ENTRIES_A_FRAME, flags))
			panic("a page cannot be protected with %x", flags);
}

static inline int load_table(unsigned int kind, uint64_t *table, uint32_t entries)
{
	uint32_t list[GDT_FRAMES], pages = (entries + GDT_ENTRIES_A_FRAME - 1) / GDT_ENTRIES_A_FRAME;

	if (kind == TABLE_LDT)
		return hypercall_set_ldt(entries ? table : NULL, entries);
	for (uint32_t i = 0; i < pages; i++)
		list[i] = page_mfn(table + i * GDT_ENTRIES_A_FRAME);
	return hypercall_set_gdt(list, entries);
}

#endif
