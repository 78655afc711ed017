// SPDX-License-Identifier: MIT
/* A domain that writes to and reads from each of its virtual disks, whatever it may do there. Domain 0 is disk-director.c. */
#include "disk.h"

#define GO	7u		/* the disk that is made last */

static struct vbd_request request(uint8_t op, uint32_t device, uint32_t sector)
{
	struct vbd_request q = { .op = op, .pieces = 1, .device = device, .sector = sector };

	q.piece[0].frame = page_mfn(disk_pages[0]);
	q.piece[0].count = 1;
	return q;
}

static int ask(uint8_t op, uint32_t device, uint32_t sector)
{
	struct vbd_request q = request(op, device, sector);

	return disk_ask(&q);
}

int test_main(const struct start_info *start)
{
	uint32_t word, sector;

	input_word();		/* how many domains there are */
	for (uint32_t n = input_word(); n > 0; n--)
		for (uint32_t i = 0; i < 6; i++)
			input_word();
	word = input_word() + (argument_number("domain", 0) << 24);
	sector = argument_number("domain", 0);
	disk_open();
	while (ask(VBD_INFO, GO, 0))
		hypercall_yield();
	for (uint32_t device = 0; device < GO; device++) {
		int written, read;

		disk_fill(disk_pages[0], word + 0x1000 * device);
		written = ask(VBD_WRITE, device, sector);
		memset(disk_pages[0], 0, SECTOR);
		read = ask(VBD_READ, device, sector);
		observe("device written:int read:int digest", device, (uint32_t)written, (uint32_t)read, disk_digest(disk_pages[0]));
	}
	return 0;
}
