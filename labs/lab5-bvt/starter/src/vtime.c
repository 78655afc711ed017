// SPDX-License-Identifier: MIT
#include "vtime.h"

/*
 * Exercise 5.5. @d gets the processor now: from here on its virtual time passes. sched_bill() may move @since
 * forwards, by what was another's. Handout, part 5.5.
 */
void vtime_switch_in(struct domain *d)
{
	exercise_missing("5.5");
	d->vtime.since = d->vtime.used = machine_now();		/* a clock that goes forwards, at least */
}

/*
 * Exercise 5.5. @d had the processor until now: returns for how many nanoseconds since vtime_switch_in(), or
 * since the last call of this, and that much virtual time has passed. If its alarm's time has come, it gets
 * VIRQ_VTIMER, once, and has no alarm any more. No domain's virtual time is ahead of the real one. Handout,
 * part 5.5.
 */
uint64_t vtime_switch_out(struct domain *d)
{
	uint64_t since = d->vtime.since;

	exercise_missing("5.5");
	d->vtime.since = d->vtime.used = machine_now();
	return d->vtime.since - since;		/* so that the policy can be told how long it ran */
}

/*
 * Exercise 5.5. set_timer() with TIMER_VIRTUAL, for the current domain: replaces the alarm, TIMER_OFF takes it
 * away. One in the past comes at once. The slice that is under way must end no later than the alarm
 * (vtime_left(), sched_reconsider()). It ends with the domain. Handout, part 5.5.
 */
int vtime_arm(struct domain *d, uint64_t deadline)
{
	return exercise_missing("5.5");
}
