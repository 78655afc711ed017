/* SPDX-License-Identifier: MIT */
/*
 * Negative offsets: i386 programs reach thread-local data at %gs:0xfffffffc, below the segment's
 * base, by wrapping around 4 GiB. In a segment that ends at the fence that is a #GP. Here the
 * descriptor is turned over: expand-up, it reaches from its base to the fence; expand-down, the
 * addresses below its base. Each way round, it stays below the fence, and the instruction is tried
 * again.
 *
 * Invariant (S5): a descriptor is changed only if the access then succeeds; both forms satisfy
 * segment_fit().
 */
#ifndef ATELIER_TLS_FIXUP_H
#define ATELIER_TLS_FIXUP_H

#include "lib/types.h"

struct domain;
struct regs;

/* What reading an instruction came to. */
enum tls_decode {
	TLS_NO,			/* not an access that this file understands: the guest's #GP */
	TLS_OFFSET,		/* the offset is known */
	TLS_FETCH,		/* its bytes cannot be read: a page fault there */
};

enum tls_result {
	TLS_GIVE_GP,		/* the #GP is the guest's */
	TLS_RETRY,		/* turned over: return to the same instruction */
	TLS_GIVE_PF,		/* the guest gets a page fault, at the address in *@fault */
};

/*
 * Decodes the instruction at @eip (linear) far enough to know which segment register it overrides
 * (as the prefix byte) and what offset it accesses. At TLS_FETCH @offset is the address that could
 * not be read.
 */
enum tls_decode tls_offset(const struct regs *regs, uint32_t eip, uint8_t *segment, uint32_t *offset);

struct descriptor;

/* Turns a descriptor over if that makes @offset reachable; false, and unchanged, otherwise. */
bool tls_flip(struct descriptor *desc, uint32_t offset);

/* A door for pc/: a #GP(0) from ring 3. */
enum tls_result tls_fixup(struct domain *d, struct regs *regs, uint32_t *fault);

#endif
