/* SPDX-License-Identifier: MIT */
/*
 * Paging: page tables that guests own and we write (paper, section 3.3.3).
 *
 * A frame of type FRAME_TABLE or FRAME_DIRECTORY has had each entry checked, and holds a reference
 * on what each present entry names: a writable mapping one of type FRAME_WRITABLE, a read-only one
 * a plain reference, a directory entry one of type FRAME_TABLE. A directory that names a directory
 * (linear page tables, without RW) holds: on itself a plain reference; on another one of type
 * FRAME_DIRECTORY. One that maps others is mapped by no third, so releasing never goes deeper than
 * two directories.
 *
 * Invariants (paging_check): assurance M4, M5, M8, M11.
 */
#ifndef ATELIER_PAGING_H
#define ATELIER_PAGING_H

#include "lib/types.h"
#include "frame.h"
#include "public/paging.h"

struct domain;

#ifndef TABLE_ENTRIES
#define TABLE_ENTRIES	1024u
#define GUEST_SLOTS	ATELIER_SLOT	/* directory slots that are the guest's; the explorer has fewer */
#endif

/* A domain's share. */
struct paging {
	mfn_t base;		/* the directory it runs on, MFN_NONE before it has one */
	mfn_t looked;		/* dying: no frame before this one on its list is pinned; MFN_NONE: nobody has looked */
};

/* Bits of an entry (SDM 3A, 4.3). */
#define PTE_P		0x001u
#define PTE_RW		0x002u
#define PTE_US		0x004u
#define PTE_PWT		0x008u
#define PTE_PCD		0x010u
#define PTE_A		0x020u
#define PTE_D		0x040u
#define PTE_PS		0x080u
#define PTE_G		0x100u
#define PTE_AVL		0xe00u
#define PTE_ALLOWED	(PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D | PTE_AVL)

/* Registers the classes of FRAME_TABLE and FRAME_DIRECTORY. */
void paging_init(void);

/* Gives a domain without a base the directory @mfn, which it owns. Errors as MMU_NEW_BASE. */
int paging_set_base(struct domain *d, mfn_t mfn);

/*
 * The boot builder's tables: sets types and counts by what the tables hold, without asking whether
 * they may, pins the directory and makes it the base. Only for tables that the hypervisor itself
 * has just written.
 */
void paging_adopt(struct domain *d, mfn_t directory);

/* One use more of a frame by the boot builder, as what it is in those tables. */
void paging_adopt_use(mfn_t mfn, enum frame_type type);

/* The frame that @d's base maps at @va, which is below the line; MFN_NONE: none. */
mfn_t paging_lookup(struct domain *d, uint32_t va);

/* Loads @d's base, if it is not loaded. At a switch. */
void paging_switch_to(struct domain *d);

int paging_pin(struct domain *d, mfn_t mfn, enum frame_type type);
int paging_unpin(struct domain *d, mfn_t mfn);
int paging_new_base(struct domain *d, mfn_t mfn);

/*
 * Takes a dying domain's pins and base, up to some work; true when nothing is left. Then its frames
 * may go.
 */
bool paging_destroy(struct domain *d);

int do_mmu_update(struct domain *d, guest_addr_t list, uint32_t count, guest_addr_t done, uint32_t domain);
int do_update_va_mapping(struct domain *d, uint32_t va, uint32_t value, uint32_t flags, uint32_t domain);

bool paging_check(void);

#endif
