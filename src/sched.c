// SPDX-License-Identifier: MIT
#include "sched.h"
#include "crash.h"
#include "domain.h"
#include "machine.h"
#include "sched_policy.h"

static struct {
	struct domain *current;		/* who runs; NULL: nobody */
	struct domain *loaded;		/* whose registers and tables the processor holds; NULL: nobody's */
	bool wanted;			/* somebody else may have to run */
	bool (*chore)(void);
	bool chore_wanted;
} sched;

void sched_init(void)
{
	sched.current = sched.loaded = NULL;
	sched.wanted = true;
	sched.chore_wanted = false;
	policy_init();
}

void sched_open(struct domain *d)
{
	list_init(&d->sched.queue);
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

static void now_runnable(struct domain *d)
{
	policy_wake(d);
	/* Even if it does not preempt: the one that ran alone has no end of a slice yet. */
	sched.wanted = true;
}

static void no_longer_runnable(struct domain *d)
{
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

void sched_slice_over(void)
{
	if (sched.current && can_run(sched.current))
		policy_yield(sched.current);
	sched.wanted = true;
}

static void stop_clock(void)
{
	struct domain *d = sched.current;
	uint64_t used;

	if (!d)
		return;
	used = machine_now() - d->sched.started;
	d->sched.run_time += used;
	policy_charge(d, used);
	sched.current = NULL;
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
	paging_switch_to(d);			/* lab 3 */
	segment_switch_to(d);			/* lab 4 */
	vcpu_switch_in(d);
	sched.loaded = d;
	crash_context.domain = d;
}

static void run(struct domain *d)
{
	uint64_t slice = policy_slice(d);

	load(d);
	if (sched.current != d) {
		stop_clock();
		sched.current = d;
		d->sched.started = machine_now();
		time_publish(d);	/* lab 2 */
	}
	timer_set_slice(slice == TIMER_NEVER ? TIMER_NEVER : machine_now() + slice);
}

/* One bounded piece of what is left over from the dead, before a guest runs again. */
static void do_chore(void)
{
	if (sched.chore_wanted)
		sched.chore_wanted = sched.chore();
}

struct domain *sched_return(void)
{
	struct domain *next;

	while (sched.wanted) {
		sched.wanted = sched.chore_wanted;
		do_chore();
		next = policy_pick();
		if (next) {
			run(next);
			break;
		}
		stop_clock();
		sched.wanted = true;
		if (!sched.chore_wanted)
			machine_idle();
	}
	return sched.current;
}

int do_yield(struct domain *d)
{
	if (can_run(d))		/* a list of calls may have paused it by now */
		policy_yield(d);
	sched.wanted = true;
	return 0;
}
