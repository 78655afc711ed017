// SPDX-License-Identifier: MIT
#include "vtime.h"
#include "domain.h"
#include "machine.h"

void vtime_switch_in(struct domain *d)
{
	d->vtime.since = machine_now();
}

uint64_t vtime_switch_out(struct domain *d)
{
	struct vtime *v = &d->vtime;
	uint64_t now = machine_now(), time = now - v->since;

	v->since = now;
	v->used += time;
	if (v->alarm != TIMER_OFF && v->alarm <= v->used) {
		v->alarm = TIMER_OFF;
		event_raise_virq(d, VIRQ_VTIMER);
	}
	return time;
}

uint64_t vtime_left(const struct domain *d)
{
	const struct vtime *v = &d->vtime;

	if (v->alarm == TIMER_OFF)
		return TIMER_NEVER;
	return v->alarm > v->used ? v->alarm - v->used : 0;
}

int vtime_arm(struct domain *d, uint64_t deadline)
{
	d->vtime.alarm = deadline;
	sched_reconsider();
	return 0;
}
