// SPDX-License-Identifier: MIT
/* Domain 2 of `dma-hostile`: asks for eight transfers, and dies. It gets its disk when domain 1 is done. */
#include "disk.h"

#define FULL	8u	/* the first sector that is not empty */

static struct vbd_request request(uint8_t op, uint32_t page)
{
	struct vbd_request q = { .op = op, .pieces = 1, .sector = op == VBD_INFO ? 0 : FULL };

	q.piece[0].frame = page_mfn(disk_pages[page]);
	q.piece[0].count = op == VBD_INFO ? 1 : 8;
	return q;
}

int test_main(const struct start_info *start)
{
	struct vbd_request info;

	disk_open();
	info = request(VBD_INFO, 0);
	while (disk_ask(&info))
		hypercall_yield();
	for (uint32_t i = 0; i < 8; i++) {
		struct vbd_request q = request(VBD_READ, i);

		ring_put(&disk, &q);
	}
	ring_publish(&disk);
	hypercall_shutdown(SHUTDOWN_crash, 0);
	return 0;
}
