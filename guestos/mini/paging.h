/* SPDX-License-Identifier: MIT */
/*
 * Memory: the domain's own pages, the page tables that it may read but not write, and the windows.
 *
 * What the hypervisor mapped at the start stays so: pseudo-physical frame n at virt_base + n pages.
 * Each page has three names: its address there, its pseudo-physical number (pfn), and the machine
 * frame behind it (mfn), which is what page tables hold. The P2M (ours) and the M2P (the
 * hypervisor's) lead from one to the other.
 *
 * Whatever is said about page tables here needs lab 3.
 */
#ifndef MINI_PAGING_H
#define MINI_PAGING_H

#include "lib/types.h"
#include "public/paging.h"

/* Bits of an entry (SDM 3A, 4.3). */
#define PTE_P		0x001u
#define PTE_RW		0x002u
#define PTE_US		0x004u
#define PTE_A		0x020u
#define PTE_D		0x040u
#define PTE_FLAGS	0xfffu
#define TABLE_ENTRIES	1024u

/* ---- pages ---- */

/* mini_main(): all mapped frames that the builder left free. */
void page_init(void);

/* A page of zeros, or @count of them in a row. They panic when there is none. */
void *page_alloc(void);
void *page_alloc_run(uint32_t count);

/* Gives one back; it must be writable again. */
void page_free(void *page);

/* How many page_alloc() has left. */
uint32_t page_free_count(void);

uint32_t page_pfn(const void *page);
void *pfn_page(uint32_t pfn);
uint32_t pfn_mfn(uint32_t pfn);
uint32_t mfn_pfn(uint32_t mfn);
uint32_t page_mfn(const void *page);

/* The machine address of anything in the domain's mapped memory. */
uint32_t machine_address(const void *p);

/* ---- the four windows ---- */

/* Page @i of a window (WINDOW_WRITABLE and so on). */
void *window_page(uint32_t window, uint32_t i);

/* ---- page tables ---- */

/* The table entry that maps @va in the loaded directory, read-only to us; NULL: no table there. */
const uint32_t *page_entry(uint32_t va);

/*
 * Makes @va show frame @mfn with @flags (0: nothing), and flushes it. 0 or the hypervisor's error.
 */
int page_map(uint32_t va, uint32_t mfn, uint32_t flags);

/*
 * Changes how a page of ours is mapped at its own address. A page table is read-only, for us as
 * well.
 */
int page_protect(void *page, uint32_t flags);

/* Frame @mfn, which has come for another one, is a page of ours from now on, and mapped there. */
int page_replace(void *page, uint32_t mfn);

/*
 * Requests, in order, to the end or the first error; *@done (may be NULL) says how many were done.
 */
int page_update(const struct mmu_request *list, uint32_t count, uint32_t *done);

/* Writes an entry of a directory or table of ours. */
int page_set_entry(const uint32_t *entry, uint32_t value);

/* Gives the 4 MiB of @va an empty page table, in the directory @in. */
int table_add(uint32_t *in, uint32_t va);

/*
 * A directory that maps what the loaded one maps, by the same tables; read-only and pinned. NULL:
 * the hypervisor refused it. To destroy it, it must not be loaded; tables that it alone has go with
 * it.
 */
uint32_t *directory_create(void);
int directory_load(uint32_t *directory);
void directory_destroy(uint32_t *directory);

/* The one that is loaded. */
uint32_t *directory_loaded(void);

#endif
