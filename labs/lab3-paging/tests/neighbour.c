// SPDX-License-Identifier: MIT
/*
 * Domain 0 of the hostile tests: works with page tables of its own while another domain misbehaves, and sees to it that its
 * memory and its tables stay as they were. "rounds=" is enough for the others to come to their end.
 */
#include "hypercall.h"
#include "mini.h"
#include "paging.h"

#define PAGES	8u
#define ARENA	0x40000000u

static uint32_t *pages[PAGES];

/* Maps a page at an address of its own, looks at it there, takes it away. */
static uint32_t work(uint32_t round)
{
	uint32_t i = round % PAGES, va = ARENA + round % 1000 * PAGE_SIZE, good = 0;

	good += page_map(va, page_mfn(pages[i]), PTE_P | PTE_RW) == 0;
	good += *(volatile uint32_t *)va == 0x5eed0000 + i;
	good += page_map(va, 0, 0) == 0;
	good += hypercall_yield() == 0;
	return good;
}

static uint32_t digest(const uint32_t *words)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < 1024; i++)
		sum = sum * 31 + (words[i] & ~(PTE_A | PTE_D));
	return sum;
}

/* Of all tables that we started with, and of the pages. */
static uint32_t digest_all(void)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < start_info->tables; i++)
		sum = sum * 31 + digest((const uint32_t *)start_info->directory + i * 1024);
	for (uint32_t i = 0; i < PAGES; i++)
		sum = sum * 31 + digest(pages[i]);
	return sum;
}

int test_main(const struct start_info *start)
{
	uint32_t rounds = argument_number("rounds", 200), good = 0, before;
	uint32_t *directory = (uint32_t *)start->directory;

	for (uint32_t i = 0; i < PAGES; i++) {
		pages[i] = page_alloc();
		pages[i][0] = 0x5eed0000 + i;
	}
	if (table_add(directory, ARENA))
		panic("no page table");
	before = digest_all();
	for (uint32_t i = 0; i < rounds; i++)
		good += work(i);
	observe("neighbour asked good same", 0, 4 * rounds, good, digest_all() == before);
	return 0;
}
