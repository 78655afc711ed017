// SPDX-License-Identifier: MIT
/* The vandal of lab 6: what can be wrong with memory that two share. */
#include "vandal.h"
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"
#include "ring.h"

#define LINES	1000u

static int register_frame(uint32_t mfn)
{
	struct ring_op op = {
		.op = RING_register, .ring_class = RING_CONSOLE, .frame = mfn,
		.port = event_alloc_unbound(DOMID_SELF, NULL, NULL),
	};

	return hypercall_ring_op(&op);
}

/* Its own console's ring. */
static struct ring open_ring(void)
{
	struct ring r;

	if (ring_open(&r, RING_CONSOLE, 0, NULL, NULL))
		panic("there is no console ring");
	return r;
}

/* Claims that there are @requests. The hypervisor has to stop the ring, and say so in it. */
static int claim(uint32_t requests)
{
	struct ring r = open_ring();

	r.header->req_prod = r.put + requests;
	ring_kick(&r);
	return r.header->flags & RING_STOPPED ? -EIO : 0;
}

CRIME(6, 'a', table_as_ring, "offers its page table as a ring: answers would be written into it")
{
	return register_frame(machine_address(page_entry(start_info->virt_base)) >> PAGE_SHIFT);
}

CRIME(6, 'b', stranger_as_ring, "offers the hypervisor's memory as a ring")
{
	return register_frame(0x100);
}

CRIME(6, 'c', one_too_many, "claims one request more than the ring has slots")
{
	return claim(CONSOLE_SLOTS + 1);
}

CRIME(6, 'd', two_thousand_million, "claims two thousand million requests")
{
	return claim(0x80000000);
}

CRIME(6, 'e', retype, "makes the ring its page table, while answers may come")
{
	struct ring r = open_ring();
	uint32_t mfn = page_mfn(r.header);
	struct mmu_request pin = { mfn << PAGE_SHIFT | MMU_COMMAND, MMU_PIN_TABLE };
	int err = page_protect(r.header, PTE_P);

	return err ? err : page_update(&pin, 1, NULL);
}

CRIME(6, 'f', twice, "makes one page the ring of its console twice")
{
	struct ring r = open_ring();

	return register_frame(page_mfn(r.header));
}

/* Nobody reads it: so most must never be answered, or the hypervisor keeps it all. */
CRIME(6, 'g', flood, "prints a thousand lines that nobody reads")
{
	struct ring r = open_ring();
	struct console_slot line = { .count = 60 }, answer;
	uint32_t taken = 0;

	memset(line.data, 'x', sizeof(line.data));
	for (uint32_t i = 0; i < LINES; i++) {
		if (ring_room(&r) > 0)
			ring_put(&r, &line);
		ring_publish(&r);
		while (ring_get(&r, &answer))
			taken++;
	}
	return taken < LINES / 2 ? -ENOSPC : 0;
}
