/* SPDX-License-Identifier: MIT */
/*
 * Time, in nanoseconds: the three clocks (struct shared_time) and the two alarms (public/timer.h).
 */
#ifndef MINI_TIME_H
#define MINI_TIME_H

#include "lib/types.h"

#define MICROSECOND	1000ull
#define MILLISECOND	1000000ull
#define SECOND		1000000000ull

struct time {
	uint64_t real;		/* since the machine started */
	uint64_t virtual;	/* while this domain ran */
	uint64_t wall;		/* since 1970-01-01 00:00 UTC */
};

/* All three, as of one moment. Costs no call. */
struct time time_read(void);

static inline uint64_t time_now(void)
{
	return time_read().real;
}

/*
 * Some instructions that do nothing, for a loop that waits: an emulator's clock counts them, and it gets over one long block in
 * less of the host's time than over short ones.
 */
#define TIME_PASS	".fill 250, 1, 0x90\n"
#define TIME_PASS_COUNT	250u	/* of them, in TIME_PASS */

static inline void time_pass(void)
{
	asm volatile(TIME_PASS);
}

/*
 * About @count instructions, most of them in long blocks, and one more if @count is one more: so the moment of what comes next can be
 * chosen to the instruction.
 */
static inline void time_spin(uint32_t count)
{
	uint32_t turns;

	for (; count > TIME_PASS_COUNT; count -= TIME_PASS_COUNT)
		time_pass();
	if (count & 1)
		asm volatile("nop");
	turns = count / 2;
	if (turns)
		asm volatile("1: dec %0\n"
			     "jnz 1b\n" : "+r" (turns));
}

/* Arms the alarm that raises VIRQ_TIMER; @deadline is a moment in real time. 0 or an error. */
int time_alarm(uint64_t deadline);

#endif
