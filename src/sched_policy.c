// SPDX-License-Identifier: MIT
#include "sched_policy.h"
#include "domain.h"

static struct {
	struct list queue;	/* all that can run; the first one does */
} policy;

static struct domain *entry(struct list *l)
{
	return container_of(container_of(l, struct sched_entity, queue), struct domain, sched);
}

void policy_init(void)
{
	list_init(&policy.queue);
}

struct domain *policy_pick(void)
{
	return list_empty(&policy.queue) ? NULL : entry(policy.queue.next);
}

uint64_t policy_slice(struct domain *d)
{
	bool alone = d->sched.queue.next == &policy.queue && d->sched.queue.prev == &policy.queue;

	return alone ? TIMER_NEVER : SLICE;
}

void policy_charge(struct domain *d, uint64_t time)
{
}

void policy_wake(struct domain *d)
{
	list_insert(&d->sched.queue, &policy.queue);
}

void policy_sleep(struct domain *d)
{
	list_remove(&d->sched.queue);
}

void policy_yield(struct domain *d)
{
	list_remove(&d->sched.queue);
	list_insert(&d->sched.queue, &policy.queue);
}

void policy_leave(struct domain *d)
{
	list_remove(&d->sched.queue);
}
