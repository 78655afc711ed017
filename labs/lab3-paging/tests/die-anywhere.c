// SPDX-License-Identifier: MIT
/*
 * Domain 0 while others build up page tables and die. It maps a frame of the first one, keeps it beyond that one's death, lets it
 * go before the last one dies, and counts whose the frames are at each stage, by what the M2P says.
 */
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

#define ARENA	0x40000000u
#define FRAMES	8192u	/* of 32 MiB */
#define VICTIM	1u

/* Frames in use that are not ours. */
static bool is_foreign(uint32_t mfn)
{
	uint32_t pfn = mfn_pfn(mfn);

	return pfn != ATELIER_NO_PFN && (pfn >= start_info->frames || pfn_mfn(pfn) != mfn);
}

static void census(uint32_t stage)
{
	uint32_t foreign = 0, nobody = 0;

	for (uint32_t mfn = 0; mfn < FRAMES; mfn++) {
		foreign += is_foreign(mfn);
		nobody += mfn_pfn(mfn) == ATELIER_NO_PFN;
	}
	observe("census foreign nobody", stage, foreign, nobody);
}

static int map_foreign(uint32_t mfn, uint32_t flags)
{
	return hypercall_update_va_mapping(ARENA, mfn << PAGE_SHIFT | flags, UVM_INVLPG, VICTIM);
}

/* The @n-th frame that domain 1 has; the mapping stays. */
static uint32_t take_frame(uint32_t n)
{
	for (uint32_t mfn = 0; mfn < FRAMES; mfn++)
		if (is_foreign(mfn) && map_foreign(mfn, PTE_P) == 0 && n-- == 0)
			return mfn;
	panic("domain 1 has no frame");
}

static void yield(uint32_t rounds)
{
	while (rounds-- > 0)
		hypercall_yield();
}

int test_main(const struct start_info *start)
{
	uint32_t n = input_word(), rounds = input_word(), mfn, word;
	volatile uint32_t *held = (volatile uint32_t *)ARENA;

	if (table_add((uint32_t *)start->directory, ARENA))
		panic("no page table");
	census(0);
	mfn = take_frame(n);
	word = *held;
	observe("held mfn", 0, mfn);

	yield(rounds);
	census(1);
	observe("kept pfn same answer:int", 0, mfn_pfn(mfn), *held == word,
		hypercall_update_va_mapping(ARENA + PAGE_SIZE, mfn << PAGE_SHIFT | PTE_P, UVM_NONE, VICTIM));
	observe("let-go answer:int", 0, page_map(ARENA, 0, 0));

	yield(2 * rounds);
	census(2);
	observe_bytes("own frames:bytes", 0, (const void *)start->p2m, 4 * start->frames);
	return 0;
}
