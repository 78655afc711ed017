// SPDX-License-Identifier: MIT
/*
 * Asks for every frame number of the machine, and many beyond: to read it, to write it, and those that are not its own as a table
 * and as its address space. Answers go one bit a number.
 */
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

#define ARENA	0x40000000u
#define MOST	(1u << 17)

static uint8_t readable[MOST / 8], writable[MOST / 8], pinned[MOST / 8];

static void set_bit(uint8_t *bits, uint32_t i)
{
	bits[i / 8] |= 1 << i % 8;
}

static bool can_map(uint32_t mfn, uint32_t flags)
{
	if (page_map(ARENA, mfn, flags))
		return false;
	page_map(ARENA, 0, 0);
	return true;
}

static uint32_t machine_frames;		/* the M2P has a word for each of these */

static bool is_own(uint32_t mfn)
{
	uint32_t pfn = mfn < machine_frames ? mfn_pfn(mfn) : ATELIER_NO_PFN;

	return pfn < start_info->frames && pfn_mfn(pfn) == mfn;
}

static bool can_command(uint32_t mfn, uint32_t code)
{
	struct mmu_request r = { mfn * PAGE_SIZE | MMU_COMMAND, code };

	return page_update(&r, 1, NULL) == 0;
}

static void try_frame(uint32_t mfn)
{
	if (can_map(mfn, PTE_P))
		set_bit(readable, mfn);
	if (can_map(mfn, PTE_P | PTE_RW))
		set_bit(writable, mfn);
	if (!is_own(mfn) && (can_command(mfn, MMU_PIN_TABLE) || can_command(mfn, MMU_PIN_DIRECTORY) || can_command(mfn, MMU_NEW_BASE)))
		set_bit(pinned, mfn);
}

int test_main(const struct start_info *start)
{
	uint32_t *directory = (uint32_t *)start->directory, count = input_word();

	machine_frames = input_word();
	if (count > MOST || table_add(directory, ARENA))
		panic("no page table");
	for (uint32_t mfn = 0; mfn < count; mfn++)
		try_frame(mfn);
	observe_bytes("readable bits:bytes", 0, readable, count / 8);
	observe_bytes("writable bits:bytes", 0, writable, count / 8);
	observe_bytes("pinned bits:bytes", 0, pinned, count / 8);
	observe_bytes("own frames:bytes", 0, (const void *)start->p2m, 4 * start->frames);
	observe("tables first count", 0, page_pfn(directory), start->tables);
	observe("arena mfn", 0, directory[ARENA >> 22] >> PAGE_SHIFT);
	return 0;
}
