// SPDX-License-Identifier: MIT
/* The machine's timer has one client, the scheduler: what it is armed for is the end of the slice. */
#include "timer.h"
#include "domain.h"
#include "machine.h"

static struct {
	uint64_t slice;
} timer;

void timer_init(void)
{
	timer.slice = TIMER_NEVER;
}

void timer_set_slice(uint64_t deadline)
{
	timer.slice = deadline;
	machine_timer_arm(deadline);
}

/* The machine may be early: then it is asked once more. */
void timer_tick(void)
{
	if (machine_now() < timer.slice)
		machine_timer_arm(timer.slice);
	else
		sched_reconsider();
}
