/* SPDX-License-Identifier: MIT */
/*
 * A domain's virtual time: how long it has had the processor, itself or by what others' time was spent on
 * (sched_bill()). It passes while the domain runs, so an alarm on it needs no timer of its own: the scheduler
 * ends the slice no later.
 *
 * Invariant: no domain's virtual time is ahead of the real one, and all together had no more than the
 * machine's.
 */
#ifndef ATELIER_VTIME_H
#define ATELIER_VTIME_H

#include "lib/types.h"

struct domain;

/* A domain's share. */
struct vtime {
	uint64_t used;		/* nanoseconds, until @since */
	uint64_t since;		/* real time, while it runs */
	uint64_t alarm;		/* virtual time; TIMER_OFF: none */
};

/* @d gets the processor now. */
void vtime_switch_in(struct domain *d);

/*
 * @d had it until now: returns for how many nanoseconds since vtime_switch_in(), and raises VIRQ_VTIMER
 * if its alarm's time has come.
 */
uint64_t vtime_switch_out(struct domain *d);

/* Nanoseconds of the processor until @d's alarm; TIMER_NEVER: it has none. */
uint64_t vtime_left(const struct domain *d);

/* set_timer() with TIMER_VIRTUAL, for the current domain: replaces the alarm; one in the past comes at once. */
int vtime_arm(struct domain *d, uint64_t deadline);

#endif
