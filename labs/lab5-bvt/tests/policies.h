/* SPDX-License-Identifier: MIT */
/*
 * The pure policy on the host: domains that nothing runs, a clock that the test moves, and what an observer of the machine would
 * count. Nothing of what the policy itself keeps is looked at.
 */
#ifndef LAB5_POLICIES_H
#define LAB5_POLICIES_H

#include "host/domains.h"
#include "host/program.h"

#define SECOND		1000000000ull
#define RUNNERS_MAX	5u

static struct domain *runners[RUNNERS_MAX];
static uint64_t ran[RUNNERS_MAX];	/* nanoseconds of the processor */
static uint32_t runner_count;
static uint32_t random_state;

/* @count domains, all asleep. */
static void runners_open(uint32_t count)
{
	host_start(32);
	for (runner_count = 0; runner_count < count; runner_count++) {
		runners[runner_count] = domain_open("runner", 0);
		ran[runner_count] = 0;
	}
}

static int32_t runner_set(uint32_t who, struct control_sched wish)
{
	return policy_set(runners[who], &wish);
}

static void runner_runs(uint32_t who, uint64_t time)
{
	host.now += time;
	policy_charge(runners[who], time);
	ran[who] += time;
}

/* Whom the policy picks; runner_count: nobody, or one that is not there. */
static uint32_t runner_picked(void)
{
	struct domain *d = policy_pick();
	uint32_t who = 0;

	while (who < runner_count && runners[who] != d)
		who++;
	return who;
}

static inline uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return (uint64_t)(random_state * 0x9e3779b1u) * n >> 32;
}

#endif
