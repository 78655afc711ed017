/* SPDX-License-Identifier: MIT */
/*
 * When a domain had the processor, as it finds out by itself: it looks at the time stamp counter again and again, and a look that
 * comes late says that somebody else ran in between. The judge holds this against what the machine looked like from outside.
 */
#ifndef LAB5_TRACE_H
#define LAB5_TRACE_H

#include "mini.h"
#include "time.h"

#define TRACE_GAP	20000u		/* cycles: more than the hypervisor takes between two looks without a switch */
#define TRACE_MOST	8192u

static struct {
	uint32_t stretch[TRACE_MOST][2];	/* cycles, the low words: from, to */
	uint32_t count, lost;
	uint32_t last;				/* look */
} trace;

static inline void trace_look(void)
{
	uint32_t now = read_tsc();

	if (trace.count == 0 || now - trace.last > TRACE_GAP) {
		if (trace.count == TRACE_MOST) {
			trace.lost++;
			trace.count--;
		}
		trace.stretch[trace.count++][0] = now;
	}
	trace.stretch[trace.count - 1][1] = now;
	trace.last = now;
}

/* Before a sleep, however short: the next look begins a stretch. */
static inline void trace_stop(void)
{
	trace_look();
	trace.last -= 2 * TRACE_GAP;
}

/* The counter at a moment of real time. Good for a second or so around now. */
static inline uint64_t cycles_at(uint64_t time)
{
	uint64_t tsc = read_tsc();

	return tsc + (time - time_now()) * shared_info.time.tsc_khz / 1000000;
}

static inline void trace_spin_until(uint64_t cycles)
{
	do {
		trace_look();
		time_pass();
	} while (read_tsc() < cycles);
}

static inline void trace_tell(void)
{
	observe("lost count", 0, trace.lost);
	observe_bytes("ran stretches:bytes", 0, trace.stretch, trace.count * sizeof(trace.stretch[0]));
}

#endif
