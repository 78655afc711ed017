// SPDX-License-Identifier: MIT
#include "tlb.h"

/*
 * Exercise 3.6. Before @mfn becomes something else, or somebody else's: flushes the TLB (machine_flush_tlb()), unless it has
 * been flushed since the last tlb_note() of @mfn. A flush too many costs time, one too few the machine. A clock
 * of 32 bits comes round; it starts at TLB_CLOCK_START. Loading a base flushes as well (tlb_load_base()).
 *
 * Invariant (M7): no frame of a table type, and no frame that left its domain, can be reached through a remembered
 * translation that would allow what the tables no longer do. Handout: "TLB".
 */
void tlb_settle(mfn_t mfn)
{
	exercise_missing("3.6");
}

/*
 * Exercise 3.6. The end of a call that may have asked for flushes: does what was wanted (tlb_want_flush()), once, however
 * often it was, and not at all if it was not, or if a flush has come since. Handout: "TLB".
 */
void tlb_end_of_call(void)
{
	exercise_missing("3.6");
}
