/* SPDX-License-Identifier: MIT */
/*
 * Traps: exceptions and INT n, as the hypervisor passes them on (public/trap.h).
 *
 * A vector that has a handler goes there. Of the others, one from ring 3 ends user_run() (user.h),
 * one from ring 1 ends the try that it came in, and where there is none, the guest panics with the
 * registers.
 */
#ifndef MINI_TRAP_H
#define MINI_TRAP_H

#include "frame.h"
#include "lib/types.h"
#include "public/trap.h"

#define TRAP_PAGE_FAULT		14
#define TRAP_PROTECTION		13
#define TRAP_SYSTEM_CALL	0x80	/* the one vector that ring 3 may use, and the fast one */

/* Returning goes back to where the trap came from, with the frame as the handler leaves it. */
typedef void trap_handler(struct frame *f);

/* Registers exceptions 0 to 31, and TRAP_SYSTEM_CALL for ring 3. 0 or an error. */
int trap_init(void);

/* @vector may be FRAME_FAILSAFE, too. NULL: no handler. */
void trap_set_handler(unsigned int vector, trap_handler *handler);

/*
 * The table row for a vector, for tests that make tables of their own. @flags are TRAP_DPL and
 * TRAP_MASK_EVENTS.
 */
struct trap_entry trap_row(unsigned int vector, uint8_t flags);

/* The trap that ended a try, or none. */
struct fault {
	bool happened;
	uint32_t vector, error, address, eip;
};

/*
 * Calls @fn; a trap in it that has no handler ends it there, and is what is answered. The event
 * mask is then as it was when the trap came, DS and ES are mini's. A try inside a try is fine.
 */
struct fault try_call(void (*fn)(void *arg), void *arg);

/* One access of a 32-bit word. */
struct fault try_read(uint32_t va, uint32_t *value);
struct fault try_write(uint32_t va, uint32_t value);

#endif
