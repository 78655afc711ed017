/* SPDX-License-Identifier: MIT */

/*
 * Exercise 3.6. A mapping of @mfn, or @mfn's use as a table, was just taken away: the processor may remember it until the
 * next flush. Whatever tlb_settle() will have to know about that is noted here; struct frame and struct tlb
 * have room for it. Handout: "TLB".
 */
static inline void tlb_note(mfn_t mfn)
{
	exercise_missing("3.6");
}
