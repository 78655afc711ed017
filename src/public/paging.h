/* SPDX-License-Identifier: MIT */
/*
 * Page tables: owned by the guest, read by the processor, written through here (paper, section
 * 3.3.3).
 *
 * Two levels, 4 KiB pages. A frame that is used as page directory or page table is never writable.
 * A guest maps its own frames only. Entries that are not present are the guest's to fill as it
 * likes, and kept. Bits a guest may set in a present entry: P, RW, US, A, D and the three that the
 * processor ignores (9 to 11); any other is refused. A directory entry names a page table or,
 * without RW, a page directory: itself or another one that neither maps nor is mapped by a third
 * (linear page tables). Slots from ATELIER_SLOT on are the hypervisor's: it fills them. Through a
 * linear page table a guest can read, never write, the page tables that they name.
 */
#ifndef ATELIER_PUBLIC_PAGING_H
#define ATELIER_PUBLIC_PAGING_H

#include "atelier.h"

/*
 * mmu_update(struct mmu_request *, count, uint32_t *done, domain): executes the requests in order.
 * @done (may be 0) receives how many were done. 0 if all were; else the error of the first refused
 * one, which changed nothing. -EAGAIN: an interrupt was due, the rest is to be asked again. @domain
 * is DOMID_SELF or, for domain 0, whose frames the entries may name (the tables may be that
 * domain's or the caller's); -EPERM, -ESRCH. -EFAULT: the list cannot be read on, or @done not be
 * written: then nothing is known of how many were done.
 *
 * The low two bits of @where say what a request is:
 */
#define MMU_WRITE	0	/* the entry (table, directory, or plain writable memory) at machine address
				   @where = @value. -EAGAIN, for a directory: what it named would release more
				   than MMU_TABLES_A_CALL tables, or another directory: clear some of its
				   entries first */
#define MMU_M2P		1	/* M2P[frame of @where] = @value (a pseudo-physical frame, or ATELIER_NO_PFN) */
#define MMU_COMMAND	2	/* @value is a command, @where & ~3 its operand: a machine or virtual address */

#define MMU_PIN_TABLE		0	/* keep this frame a valid page table. -EBUSY: in use otherwise, or pinned */
#define MMU_PIN_DIRECTORY	1	/* ... a valid page directory. -EAGAIN: more than MMU_TABLES_A_CALL
					   tables below it are not valid yet: pin some of them first */
#define MMU_UNPIN		2	/* -EINVAL: not pinned. -EAGAIN: more than MMU_TABLES_A_CALL tables, or
					   another directory, would be released with it: clear some of its entries
					   first */
#define MMU_NEW_BASE		3	/* load this directory. -EAGAIN as with both above */
#define MMU_FLUSH		4	/* the whole TLB, at the end of the call */
#define MMU_INVLPG		5	/* one virtual address */

#define MMU_TABLES_A_CALL	4

/*
 * update_va_mapping(va, value, flags, domain): writes the page-table entry that maps @va in the
 * loaded directory, then flushes as asked. 0; -EINVAL: @va above the line, or flags; -EFAULT: no
 * page table there; others as MMU_WRITE.
 */
#define UVM_NONE	0
#define UVM_INVLPG	1	/* @va */
#define UVM_FLUSH	2	/* everything */

#ifndef __ASSEMBLY__
struct mmu_request {
	uint32_t where;
	uint32_t value;
};
#endif

#endif
