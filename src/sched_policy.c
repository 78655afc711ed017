// SPDX-License-Identifier: MIT
#include "sched_policy.h"
#include "domain.h"
#include "machine.h"

#define LIFT_SHIFT	60	/* SVT passes a multiple of 2^60: time to look after sleepers */

static struct {
	struct list queue;		/* all that can run */
	struct domain *running;		/* chosen last */
	struct domain *yielded;		/* who lets another one go first */
	uint64_t svt;
	uint32_t allowance;		/* nanoseconds */
} policy;

static struct domain *entry(struct list *l)
{
	return container_of(container_of(l, struct sched_entity, queue), struct domain, sched);
}

static bool queued(const struct domain *d)
{
	return d->sched.queue.next != &d->sched.queue;
}

/* Virtual times wrap: which of two is less is said by their difference alone, which stays far below 2^63. */
static bool earlier(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

void policy_init(void)
{
	list_init(&policy.queue);
	policy.running = policy.yielded = NULL;
	policy.svt = 0;
	policy.allowance = POLICY_ALLOWANCE;
}

static uint32_t advance_of(uint32_t weight)
{
	return (POLICY_UNIT * POLICY_WEIGHT + weight / 2) / weight;
}

void policy_open(struct domain *d)
{
	list_init(&d->sched.queue);
	d->policy.avt = policy.svt;
	d->policy.weight = POLICY_WEIGHT;
	d->policy.advance = advance_of(POLICY_WEIGHT);
}

/* ---- claims ---- */

static bool warped(const struct policy_share *s, uint64_t now)
{
	return s->warp > 0 && now >= s->rest_until;
}

static uint64_t claim(const struct domain *d, uint64_t now)
{
	const struct policy_share *s = &d->policy;

	return warped(s, now) ? s->avt - (uint64_t)s->warp * POLICY_UNIT : s->avt;
}

/* The least claim of all but @but; the one that waited longest, if there are two. NULL: nobody else. */
static struct domain *least_claim(const struct domain *but, uint64_t now)
{
	struct domain *least = NULL;

	list_for_each(l, &policy.queue)
		if (entry(l) != but && (!least || earlier(claim(entry(l), now), claim(least, now))))
			least = entry(l);
	return least;
}

/* Whether the one that runs is so far beyond @d that @d's turn has come. */
static bool preempts(const struct domain *d, const struct domain *running, uint64_t now)
{
	int64_t lead = claim(running, now) - claim(d, now);

	return lead > 0 && lead >= (int64_t)((uint64_t)policy.allowance * running->policy.advance);
}

/*
 * Who goes first now that the one that yielded steps back; itself, if nobody else can run. What it was
 * behind the other it gives up: else the other would have no more than the shortest of slices.
 */
static struct domain *after_yield(uint64_t now)
{
	struct domain *yielded = policy.yielded, *next = least_claim(yielded, now);

	policy.yielded = NULL;
	if (!next)
		return queued(yielded) ? yielded : NULL;
	if (earlier(yielded->policy.avt, next->policy.avt))
		yielded->policy.avt = next->policy.avt;
	return next;
}

/*
 * The least claim, or the one that runs, if it is not yet so far beyond that.
 *
 * Why shares are fair, as the header says: while i runs, E_i - E_j <= (C + d) m_i, and it is only chosen if it has the
 * least claim. So -(C + d) m_j <= A_i - A_j <= (C + d) m_i at every moment, and what A_i - A_j grew by over an
 * interval, s_i m_i - s_j m_j, is the difference of two such values.
 */
static struct domain *least_or_running(uint64_t now)
{
	struct domain *running = policy.running, *next = least_claim(NULL, now);

	if (next && running && queued(running) && !preempts(next, running, now))
		return running;
	return next;
}

struct domain *policy_pick(void)
{
	uint64_t now = machine_now();

	policy.running = policy.yielded ? after_yield(now) : least_or_running(now);
	return policy.running;
}

/* ---- time ---- */

/* When some other domain's rest is over its claim becomes less: that is worth a look. */
static uint64_t until_a_rest_ends(const struct domain *but, uint64_t now)
{
	uint64_t least = POLICY_SLICE_MAX;

	list_for_each(l, &policy.queue) {
		const struct policy_share *s = &entry(l)->policy;

		if (entry(l) != but && s->warp > 0 && s->rest_until > now)
			least = MIN(least, s->rest_until - now);
	}
	return least;
}

uint64_t policy_slice(struct domain *d)
{
	uint64_t now = machine_now();
	const struct domain *next = least_claim(d, now);
	int64_t slice = POLICY_SLICE_MAX;

	if (next)
		slice = (int64_t)(claim(next, now) - claim(d, now)) / (int64_t)d->policy.advance + policy.allowance;
	if (warped(&d->policy, now))
		slice = MIN(slice, (int64_t)(d->policy.warp_limit - d->policy.warped));
	slice = MIN(slice, (int64_t)until_a_rest_ends(d, now));
	return MIN(MAX(slice, (int64_t)POLICY_SLICE_MIN), (int64_t)POLICY_SLICE_MAX);
}

/*
 * A sleeper that is behind would be lifted when it wakes. If it sleeps for so long that the difference
 * wraps, it would seem to be ahead: so all are lifted long before that.
 */
static void lift_sleepers(void)
{
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		if (!queued(d) && earlier(d->policy.avt, policy.svt))
			d->policy.avt = policy.svt;
}

static void advance_svt(void)
{
	uint64_t before = policy.svt, least;

	if (list_empty(&policy.queue))
		return;
	least = entry(policy.queue.next)->policy.avt;
	list_for_each(l, &policy.queue)
		if (earlier(entry(l)->policy.avt, least))
			least = entry(l)->policy.avt;
	if (earlier(policy.svt, least))
		policy.svt = least;
	if (before >> LIFT_SHIFT != policy.svt >> LIFT_SHIFT)
		lift_sleepers();
}

static void charge_warp(struct policy_share *s, uint64_t time)
{
	uint64_t now = machine_now();

	if (!warped(s, now))
		return;
	s->warped += MIN(time, s->warp_limit - s->warped);
	if (s->warped == s->warp_limit) {
		s->warped = 0;
		s->rest_until = now + s->unwarp;
	}
}

void policy_charge(struct domain *d, uint64_t time)
{
	/* A machine that was stopped under us may say that days went by: nobody had them. */
	time = MIN(time, 2ull * POLICY_SLICE_MAX);
	d->policy.avt += time * d->policy.advance;
	charge_warp(&d->policy, time);
	advance_svt();
}

/* ---- coming and going ---- */

void policy_wake(struct domain *d)
{
	if (earlier(d->policy.avt, policy.svt))
		d->policy.avt = policy.svt;
	list_insert(&d->sched.queue, &policy.queue);
	advance_svt();
}

void policy_sleep(struct domain *d)
{
	list_remove(&d->sched.queue);
	advance_svt();
}

void policy_yield(struct domain *d)
{
	policy.yielded = d;
}

void policy_leave(struct domain *d)
{
	list_remove(&d->sched.queue);
	if (policy.running == d)
		policy.running = NULL;
	if (policy.yielded == d)
		policy.yielded = NULL;
	advance_svt();
}

/* ---- what domain 0 wishes ---- */

int policy_set(struct domain *d, const struct control_sched *wish)
{
	struct policy_share *s = &d->policy;

	if (wish->weight == 0 || wish->weight > POLICY_WEIGHT_MAX || (wish->warp > 0 && wish->warp_limit == 0))
		return -EINVAL;
	if (wish->allowance &&
	    (wish->allowance < POLICY_ALLOWANCE_MIN || wish->allowance > POLICY_ALLOWANCE_MAX))
		return -EINVAL;
	s->weight = wish->weight;
	s->advance = advance_of(wish->weight);
	s->warp = wish->warp;
	s->warp_limit = wish->warp_limit;
	s->unwarp = wish->unwarp;
	/* What it has used of its warp stays used, and a rest goes on: a new wish is no new loan. */
	s->warped = MIN(s->warped, s->warp_limit);
	if (wish->allowance)
		policy.allowance = wish->allowance;
	return 0;
}

void policy_get(const struct domain *d, struct control_sched *is)
{
	const struct policy_share *s = &d->policy;

	*is = (struct control_sched){
		.weight = s->weight,
		.warp = s->warp,
		.warp_limit = s->warp_limit,
		.unwarp = s->unwarp,
		.allowance = policy.allowance,
	};
}
