// SPDX-License-Identifier: MIT
/*
 * Domain 0 of the hostile tests: works with descriptor tables of its own while others misbehave.
 * "rounds=" is enough for them to come to their end. At both ends it counts the machine's free
 * frames: those for which the M2P has no pseudo-physical frame.
 */
#include "hypercall.h"
#include "mini.h"
#include "paging.h"
#include "segment.h"
#include "trap.h"

#define SLOT		3
#define SELECTOR	(SLOT << 3 | 1)
#define LDT_SELECTOR	(SLOT << 3 | 4 | 1)

static uint32_t free_frames(uint32_t frames)
{
	uint32_t free = 0;

	for (uint32_t mfn = 0; mfn < frames; mfn++)
		free += mfn_pfn(mfn) == ATELIER_NO_PFN;
	return free;
}

static uint64_t *make_table(uint32_t *word)
{
	uint64_t *table = page_alloc();

	table[SLOT] = segment_descriptor((uint32_t)word, 7, SEGMENT_DATA3);
	return table;
}

static uint32_t read_through(uint32_t selector)
{
	uint32_t value;

	gs_load(selector);
	value = gs_read(0);
	gs_load(0);
	return value;
}

int test_main(const struct start_info *start)
{
	uint32_t rounds = argument_number("rounds", 300), machine = argument_number("machine", 0), good = 0;
	uint32_t *words = page_alloc(), before = free_frames(machine);
	uint64_t *gdt = make_table(words), *ldt = make_table(words + 1), other;

	words[0] = 0x0dd5;
	words[1] = 0x1d7;
	words[2] = 0xe7e7;
	if (trap_init() || gdt_load(gdt, SLOT + 1) || ldt_load(ldt, SLOT + 1))
		panic("the neighbour's tables are refused");
	for (uint32_t i = 0; i < rounds; i++) {
		other = segment_descriptor((uint32_t)&words[i % 2 ? 2 : 0], 7, SEGMENT_DATA3);
		good += hypercall_update_descriptor(machine_address(&gdt[SLOT]), other, other >> 32) == 0;
		good += hypercall_yield() == 0;
		good += read_through(SELECTOR) == words[i % 2 ? 2 : 0];
		good += read_through(LDT_SELECTOR) == words[1];
	}
	observe("neighbour asked good", 0, 4 * rounds, good);
	observe("free before after", 0, before, free_frames(machine));
	return 0;
}
