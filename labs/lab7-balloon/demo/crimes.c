// SPDX-License-Identifier: MIT
/* The vandal of lab 7: memory that changes hands. */
#include "vandal.h"
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

#define GREED	64u

/* A call for frames of a list: how many were done, or an error. */
static int memory(uint32_t op, uint32_t *list, uint32_t count)
{
	struct memory_op m = { .op = op, .list = (uint32_t)list, .count = count };

	return hypercall_memory_op(&m);
}

static int give_back(uint32_t mfn)
{
	return memory(MEMORY_decrease, &mfn, 1);
}

CRIME(7, 'a', still_mapped, "gives back a page that it can still write")
{
	return give_back(page_mfn(page_alloc()));
}

CRIME(7, 'b', still_readable, "gives back a page that it can still read")
{
	void *page = page_alloc();

	page_protect(page, PTE_P);
	return give_back(page_mfn(page));
}

CRIME(7, 'c', table, "gives back the page table that is in use")
{
	return give_back(machine_address(page_entry(start_info->virt_base)) >> PAGE_SHIFT);
}

CRIME(7, 'd', not_its_own, "gives back the hypervisor's memory")
{
	return give_back(0x100);
}

CRIME(7, 'e', twice, "exchanges one page twice in a list: it would be two people's")
{
	void *page = page_alloc();
	uint32_t list[2] = { page_mfn(page), page_mfn(page) };
	int done;

	page_protect(page, 0);
	done = memory(MEMORY_exchange, list, 2);
	return done == 1 ? memory(MEMORY_exchange, list + 1, 1) : done;
}

CRIME(7, 'f', all_of_it, "takes all memory there is")
{
	uint32_t *list = page_alloc(), taken = 0;
	int n;

	while ((n = memory(MEMORY_increase, list, TABLE_ENTRIES)) > 0)
		taken += n;
	return taken > 0 ? (int)taken : n;
}

CRIME(7, 'g', list_over_the_line, "has frame numbers written into the hypervisor, by a list that begins below it")
{
	return memory(MEMORY_exchange, (uint32_t *)(ATELIER_LINE - 4), 0x40000000);
}

CRIME(7, 'h', stale_write, "writes to a page by what the processor remembers, after it has given it back")
{
	uint32_t *page = page_alloc();
	int err;

	page[0] = 1;
	hypercall_update_va_mapping((uint32_t)page, 0, UVM_NONE, DOMID_SELF);
	err = give_back(page_mfn(page));
	if (err < 0)
		return err;
	*(volatile uint32_t *)page = 2;
	return 0;
}

CRIME(7, 'i', look_for_secrets, "exchanges pages, and looks through the new ones for what others left there")
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < GREED; i++) {
		uint32_t *page = page_alloc(), mfn = page_mfn(page);

		memset(page, 0x5a, PAGE_SIZE);
		page_protect(page, 0);
		if (memory(MEMORY_exchange, &mfn, 1) != 1)
			return -EAGAIN;
		page_replace(page, mfn);
		for (uint32_t word = 0; word < PAGE_SIZE / 4; word++)
			found += page[word] != 0;
	}
	return found > 0 ? (int)found : -ENXIO;
}
