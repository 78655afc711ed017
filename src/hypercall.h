/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls: from a number in EAX to a handler, once or in a list.
 *
 * Invariant: of the caller's registers only EAX changes; a multicall never runs inside another.
 */
#ifndef ATELIER_HYPERCALL_H
#define ATELIER_HYPERCALL_H

#include "lib/types.h"
#include "public/hypercall.h"

struct domain;
struct regs;

/* A handler with its arguments unpacked from args[0] to args[4]; hypercall_table.c makes them. */
typedef int hypercall_fn(struct domain *d, const uint32_t *args);

/* A domain's share. */
struct hypercalls {
	bool in_multicall;
	uint32_t count;		/* calls so far, each entry of a multicall being one */
};

/* Takes the table (rows may be NULL: -ENOSYS) and opens vector 0x82 to ring 1 alone. */
void hypercall_init(hypercall_fn *const *table, uint32_t rows);

/* Debug builds: runs @audit after every call; a false answer stops the machine. NULL: none. */
void hypercall_set_audit(bool (*audit)(void));

/* A door for pc/: serves the call in @regs for @d and puts the answer into EAX. */
void hypercall_dispatch(struct domain *d, struct regs *regs);

int do_console_write(struct domain *d, guest_addr_t bytes, uint32_t count);
int do_multicall(struct domain *d, guest_addr_t list, uint32_t count);

#endif
