// SPDX-License-Identifier: MIT
/* The vandal of lab 9: others' sectors, and memory that the disk writes. */
#include "vandal.h"
#include "hypercall.h"
#include "mini.h"
#include "paging.h"
#include "ring.h"

/* Its disk: sectors 100 to 199 of the machine's, and behind them 300 to 307, which it may only read. */
#define FIRST		100u
#define SECTORS		100u
#define READ_ONLY	8u

#define TRIES		50u
#define QUEUE		12u		/* reads of a page each, one after the other: as many as there is room for */

/* ---- domain 0 ---- */

static void control(struct control_op op)
{
	op.interface = ATELIER_INTERFACE;
	if (hypercall_control_op(&op))
		panic("the vandal gets no disk: `make demo LAB=9` gives the machine one");
}

static void extend(uint32_t domain, struct control_extent extent)
{
	struct control_op op = { .op = CONTROL_extent_add, .domain = domain };

	op.u.extent = extent;
	control(op);
}

ACCOMPLICE(9, give_disk)
{
	control((struct control_op){ .op = CONTROL_vbd_create, .domain = domain });
	extend(domain, (struct control_extent){
		.rights = EXTENT_READ | EXTENT_WRITE | EXTENT_SHARED, .first = FIRST, .count = SECTORS });
	extend(domain, (struct control_extent){ .rights = EXTENT_READ, .first = FIRST + 2 * SECTORS, .count = READ_ONLY });
}

/* ---- the vandal ---- */

static struct ring ring;

static int ask(struct vbd_request q)
{
	struct vbd_response a;

	ring_put(&ring, &q);
	ring_publish(&ring);
	events_wait_until(ring_answered(&ring));
	ring_get(&ring, &a);
	return a.status;
}

static struct vbd_request request(uint8_t op, uint64_t sector, uint32_t count)
{
	struct vbd_request honest = { .op = VBD_READ, .pieces = 1 }, q = { .id = 1, .op = op, .pieces = 1, .sector = sector };

	if (ring_open(&ring, RING_VBD, 0, NULL, NULL))
		panic("the vandal has no disk");
	honest.piece[0].frame = page_mfn(page_alloc());
	honest.piece[0].count = 1;
	if (ask(honest))
		panic("an honest request is refused as well");
	q.piece[0].frame = page_mfn(page_alloc());
	q.piece[0].count = count;
	return q;
}

CRIME(9, 'a', behind_the_end, "reads the sector behind its disk's last one")
{
	return ask(request(VBD_READ, SECTORS + READ_ONLY, 1));
}

CRIME(9, 'b', wrap, "reads from the last sector that 64 bits can name, and on")
{
	return ask(request(VBD_READ, UINT64_MAX, 2));
}

CRIME(9, 'c', write_read_only, "writes where it may only read")
{
	return ask(request(VBD_WRITE, SECTORS, 1));
}

CRIME(9, 'd', half_read_only, "writes from where it may on to where it may only read")
{
	return ask(request(VBD_WRITE, SECTORS - 4, 8));
}

CRIME(9, 'e', no_such_disk, "reads a disk that it was not given")
{
	struct vbd_request q = request(VBD_READ, 0, 1);

	q.device = 1;
	return ask(q);
}

CRIME(9, 'f', into_hypervisor, "has the disk write into the hypervisor")
{
	struct vbd_request q = request(VBD_READ, 0, 1);

	q.piece[0].frame = 0x100;
	return ask(q);
}

CRIME(9, 'g', into_table, "has the disk write its page table")
{
	struct vbd_request q = request(VBD_READ, 0, 1);

	q.piece[0].frame = machine_address(page_entry(start_info->virt_base)) >> PAGE_SHIFT;
	return ask(q);
}

/* Has the disk read into @q's page, and into that of @mfn last: it is at work for a while. */
static void read_last(struct vbd_request q, uint32_t mfn)
{
	for (q.id = 1; q.id <= QUEUE; q.id++) {
		if (q.id == QUEUE)
			q.piece[0].frame = mfn;
		ring_put(&ring, &q);
		q.sector += q.piece[0].count;
	}
	ring_publish(&ring);
}

static bool is_read(void)
{
	struct vbd_response a = { 0 };

	while (a.id != QUEUE && ring_get(&ring, &a))
		;
	return a.id == QUEUE;
}

/* Once more, if the disk was done before anybody could: then it was no crime. */
CRIME(9, 'h', table_meanwhile, "makes a page a page table while the disk writes it")
{
	struct vbd_request q = request(VBD_READ, 0, 8);
	int err = 0;

	for (uint32_t i = 0; i < TRIES; i++) {
		void *page = page_alloc();
		struct mmu_request pin = { page_mfn(page) << PAGE_SHIFT | MMU_COMMAND, MMU_PIN_TABLE };

		page_protect(page, PTE_P);
		read_last(q, page_mfn(page));
		err = page_update(&pin, 1, NULL);
		if (err || !is_read())
			break;
	}
	return err;
}
