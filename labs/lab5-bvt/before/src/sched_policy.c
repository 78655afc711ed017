// SPDX-License-Identifier: MIT
#include "sched_policy.h"
#include "domain.h"

static struct {
	struct list queue;	/* all that can run; the first one does */
	uint64_t used;		/* nanoseconds of its slice, by the first one */
} turns;

static struct domain *entry(struct list *l)
{
	return container_of(container_of(l, struct sched_entity, queue), struct domain, sched);
}

static bool is_first(const struct domain *d)
{
	return turns.queue.next == &d->sched.queue;
}

void policy_init(void)
{
	list_init(&turns.queue);
	turns.used = 0;
}

void policy_open(struct domain *d)
{
	list_init(&d->sched.queue);
}

/* Takes @d off the queue; whoever is first then begins a slice. */
static void take_off(struct domain *d)
{
	if (is_first(d))
		turns.used = 0;
	list_remove(&d->sched.queue);
}

struct domain *policy_pick(void)
{
	if (list_empty(&turns.queue))
		return NULL;
	if (turns.used >= SLICE)
		policy_yield(entry(turns.queue.next));
	return entry(turns.queue.next);
}

uint64_t policy_slice(struct domain *d)
{
	return SLICE - turns.used;
}

void policy_charge(struct domain *d, uint64_t time)
{
	if (is_first(d))
		turns.used += time;
}

void policy_wake(struct domain *d)
{
	list_insert(&d->sched.queue, &turns.queue);
}

void policy_sleep(struct domain *d)
{
	take_off(d);
}

void policy_yield(struct domain *d)
{
	take_off(d);
	policy_wake(d);
}

void policy_leave(struct domain *d)
{
	take_off(d);
}
