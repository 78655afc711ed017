/* SPDX-License-Identifier: MIT */
/*
 * Exceptions and callbacks: what the guest registers in place of an interrupt descriptor table
 * (paper, section 3.1.2).
 *
 * A frame is stored on the ring-1 stack: the interrupted one if ring 1 was interrupted, else that
 * of stack_switch. It holds, from ESP upward, EIP, CS, EFLAGS and, if ring 2 or 3 was interrupted,
 * ESP, SS. Below these an exception with an error code (8, 10 to 14, 17) has the error code, and a
 * page fault below that the faulting address (CR2). The U bit of a page fault's error code says
 * whether ring 3 did it. IF of the stored EFLAGS says whether events were unmasked; its other bits are
 * as they were. The handler starts with TF, NT, RF and VM clear. A frame that cannot be stored kills
 * the domain.
 *
 * Code selectors must be ATELIER_RING1_CODE, or have RPL 1 and name none of the reserved slots;
 * addresses lie below ATELIER_LINE.
 */
#ifndef ATELIER_PUBLIC_TRAP_H
#define ATELIER_PUBLIC_TRAP_H

#include "atelier.h"

/*
 * set_trap_table(struct trap_entry *, count): replaces the table: up to 256 entries, vectors that
 * are not named have no handler (an exception without a handler kills the domain; INT n without one
 * is #GP). -E2BIG, -EFAULT, -EINVAL (flags, a vector named twice), -EPERM (selector or address);
 * then the old table stands.
 */
#define TRAP_DPL		3	/* mask: the least privileged ring that may use INT n */
#define TRAP_MASK_EVENTS	4	/* set upcall_mask on delivery */

/*
 * set_fast_trap(vector): makes a vector (0x80, or 0x20 to 0x2f) a gate from ring 3 straight to ring
 * 1, as the trap table has it now; FAST_TRAP_NONE: no fast one. -EINVAL: another vector; -EPERM:
 * the entry is absent, masks events, or its selector is not a ring-1 one; the old gate stands.
 */
#define FAST_TRAP_NONE		0xffffffff

/*
 * set_callbacks(struct callbacks *): -EFAULT, -EINVAL (too many ranges, end before start), -EPERM
 * (selector, address).
 *
 * The event callback gets a frame as above. If ring 1 was interrupted at an address inside a range
 * (start <= EIP < end), no frame is built: upcall_mask is set and the guest goes on at the range's
 * @resume, which must take it from there. The failsafe callback comes when the return to the guest
 * faulted (a selector that cannot be loaded): below the frame lie, from ESP upward, DS, ES, FS, GS
 * as they were to be loaded; the registers hold ATELIER_RING1_DATA. A fault on the return to the
 * failsafe callback kills the domain.
 */
#define CALLBACK_RANGES		8

#ifndef __ASSEMBLY__
struct trap_entry {
	uint8_t vector;
	uint8_t flags;		/* TRAP_... */
	uint16_t cs;
	uint32_t address;	/* not 0 */
};

struct code_range {
	uint32_t start, end, resume;
};

struct callbacks {
	uint32_t event_cs, event_eip;
	uint32_t failsafe_cs, failsafe_eip;
	uint32_t range_count;
	struct code_range ranges[CALLBACK_RANGES];
};
#endif

#endif
