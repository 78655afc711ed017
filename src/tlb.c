// SPDX-License-Identifier: MIT
#include "tlb.h"
#include "frame.h"
#include "machine.h"

struct tlb tlb;

void tlb_init(void)
{
	tlb.clock = TLB_CLOCK_START;
	tlb.wanted = false;
}

static void flush(void)
{
	machine_flush_tlb();
	tlb.clock++;
	tlb.wanted = false;
}

void tlb_settle(mfn_t mfn)
{
	/* After 2^32 flushes an old stamp looks new: one flush too many, never one too few. */
	if (frame_record(mfn)->stamp == tlb.clock)
		flush();
}

void tlb_want_flush(void)
{
	tlb.wanted = true;
}

void tlb_end_of_call(void)
{
	if (tlb.wanted)
		flush();
}

void tlb_load_base(mfn_t directory)
{
	machine_load_base(directory);
	tlb.clock++;
	tlb.wanted = false;
}
