/* SPDX-License-Identifier: MIT */
/*
 * Two kinds of end: a domain's, which costs that domain only, and the hypervisor's, which stops the
 * machine.
 *
 * Invariant: nothing that a guest does reaches crash_machine() or an ASSERT. One that does is a
 * security bug.
 */
#ifndef ATELIER_CRASH_H
#define ATELIER_CRASH_H

#include "lib/types.h"

struct domain;
struct regs;

/* On whose behalf the hypervisor works: for the report. Set at a switch and at each call. */
struct crash_context {
	struct domain *domain;
	uint32_t call;		/* HYPERCALL_..., or UINT32_MAX outside a call */
};
extern struct crash_context crash_context;

/*
 * Marks @d as dying and prints why, once; a domain that is dying already stays as it is. The caller
 * goes on and returns as usual: the domain never runs again. Domain 0's death stops the machine.
 */
void crash_domain(struct domain *d, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * The same without a word, for an end that was asked for. @reason is SHUTDOWN_..., @status domain
 * 0's.
 */
void crash_end(struct domain *d, uint32_t reason, uint32_t status);

/* domain.c lies above this file: it says here how a domain dies. */
void crash_set_kill(void (*kill)(struct domain *d, uint32_t reason, uint32_t status));

/*
 * Prints the report (reason, domain, call, registers, back-trace) and stops. @regs: of a fault in
 * ring 0, or NULL.
 */
NORETURN void crash_machine(const struct regs *regs, const char *format, ...) PRINTF_LIKE(2, 3);

/* What only our own bug can break. */
#define ASSERT(x) \
	((x) ? (void)0 : crash_machine(NULL, "%s:%d: assertion failed: %s", __FILE__, __LINE__, #x))

#endif
