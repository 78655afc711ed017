/* SPDX-License-Identifier: MIT */
/*
 * Trap tables: a guest's handlers, and the one that needs no hypervisor (paper, section 3.1.2: fast
 * handlers).
 *
 * Invariant (S3): every selector in a table is one of ring 1 that is not the hypervisor's: a gate
 * ignores the RPL, so the index is what counts.
 */
#ifndef ATELIER_TRAP_TABLE_H
#define ATELIER_TRAP_TABLE_H

#include "lib/types.h"
#include "public/trap.h"

struct domain;

struct trap_handler {
	uint32_t address;	/* 0: none */
	uint16_t cs;
	uint8_t flags;
};

/* A domain's share. */
struct trap_table {
	struct trap_handler handlers[256];
	uint32_t fast;		/* the vector, or FAST_TRAP_NONE */
	struct trap_handler fast_gate;	/* as it was when it was installed */
};

void trap_table_open(struct domain *d);

/* Whether a guest may name this code segment and address for an entry. */
bool trap_target_ok(uint32_t cs, uint32_t address);

/* The handler of @vector, or NULL. */
const struct trap_handler *trap_handler(const struct domain *d, unsigned int vector);

/*
 * At a switch: takes @prev's fast gate out of the IDT and puts @next's in. Either may be NULL:
 * nobody.
 */
void fast_switch_to(struct domain *prev, struct domain *next);

int do_set_trap_table(struct domain *d, guest_addr_t table, uint32_t count);
int do_set_fast_trap(struct domain *d, uint32_t vector);

#endif
