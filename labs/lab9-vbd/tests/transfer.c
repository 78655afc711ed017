// SPDX-License-Identifier: MIT
/* Requests in batches: pages are filled, all of a batch is asked at once, and what came into each piece is told. */
#include "disk.h"

#define BATCH	32u

static struct vbd_request asked[BATCH];

/* What the sectors of a page are filled with before a batch: the judge's word, and where. */
static void fill_pages(void)
{
	uint32_t word = input_word();

	for (uint32_t i = 0; i < DISK_PAGES; i++)
		for (uint32_t s = 0; s < PAGE_SIZE / SECTOR; s++)
			disk_fill(disk_pages[i] + s * SECTOR, word + 0x10000 * (8 * i + s));
}

static void tell_pages(uint32_t batch)
{
	for (uint32_t i = 0; i < DISK_PAGES; i++)
		for (uint32_t s = 0; s < PAGE_SIZE / SECTOR; s++)
			observe("sector digest", batch << 16 | i << 3 | s, disk_digest(disk_pages[i] + s * SECTOR));
}

static void do_batch(uint32_t batch)
{
	uint32_t count;

	fill_pages();
	count = input_word();
	for (uint32_t i = 0; i < count; i++) {
		asked[i % BATCH] = disk_input(batch << 8 | i);
		ring_put(&disk, &asked[i % BATCH]);
	}
	observe("published answer:int", batch, ring_publish(&disk));
	for (uint32_t i = 0; i < count; i++) {
		struct vbd_response r = disk_answer();

		observe("answer status:int", r.id, (uint32_t)r.status);
	}
	tell_pages(batch);
}

int test_main(const struct start_info *start)
{
	uint32_t batches;

	disk_open();
	disk_extend_all();
	batches = input_word();
	for (uint32_t i = 0; i < batches; i++)
		do_batch(i);
	return 0;
}
