// SPDX-License-Identifier: MIT
/* A domain that always has as many requests on its ring as there is room for, until it had its number. Domain 0 is disk-director.c. */
#include "disk.h"

#define DEVICE	0u
#define GO	7u		/* made last */

static struct vbd_request request(uint8_t op, uint32_t device, uint32_t sector)
{
	struct vbd_request q = { .op = op, .pieces = 1, .device = device, .sector = sector };

	q.piece[0].frame = page_mfn(disk_pages[0]);
	q.piece[0].count = 1;
	return q;
}

static uint32_t work(uint32_t total, uint32_t sectors)
{
	uint32_t asked = 0, heard = 0, good = 0;

	while (heard < total) {
		for (; asked < total && ring_room(&disk) > 0; asked++) {
			struct vbd_request q = request(VBD_READ, DEVICE, random_below(sectors));

			ring_put(&disk, &q);
		}
		ring_publish(&disk);
		good += disk_answer().status == 0;
		heard++;
	}
	return good;
}

int test_main(const struct start_info *start)
{
	struct vbd_request info;
	uint32_t total, sectors;

	input_word();		/* how many domains there are */
	for (uint32_t n = input_word(); n > 0; n--)
		for (uint32_t i = 0; i < 6; i++)
			input_word();
	total = input_word();
	sectors = input_word();
	disk_open();
	info = request(VBD_INFO, GO, 0);
	while (disk_ask(&info))
		hypercall_yield();
	observe("done good", 0, work(total, sectors));
	return 0;
}
