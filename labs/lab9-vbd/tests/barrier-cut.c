// SPDX-License-Identifier: MIT
/* Writes and barriers, as many at a time as the ring has room for; the power fails in between. */
#include "disk.h"

#define MOST	256u		/* as many sectors as there are in all buffers */

static void hear(void)
{
	struct vbd_response r = disk_answer();

	observe("answer status:int", r.id, (uint32_t)r.status);
}

/* A write of one sector, filled with its word. */
static void ask(uint32_t i)
{
	uint32_t page = i / 8, sector = i % 8;
	struct vbd_request q = { .id = i, .op = input_word(), .pieces = 1 };

	q.sector = input_word();
	q.piece[0].frame = page_mfn(disk_pages[page]);
	q.piece[0].first = sector;
	q.piece[0].count = 1;
	disk_fill(disk_pages[page] + sector * SECTOR, input_word());
	ring_put(&disk, &q);
	ring_publish(&disk);
}

int test_main(const struct start_info *start)
{
	uint32_t count = input_word(), heard = 0;

	disk_open();
	for (uint32_t i = 0; i < MIN(count, MOST); i++) {
		if (ring_room(&disk) == 0) {
			hear();
			heard++;
		}
		ask(i);
	}
	for (; heard < count; heard++)
		hear();
	return 0;
}
