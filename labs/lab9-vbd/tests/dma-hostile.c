// SPDX-License-Identifier: MIT
/*
 * A domain that has a disk write into whatever is not for it: its own tables, descriptors, every frame of the machine that is not its
 * own, and pages that it gives away or makes a table of meanwhile. Domain 0 is dma-director.c; domain 2, dma-dies.c, dies with transfers
 * under way.
 */
#include "disk.h"
#include "segment.h"

#define READ_ONLY	(PTE_P | PTE_A)
#define READ_WRITE	(PTE_P | PTE_RW | PTE_A | PTE_D)
#define ZEROS		0u		/* sectors 0 to 7 of the disk are empty: a page of them is a page table */
#define FULL		8u
#define BATCH		32u

static struct vbd_request request(uint8_t op, uint32_t mfn, uint32_t sector, uint32_t sectors)
{
	struct vbd_request q = { .op = op, .pieces = 1, .sector = sector };

	q.piece[0].frame = mfn;
	q.piece[0].count = sectors;
	return q;
}

static int ask(uint8_t op, uint32_t mfn, uint32_t sector)
{
	struct vbd_request q = request(op, mfn, sector, 8);

	return disk_ask(&q);
}

static void wait_for_disk(void)
{
	struct vbd_request q = request(VBD_INFO, page_mfn(disk_pages[0]), 0, 1);

	while (disk_ask(&q))
		hypercall_yield();
}

/* ---- what is its own, and in use as something else ---- */

static void own_tables(void)
{
	uint8_t *ldt = page_alloc();
	uint32_t table = directory_loaded()[(uint32_t)ldt >> 22] >> 12;

	observe("own directory:int table:int write:int", 0, (uint32_t)ask(VBD_READ, page_mfn(directory_loaded()), FULL),
		(uint32_t)ask(VBD_READ, table, FULL), (uint32_t)ask(VBD_INFO, table, 0));
	page_protect(ldt, READ_ONLY);
	observe("ldt set:int read:int after:int free:int then:int", 0, (uint32_t)hypercall_set_ldt(ldt, 8),
		(uint32_t)ask(VBD_READ, page_mfn(ldt), ZEROS), (uint32_t)hypercall_set_ldt(NULL, 0),
		(uint32_t)page_protect(ldt, READ_WRITE), (uint32_t)ask(VBD_READ, page_mfn(ldt), ZEROS));
	page_free(ldt);
}

/* ---- every frame of the machine ---- */

static bool is_own(uint32_t mfn)
{
	uint32_t pfn = mfn_pfn(mfn);

	return pfn < start_info->frames && pfn_mfn(pfn) == mfn;
}

static uint32_t taken_frames(uint8_t op, uint32_t frames)
{
	uint32_t put = 0, good = 0;

	for (uint32_t mfn = 0; mfn < frames; mfn++) {
		if (!is_own(mfn)) {
			struct vbd_request q = request(op, mfn, FULL, 1);

			ring_put(&disk, &q);
			put++;
		}
		if (put < BATCH && mfn + 1 < frames)
			continue;
		ring_publish(&disk);
		for (; put > 0; put--)
			good += disk_answer().status == 0;
	}
	return good;
}

/* ---- meanwhile ---- */

static int pin(uint32_t mfn, uint32_t command)
{
	struct mmu_request r = { mfn << 12 | MMU_COMMAND, command };

	return page_update(&r, 1, NULL);
}

static int give_back(uint32_t *mfn)
{
	struct memory_op op = { MEMORY_decrease, (uint32_t)mfn, 1, 0 };

	return hypercall_memory_op(&op);
}

/* A page that a disk is at work on is no table, and nobody else's. */
static void meanwhile(uint32_t key, uint8_t op)
{
	uint8_t *page = page_alloc();
	uint32_t mfn = page_mfn(page);
	struct vbd_request q = request(op, mfn, ZEROS, 8);
	int pinned, given, status, then;

	page_protect(page, 0);
	ring_put(&disk, &q);
	ring_publish(&disk);
	pinned = pin(mfn, MMU_PIN_TABLE);
	if (pinned == 0)
		pin(mfn, MMU_UNPIN);
	given = give_back(&mfn);
	status = disk_answer().status;
	then = pin(mfn, MMU_PIN_TABLE);
	pin(mfn, MMU_UNPIN);
	observe("meanwhile pinned:int given:int status:int then:int last:int", key, (uint32_t)pinned, (uint32_t)given, (uint32_t)status,
		(uint32_t)then, (uint32_t)give_back(&mfn));
}

int test_main(const struct start_info *start)
{
	uint32_t frames, port;

	for (uint32_t n = input_word(); n > 0; n--)
		for (uint32_t i = 0; i < 6; i++)
			input_word();
	frames = input_word();
	disk_open();
	port = event_alloc_unbound(0, NULL, NULL);
	wait_for_disk();
	observe("honest status:int digest", 0, (uint32_t)ask(VBD_READ, page_mfn(disk_pages[1]), FULL), disk_digest(disk_pages[1]));
	own_tables();
	observe("frames read written", 0, taken_frames(VBD_READ, frames), taken_frames(VBD_WRITE, frames));
	meanwhile(0, VBD_READ);
	meanwhile(1, VBD_WRITE);
	observe_end();
	event_send(port);
	for (;;)
		hypercall_block();
}
