// SPDX-License-Identifier: MIT
/*
 * Stores descriptors where it must not: in the reserved slots, through whichever frame; at
 * addresses that are not aligned; in frames of others; at the end of memory and behind it. Beside
 * each there is a place where it may.
 */
#include "probes.h"

/* [frame of the GDT, slot, bytes to add] */
static void do_own(uint32_t i, const uint64_t *gdt, uint64_t good)
{
	uint32_t frame = input_word(), slot = input_word(), add = input_word();
	const uint64_t *at = gdt + frame * GDT_ENTRIES_A_FRAME + slot;
	uint64_t before = *at;
	int answer = hypercall_update_descriptor(machine_address(at) + add, good, good >> 32);

	observe("own answer:int same good", i, answer, *at == before, *at == good);
}

/* The M2P has an entry for each of the machine's @known frames. */
static bool is_mine(uint32_t mfn, uint32_t known)
{
	uint32_t pfn = mfn < known ? mfn_pfn(mfn) : ATELIER_NO_PFN;

	return pfn < start_info->frames && pfn_mfn(pfn) == mfn;
}

/* One descriptor in each frame that is not the domain's, and some behind the machine's last one. */
static void do_foreign(uint64_t good)
{
	uint32_t known = input_word(), frames = input_word(), asked = 0, refused = 0, at;

	for (uint32_t mfn = 0; mfn < frames; mfn++) {
		if (is_mine(mfn, known))
			continue;
		asked++;
		at = mfn << PAGE_SHIFT | random_below(GDT_ENTRIES_A_FRAME) * sizeof(good);
		refused += hypercall_update_descriptor(at, good, good >> 32) < 0;
	}
	observe("foreign asked refused", 0, asked, refused);
}

int test_main(const struct start_info *start)
{
	uint64_t *gdt = page_alloc_run(GDT_FRAMES), good = segment_descriptor(0, 0xff, SEGMENT_DATA3);
	uint32_t count;

	if (trap_init())
		panic("no trap table");
	protect(gdt, GDT_FRAMES, PTE_P | PTE_A);
	observe("loaded answer:int", 0, load_table(TABLE_GDT, gdt, GDT_FRAMES * GDT_ENTRIES_A_FRAME));
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		do_own(i, gdt, good);
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		observe("raw answer:int", i, hypercall_update_descriptor(input_word(), good, good >> 32));
	do_foreign(good);
	return 0;
}
