/* SPDX-License-Identifier: MIT */
/*
 * The second opinion: whether the machine is in a state that no guest can hurt anybody from, worked out from raw memory and from what the
 * processor was told, with rules of its own. The hypervisor's records are compared with that, never believed.
 */
#ifndef HOST_AUDIT_H
#define HOST_AUDIT_H

#include "lib/types.h"

/*
 * NULL, or the first thing that is wrong, in a line that is good until the next call. M1 to M10 of the invariants: owners, references,
 * types, contents, bases, what is reachable, what the TLB may remember; S1 and S2: descriptors; E1: ports.
 */
const char *audit(void);

/* The same without the ports: what calls about memory can break. */
const char *audit_memory(void);

/* M7 alone: what the processor may remember must hold in the middle of a call, too, whenever a frame changes hands. */
const char *audit_tlb(void);

/* The hypervisor's own auditors and audit(); the test ends with the reason if one objects. */
void audit_all(void);

/*
 * The linear addresses that a descriptor reaches (SDM 3A, 3.4.5 and 5.3), as up to two runs from first to last, and how many.
 * Worked out in 64 bits.
 */
struct audit_run {
	uint32_t first, last;
};
unsigned int audit_reach(uint32_t low, uint32_t high, struct audit_run runs[2]);

/* Whether a guest may have this descriptor. */
bool audit_descriptor_ok(uint32_t low, uint32_t high);

#endif
