// SPDX-License-Identifier: MIT
/* The vandal of lab 3: page tables. Whoever writes one owns the machine. */
#include "vandal.h"
#include "hypercall.h"
#include "mini.h"
#include "paging.h"
#include "trap.h"

#define FREE_SLOT	0x10000000u	/* 4 MiB of addresses that nobody uses */
#define PTE_PS		0x080u
#define HYPERVISOR_MFN	0x100u		/* a loader puts it at 1 MiB */

/* A frame of another domain's: one that the M2P knows and that is not ours. */
static uint32_t stranger(void)
{
	uint32_t mfn;

	for (mfn = HYPERVISOR_MFN;; mfn++) {
		uint32_t pfn = mfn_pfn(mfn);

		if (pfn != ATELIER_NO_PFN && (pfn >= start_info->frames || pfn_mfn(pfn) != mfn))
			return mfn;
	}
}

/* A page of ours that is a page table: the one that maps the page itself. */
static uint32_t *own_table(void)
{
	uint32_t entry = directory_loaded()[start_info->virt_base >> 22];

	return pfn_page(mfn_pfn(entry >> PAGE_SHIFT));
}

/* Shows @mfn at a page of ours. */
static int show(uint32_t mfn, uint32_t flags)
{
	return page_map((uint32_t)page_alloc(), mfn, flags);
}

static int one_request(uint32_t where, uint32_t value, uint32_t domain)
{
	struct mmu_request request = { where, value };

	return hypercall_mmu_update(&request, 1, NULL, domain);
}

static int write_slot(uint32_t slot, uint32_t value)
{
	return page_set_entry(&directory_loaded()[slot], value);
}

CRIME(3, 'a', store, "stores an entry in its page table, without asking")
{
	*(volatile uint32_t *)own_table() = PTE_P | PTE_RW;
	return 0;
}

CRIME(3, 'b', map_hypervisor, "maps the hypervisor's memory, to write")
{
	return show(HYPERVISOR_MFN, PTE_P | PTE_RW);
}

CRIME(3, 'c', read_stranger, "maps another domain's memory, only to read")
{
	return show(stranger(), PTE_P);
}

CRIME(3, 'd', write_stranger, "maps another domain's memory, to write")
{
	return show(stranger(), PTE_P | PTE_RW);
}

CRIME(3, 'e', writable_table, "makes a page table of its own writable, by nothing but the RW bit")
{
	return page_protect(own_table(), PTE_P | PTE_RW | PTE_A | PTE_D);
}

CRIME(3, 'f', large_page, "maps 4 MiB of the machine by one entry of its directory")
{
	return write_slot(FREE_SLOT >> 22, PTE_P | PTE_RW | PTE_PS);
}

CRIME(3, 'g', hypervisor_slot, "fills a slot of its directory that is the hypervisor's")
{
	return write_slot(ATELIER_SLOT, page_mfn(own_table()) << PAGE_SHIFT | PTE_P | PTE_RW);
}

CRIME(3, 'h', linear_writable, "has its directory map itself, writable")
{
	return write_slot(FREE_SLOT >> 22, page_mfn(directory_loaded()) << PAGE_SHIFT | PTE_P | PTE_RW);
}

CRIME(3, 'i', m2p_anywhere, "enters a frame into the M2P that lies far behind its end")
{
	return one_request(0xfffff000 | MMU_M2P, 0, DOMID_SELF);
}

CRIME(3, 'j', m2p_stranger, "enters another domain's frame into the M2P, as if it were its own")
{
	return one_request(stranger() << PAGE_SHIFT | MMU_M2P, 0, DOMID_SELF);
}

CRIME(3, 'k', name_domain_0, "maps a frame in the name of domain 0")
{
	return hypercall_update_va_mapping((uint32_t)page_alloc(), stranger() << PAGE_SHIFT | PTE_P | PTE_RW, UVM_INVLPG, 0);
}

CRIME(3, 'l', pin_stranger, "pins another domain's page as its own page table")
{
	return one_request(stranger() << PAGE_SHIFT | MMU_COMMAND, MMU_PIN_TABLE, DOMID_SELF);
}

CRIME(3, 'm', forged_base, "loads a directory that it has forged, entries for the whole machine in it")
{
	uint32_t *forged = page_alloc();

	for (uint32_t slot = 0; slot < ATELIER_SLOT; slot++)
		forged[slot] = slot << PAGE_SHIFT | PTE_P | PTE_RW;
	page_protect(forged, PTE_P);
	return one_request(page_mfn(forged) << PAGE_SHIFT | MMU_COMMAND, MMU_NEW_BASE, DOMID_SELF);
}

CRIME(3, 'n', stale_write, "makes a page a page table, and writes it by what the processor remembers")
{
	uint32_t *page = page_alloc();
	int err;

	page[0] = 0;		/* now the processor remembers that it is writable */
	err = hypercall_update_va_mapping((uint32_t)page, page_mfn(page) << PAGE_SHIFT | PTE_P | PTE_A, UVM_NONE, DOMID_SELF);
	if (!err)
		err = one_request(page_mfn(page) << PAGE_SHIFT | MMU_COMMAND, MMU_PIN_TABLE, DOMID_SELF);
	if (err)
		return err;
	*(volatile uint32_t *)page = PTE_P | PTE_RW;
	return 0;
}

CRIME(3, 'o', unpin_twice, "unpins its directory twice: the second time somebody else's hold is dropped")
{
	uint32_t where = page_mfn(directory_loaded()) << PAGE_SHIFT | MMU_COMMAND;

	one_request(where, MMU_UNPIN, DOMID_SELF);
	return one_request(where, MMU_UNPIN, DOMID_SELF);
}

CRIME(3, 'p', list_inside, "has requests read that lie in the hypervisor")
{
	return hypercall_mmu_update((struct mmu_request *)HYPERVISOR, 64, NULL, DOMID_SELF);
}
