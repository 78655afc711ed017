/* SPDX-License-Identifier: MIT */
/*
 * The TLB: which flush is owed, and to whom.
 *
 * The processor may remember a translation after its entry is gone. That is harmless until the
 * frame at the other end becomes something else: a table, another domain's. So each frame remembers
 * when its last mapping was taken away, by a clock that every flush advances, and whoever changes a
 * frame's type or owner first settles what is owed. One flush pays for all.
 *
 * Invariant (M7): no frame of a table type, and no frame that left its domain, can be reached
 * through a remembered translation that would allow what the tables no longer do.
 */
#ifndef ATELIER_TLB_H
#define ATELIER_TLB_H

#include "frame.h"

#ifndef TLB_CLOCK_START
#define TLB_CLOCK_START	1u	/* tests start it close to its wrap */
#endif

void tlb_init(void);

/* For tlb_note() alone. */
extern struct tlb {
	uint32_t clock;		/* advances at every flush; only equality counts, so it may wrap */
	bool wanted;
} tlb;

/* A mapping of @mfn, or @mfn's use as a table, was just taken away. */
static inline void tlb_note(mfn_t mfn)
{
	frame_record(mfn)->stamp = tlb.clock;
}

/* Before @mfn becomes something else: flushes if no flush came since its last tlb_note(). */
void tlb_settle(mfn_t mfn);

/* A guest asked for a flush: done at the end of the call, once. */
void tlb_want_flush(void);

/* At the end of each batched call: does what was wanted. */
void tlb_end_of_call(void);

/* Every load of a base flushes; paging.c loads them through this. */
void tlb_load_base(mfn_t directory);

#endif
