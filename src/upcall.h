/* SPDX-License-Identifier: MIT */
/*
 * Upcalls: how a guest is entered: for an event, an exception, or because the way back to it
 * failed.
 *
 * A frame goes onto a stack that the guest named, by a store that ring 0 makes: so every word is
 * range-checked and may fault, and a fault there kills the domain (the paper's double fault), never
 * the machine. Delivery may only add masking.
 *
 * Invariants: assurance E2, S4, S6.
 */
#ifndef ATELIER_UPCALL_H
#define ATELIER_UPCALL_H

#include "lib/types.h"
#include "public/trap.h"

struct domain;
struct regs;

/* A domain's share. Nothing registered: all 0; then an event waits and an exception kills. */
struct upcalls {
	struct callbacks callbacks;
};

int do_set_callbacks(struct domain *d, guest_addr_t arg);

/* Whether @eip lies in one of the guest's ranges; then *@resume is where to go on. */
bool in_critical_range(const struct domain *d, uint32_t eip, uint32_t *resume);

/* Doors for pc/, on the way back to @d, which is the current one. */

/* If an event is deliverable and not masked: makes the return one to the callback. */
void upcall_deliver(struct domain *d, struct regs *regs);

/* An exception of the guest. @fault: the faulting address of a page fault. May kill the domain. */
void upcall_exception(struct domain *d, struct regs *regs, unsigned int vector, uint32_t error, uint32_t fault);

/*
 * `INT n` of the guest, at @regs->eip. True: its own table allows it, and the handler is entered;
 * false: it is a #GP of the guest's.
 */
bool upcall_int_n(struct domain *d, struct regs *regs, unsigned int vector);

/* Loading @regs into the processor faulted. */
void upcall_failsafe(struct domain *d, struct regs *regs);

#endif
