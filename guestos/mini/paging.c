// SPDX-License-Identifier: MIT
#include "paging.h"
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"

/* In a page that is free. */
struct free_page {
	struct free_page *next;
};

static struct {
	uint32_t next, end;		/* pfns: never allocated yet */
	struct free_page *free;		/* given back */
	uint32_t free_count;
	uint32_t *directory;		/* loaded */
} memory;

/* ---- pages ---- */

void page_init(void)
{
	memory.next = start_info->first_free;
	memory.end = start_info->mapped_frames;
	memory.directory = (uint32_t *)start_info->directory;
}

void *page_alloc_run(uint32_t count)
{
	void *run = pfn_page(memory.next);

	if (count > memory.end - memory.next)
		panic("mini: no %u pages left", count);
	memory.next += count;
	return memset(run, 0, count * PAGE_SIZE);
}

void *page_alloc(void)
{
	struct free_page *page = memory.free;

	if (!page)
		return page_alloc_run(1);
	memory.free = page->next;
	memory.free_count--;
	return memset(page, 0, PAGE_SIZE);
}

void page_free(void *page)
{
	struct free_page *p = page;

	p->next = memory.free;
	memory.free = p;
	memory.free_count++;
}

uint32_t page_free_count(void)
{
	return memory.free_count + (memory.end - memory.next);
}

uint32_t page_pfn(const void *page)
{
	return ((uint32_t)page - start_info->virt_base) / PAGE_SIZE;
}

void *pfn_page(uint32_t pfn)
{
	return (void *)(start_info->virt_base + pfn * PAGE_SIZE);
}

uint32_t pfn_mfn(uint32_t pfn)
{
	return ((const uint32_t *)start_info->p2m)[pfn];
}

uint32_t mfn_pfn(uint32_t mfn)
{
	return ((const volatile uint32_t *)ATELIER_M2P)[mfn];
}

uint32_t page_mfn(const void *page)
{
	return pfn_mfn(page_pfn(page));
}

uint32_t machine_address(const void *p)
{
	return page_mfn(p) * PAGE_SIZE + (uint32_t)p % PAGE_SIZE;
}

void *window_page(uint32_t window, uint32_t i)
{
	return (void *)(start_info->windows + (window + i) * PAGE_SIZE);
}

/* ---- page tables ---- */

uint32_t *directory_loaded(void)
{
	return memory.directory;
}

const uint32_t *page_entry(uint32_t va)
{
	uint32_t entry = memory.directory[va >> 22];
	const uint32_t *table;

	if (!(entry & PTE_P))
		return NULL;
	table = pfn_page(mfn_pfn(entry >> PAGE_SHIFT));
	return &table[va >> PAGE_SHIFT & (TABLE_ENTRIES - 1)];
}

int page_map(uint32_t va, uint32_t mfn, uint32_t flags)
{
	return hypercall_update_va_mapping(va, flags ? mfn << PAGE_SHIFT | flags : 0, UVM_INVLPG, DOMID_SELF);
}

int page_protect(void *page, uint32_t flags)
{
	return page_map((uint32_t)page, page_mfn(page), flags);
}

int page_replace(void *page, uint32_t mfn)
{
	((uint32_t *)start_info->p2m)[page_pfn(page)] = mfn;
	return page_protect(page, PTE_P | PTE_RW);
}

int page_update(const struct mmu_request *list, uint32_t count, uint32_t *done)
{
	uint32_t all = 0, some;
	int err;

	do {
		some = 0;
		err = hypercall_mmu_update(list + all, count - all, &some, DOMID_SELF);
		all += some;
	} while (err == -EAGAIN && some > 0);	/* an interrupt was due: ask for the rest */
	if (done)
		*done = all;
	return err;
}

int page_set_entry(const uint32_t *entry, uint32_t value)
{
	struct mmu_request request = { machine_address(entry) | MMU_WRITE, value };

	return page_update(&request, 1, NULL);
}

static int command(uint32_t op, uint32_t mfn)
{
	struct mmu_request request = { mfn << PAGE_SHIFT | MMU_COMMAND, op };

	return page_update(&request, 1, NULL);
}

/* Makes a page one that may become a table, and the reverse. */
static int make_readonly(void *page)
{
	return page_protect(page, PTE_P | PTE_A);
}

static int make_writable(void *page)
{
	return page_protect(page, PTE_P | PTE_RW | PTE_A | PTE_D);
}

int table_add(uint32_t *in, uint32_t va)
{
	void *table = page_alloc();
	int err = make_readonly(table);

	if (!err)
		err = page_set_entry(&in[va >> 22], page_mfn(table) << PAGE_SHIFT | PTE_P | PTE_RW | PTE_US | PTE_A);
	if (err) {
		make_writable(table);
		page_free(table);
	}
	return err;
}

uint32_t *directory_create(void)
{
	uint32_t *directory = page_alloc();
	int err;

	memcpy(directory, memory.directory, ATELIER_SLOT * sizeof(*directory));
	err = make_readonly(directory);
	if (!err)
		err = command(MMU_PIN_DIRECTORY, page_mfn(directory));
	if (err) {
		make_writable(directory);
		page_free(directory);
		return NULL;
	}
	return directory;
}

int directory_load(uint32_t *directory)
{
	int err = command(MMU_NEW_BASE, page_mfn(directory));

	if (!err)
		memory.directory = directory;
	return err;
}

/* Gives back a page that was a table, unless another directory still has it. */
static void retire_table(uint32_t *table)
{
	if (make_writable(table) == 0)
		page_free(table);
}

void directory_destroy(uint32_t *directory)
{
	if (command(MMU_UNPIN, page_mfn(directory)))
		panic("mini: a directory cannot be unpinned");
	for (uint32_t slot = 0; slot < ATELIER_SLOT; slot++)
		if ((directory[slot] & PTE_P) && !(memory.directory[slot] & PTE_P))
			retire_table(pfn_page(mfn_pfn(directory[slot] >> PAGE_SHIFT)));
	retire_table(directory);
}
