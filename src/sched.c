// SPDX-License-Identifier: MIT
#include "sched.h"
#include "crash.h"
#include "domain.h"
#include "machine.h"
#include "sched_policy.h"

#define NOT_METERED	UINT64_MAX

static struct {
	struct domain *current;		/* who runs; NULL: nobody */
	struct domain *loaded;		/* whose registers and tables the processor holds; NULL: nobody's */
	bool wanted;			/* somebody else may have to run */
	uint64_t metered;		/* from when on; NOT_METERED */
	bool moved;			/* the virtual time of the one that runs is not what it was told */
	bool (*chore)(void);
	bool chore_wanted;
} sched;

void sched_init(void)
{
	sched.current = sched.loaded = NULL;
	sched.wanted = true;
	sched.chore_wanted = sched.moved = false;
	sched.metered = NOT_METERED;
	policy_init();
}

void sched_open(struct domain *d)
{
	policy_open(d);
	d->sched.paused = 1;
}

struct domain *sched_current(void)
{
	return sched.current;
}

static bool can_run(const struct domain *d)
{
	return d->life == LIFE_OPEN && !d->sched.blocked && d->sched.paused == 0;
}

/* Charges the one that runs up to now: only then can the policy compare it with others. */
static void charge(void)
{
	struct domain *d = sched.current;

	if (d && d->life == LIFE_OPEN)
		policy_charge(d, vtime_switch_out(d));
}

void sched_meter(void)
{
	sched.metered = machine_now();
}

/* Takes the time from @from to @to, or as much of that as is not charged yet, off the one that runs; how much that was. */
static uint64_t take_off(struct domain *runs, uint64_t from, uint64_t to)
{
	uint64_t time = to - MAX(from, runs->vtime.since);

	runs->vtime.since += time;
	sched.moved = true;
	sched.wanted = true;		/* its slice ends later by that */
	return time;
}

void sched_bill(struct domain *d)
{
	uint64_t from = sched.metered, now, time;

	if (from == NOT_METERED)
		return;
	now = machine_now();
	time = now - from;
	sched.metered = now;
	if (d == sched.current || d->life != LIFE_OPEN)
		return;
	if (sched.current)
		time = take_off(sched.current, from, now);
	d->vtime.used += time;
	policy_charge(d, time);
}

static void now_runnable(struct domain *d)
{
	charge();		/* what the others are at now is what a sleeper is lifted to */
	policy_wake(d);
	/* Even if it does not preempt: the slice of the one that runs must end earlier now. */
	sched.wanted = true;
}

static void no_longer_runnable(struct domain *d)
{
	charge();		/* while it still counts: what a sleeper is lifted to takes in what it had */
	policy_sleep(d);
	sched.wanted = true;
}

void sched_sleep(struct domain *d)
{
	d->sched.blocked = true;
	no_longer_runnable(d);
}

void sched_wake(struct domain *d)
{
	if (!d->sched.blocked)
		return;
	d->sched.blocked = false;
	if (can_run(d))
		now_runnable(d);
}

void sched_pause(struct domain *d)
{
	bool ran = can_run(d);

	d->sched.paused++;
	if (ran)
		no_longer_runnable(d);
}

void sched_unpause(struct domain *d)
{
	ASSERT(d->sched.paused > 0);
	d->sched.paused--;
	if (can_run(d))
		now_runnable(d);
}

void sched_leave(struct domain *d)
{
	policy_leave(d);
	if (sched.loaded == d) {
		fast_switch_to(d, NULL);	/* lab 2 */
		sched.loaded = NULL;
	}
	sched.wanted = true;
}

void sched_set_chore(bool (*chore)(void))
{
	sched.chore = chore;
}

void sched_want_chore(void)
{
	sched.chore_wanted = true;
	sched.wanted = true;
}

void sched_reconsider(void)
{
	charge();
	sched.wanted = true;
}

/*
 * Makes the processor @d's. Its own page tables are loaded before anything that lies in its
 * windows.
 */
static void load(struct domain *d)
{
	if (sched.loaded == d)
		return;
	if (sched.loaded)
		vcpu_switch_out(sched.loaded);
	fast_switch_to(sched.loaded, d);	/* lab 2 */
	paging_switch_to(d);
	segment_switch_to(d);			/* lab 4 */
	vcpu_switch_in(d);
	sched.loaded = d;
	crash_context.domain = d;
}

static void run(struct domain *d)
{
	uint64_t slice, left;

	load(d);
	vtime_switch_in(d);
	if (sched.current != d || sched.moved) {
		sched.current = d;
		sched.moved = false;
		time_publish(d);	/* lab 2 */
	}
	slice = policy_slice(d);
	left = vtime_left(d);
	timer_set_slice(d->vtime.since + MIN(slice, left));
}

/* One bounded piece of what is left over from the dead, before a guest runs again. */
static void do_chore(void)
{
	if (sched.chore_wanted)
		sched.chore_wanted = sched.chore();
}

/* Nobody can run: time for what is left over and for preparing free frames, a piece between two looks for interrupts. */
static void idle(void)
{
	machine_idle(!sched.chore_wanted && !frame_pool_scrub_one());
}

struct domain *sched_return(void)
{
	struct domain *next;

	while (sched.wanted) {
		sched.wanted = sched.chore_wanted;
		do_chore();
		charge();
		next = policy_pick();
		if (next) {
			run(next);
			break;
		}
		sched.current = NULL;
		sched.wanted = true;
		idle();
	}
	sched.metered = NOT_METERED;
	return sched.current;
}

int do_yield(struct domain *d)
{
	if (can_run(d))		/* a list of calls may have paused it by now */
		policy_yield(d);
	sched.wanted = true;
	return 0;
}
