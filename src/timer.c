// SPDX-License-Identifier: MIT
#include "timer.h"
#include "domain.h"
#include "guest_copy.h"
#include "machine.h"

static struct {
	struct list armed;	/* domains' timers by deadline, the next one first */
	uint64_t slice;
	uint64_t programmed;	/* what the machine was asked for last, and has not come */
} timer;

void timer_init(void)
{
	list_init(&timer.armed);
	timer.slice = TIMER_NEVER;
	timer.programmed = TIMER_NEVER;
}

void timers_open(struct domain *d)
{
	list_init(&d->timers.armed);
}

void timers_destroy(struct domain *d)
{
	list_remove(&d->timers.armed);
}

static struct timers *first(void)
{
	return list_empty(&timer.armed) ? NULL : list_entry(timer.armed.next, struct timers, armed);
}

/*
 * Programs the machine if something comes before what it knows of. Too early is harmless:
 * timer_tick() asks again.
 */
static void program(void)
{
	uint64_t next = first() ? MIN(first()->deadline, timer.slice) : timer.slice;

	if (next < timer.programmed) {
		timer.programmed = next;
		machine_timer_arm(next);
	}
}

/* The scheduler's part of a tick. */
static void tick_slice(uint64_t now)
{
	if (timer.slice > now)
		return;
	timer.slice = TIMER_NEVER;
	sched_reconsider();
}

void timer_tick(void)
{
	uint64_t now = machine_now();
	struct timers *t;

	timer.programmed = TIMER_NEVER;
	while ((t = first()) && t->deadline <= now) {
		list_remove(&t->armed);
		event_raise_virq(container_of(t, struct domain, timers), VIRQ_TIMER);
	}
	tick_slice(now);
	program();
}

void timer_set_slice(uint64_t deadline)
{
	timer.slice = deadline;
	program();
}

static void insert(struct timers *t)
{
	struct list *where = timer.armed.next;

	while (where != &timer.armed && list_entry(where, struct timers, armed)->deadline <= t->deadline)
		where = where->next;
	list_insert(&t->armed, where);
}

int do_set_timer(struct domain *d, guest_addr_t arg)
{
	struct set_timer op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if ((op.flags & ~TIMER_FLAGS) || op.reserved)
		return -EINVAL;
	if (op.flags & TIMER_VIRTUAL)
		return vtime_arm(d, op.deadline);

	list_remove(&d->timers.armed);
	if (op.deadline == TIMER_OFF)
		return 0;
	if (op.deadline <= machine_now()) {
		event_raise_virq(d, VIRQ_TIMER);
		return 0;
	}
	d->timers.deadline = op.deadline;
	insert(&d->timers);
	program();
	return 0;
}

void time_publish(struct domain *d)
{
	struct machine_clock c = machine_clock_read();
	volatile struct shared_time *t = &d->shared->time;
	uint32_t version = t->version | 1;

	t->version = version;		/* odd: being changed */
	t->tsc_mul = c.mul;
	t->tsc_shift = c.shift;
	t->tsc_khz = c.khz;
	t->tsc_stamp = c.tsc;
	t->system_time = c.now;
	t->virtual_time = d->vtime.used;
	t->wall_offset = machine_wall_offset();
	t->version = version + 1;
}
