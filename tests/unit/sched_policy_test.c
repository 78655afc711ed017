// SPDX-License-Identifier: MIT
#include "sched_policy.h"
#include <stdlib.h>
#include <string.h>
#include "host/audit.h"
#include "host/domains.h"
#include "unit/test.h"

#define MS	1000000ull
#define DELAY	(1 * MS)	/* the longest between the end of a slice and the switch */
#define BOUND	(policy_now.allowance + DELAY + POLICY_SLICE_MIN)

static struct control_sched policy_now;	/* its allowance */

/* A domain and what an observer knows of it. */
static struct {
	struct domain *d;
	double used;		/* nanoseconds, since all of those compared could run */
	bool asleep, yields;
} all[128];
static unsigned int count;

#define REAL	5u		/* of them have a slot; the policy needs no more of a domain than these have */
static struct domain more[128];

static void start(unsigned int domains)
{
	host_start(32);
	for (count = 0; count < domains; count++) {
		all[count].d = count < REAL ? domain_open("x", 0) : &more[count];
		if (count >= REAL)
			policy_open(all[count].d);
		all[count].used = 0;
		all[count].asleep = all[count].yields = false;
		policy_wake(all[count].d);
	}
	policy_get(all[0].d, &policy_now);
}

static int set(unsigned int i, struct control_sched wish)
{
	int err = policy_set(all[i].d, &wish);

	policy_get(all[i].d, &policy_now);
	return err;
}

static int number(const struct domain *d)
{
	for (unsigned int i = 0; i < count; i++)
		if (all[i].d == d)
			return i;
	return -1;
}

static void pass(int i, uint64_t time)
{
	host.now += time;
	policy_charge(all[i].d, time);
	all[i].used += time;
}

/* Runs the one whose turn it is for its slice and a delay, or for less if something comes between. */
static int step(void)
{
	struct domain *d = policy_pick();
	int i = number(d);
	uint64_t slice;

	EXPECT(i >= 0);
	slice = policy_slice(d);
	EXPECT(slice >= POLICY_SLICE_MIN && slice <= POLICY_SLICE_MAX, "%llu ns", slice);
	pass(i, (unsigned int)rand() % 4 ? slice + (unsigned int)rand() % DELAY : (unsigned int)rand() % slice + 1);
	return i;
}

static double in_virtual(unsigned int i)
{
	return all[i].used * all[i].d->policy.advance;
}

static void compare(unsigned int i, unsigned int j)
{
	double apart = in_virtual(i) - in_virtual(j);
	double most = (double)BOUND * ((double)all[i].d->policy.advance + all[j].d->policy.advance);

	EXPECT(apart <= most && -apart <= most, "%u and %u: %g units apart, %g allowed", i, j, apart, most);
}

static void compare_all(void)
{
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int j = 0; j < i; j++)
			if (!all[i].yields && !all[j].yields)
				compare(i, j);
}

static void random_weights(void)
{
	static const uint32_t some[] = { 1, 2, 3, 100, 256, 257, 1000, 65535 };

	for (unsigned int i = 0; i < count; i++)
		EXPECT_EQ(set(i, (struct control_sched){ .weight = some[(unsigned int)rand() % 8] }), 0);
}

/* ---- shares ---- */

TEST(shares_keep_the_bound_at_every_moment)
{
	static const unsigned int sizes[] = { 2, 3, 8, 128 };

	for (unsigned int s = 0; s < 4; s++) {
		start(sizes[s]);
		random_weights();
		for (unsigned int k = 0; k < 4000; k++) {
			step();
			if (k % sizes[s] == 0)
				compare_all();
		}
	}
}

TEST(virtual_time_wraps_and_nobody_notices)
{
	start(3);
	EXPECT_EQ(set(0, (struct control_sched){ .weight = 1, .allowance = POLICY_ALLOWANCE_MAX }), 0);
	EXPECT_EQ(set(1, (struct control_sched){ .weight = 2 }), 0);
	EXPECT_EQ(set(2, (struct control_sched){ .weight = 3 }), 0);
	for (unsigned int k = 0; k < 20000; k++) {	/* 2^64 units are 1,100 seconds of the first one */
		step();
		compare_all();
	}
	EXPECT(in_virtual(0) > 0x1p64, "%g", in_virtual(0));
}

TEST(a_long_sleep_earns_nothing_and_costs_nothing)
{
	start(3);
	EXPECT_EQ(set(0, (struct control_sched){ .weight = 1 }), 0);
	for (unsigned int sleep = 1; sleep <= 3000; sleep *= 7) {	/* seconds, past a wrap */
		uint64_t end;

		policy_sleep(all[2].d);
		policy_sleep(all[1].d);
		for (unsigned int k = 0; k < sleep; k++) {
			EXPECT_EQ(number(policy_pick()), 0);
			pass(0, 1000 * MS);
		}
		policy_wake(all[1].d);
		policy_wake(all[2].d);
		for (unsigned int i = 0; i < 3; i++)
			all[i].used = 0;
		for (end = host.now + 3000 * MS; host.now < end; compare_all())
			step();
	}
}

/* Bounds hold between those that could run all the time, whatever others do. */
TEST(sleepers_and_yielders_do_not_disturb_others)
{
	start(8);
	random_weights();
	all[6].yields = all[7].yields = true;	/* they sleep too: not compared */
	for (unsigned int k = 0; k < 20000; k++) {
		int i = step();

		if (i >= 6 && (unsigned int)rand() % 2) {
			policy_yield(all[i].d);
		} else if (i >= 6) {
			policy_sleep(all[i].d);
			all[i].asleep = true;
		}
		for (unsigned int j = 6; j < 8; j++)
			if (all[j].asleep && (unsigned int)rand() % 3 == 0) {
				all[j].asleep = false;
				policy_wake(all[j].d);
			}
		compare_all();
	}
}

/* Whether @i's time has come before everybody else's but the one that runs. */
static bool has_least_claim(unsigned int i, unsigned int running)
{
	for (unsigned int j = 0; j < count; j++)
		if (j != i && j != running && all[j].d->policy.avt <= all[i].d->policy.avt)
			return false;
	return true;
}

TEST(who_wakes_with_the_least_claim_runs_within_the_allowance)
{
	unsigned int seen = 0;

	start(4);
	for (unsigned int k = 0; k < 500; k++) {
		uint64_t woken;
		int i;

		policy_sleep(all[3].d);
		for (unsigned int n = (unsigned int)rand() % 20; n > 0; n--)
			step();
		i = number(policy_pick());
		pass(i, (unsigned int)rand() % policy_slice(all[i].d) + 1);
		woken = host.now;
		policy_wake(all[3].d);
		if (!has_least_claim(3, i))
			continue;
		while ((i = number(policy_pick())) != 3)
			pass(i, policy_slice(all[i].d));
		EXPECT(host.now - woken <= policy_now.allowance + POLICY_SLICE_MIN, "%llu ns", host.now - woken);
		pass(3, 1 * MS);
		seen++;
	}
	EXPECT(seen > 50, "%u times", seen);
}

TEST(a_switch_is_worth_its_allowance)
{
	static const uint32_t allowances[] = { POLICY_ALLOWANCE_MIN, 5000000, 50000000, POLICY_ALLOWANCE_MAX };

	for (unsigned int a = 0; a < 4; a++) {
		unsigned int switches = 0;
		int last = -1;
		uint64_t begin;

		start(2);
		EXPECT_EQ(set(0, (struct control_sched){ .weight = 256, .allowance = allowances[a] }), 0);
		for (begin = host.now; host.now - begin < 10000 * MS;) {
			int i = number(policy_pick());

			switches += i != last;
			last = i;
			pass(i, policy_slice(all[i].d));
		}
		EXPECT(switches <= 10000 * MS / allowances[a] + 2, "%u switches with %u ns", switches, allowances[a]);
		EXPECT(switches >= 10000 * MS / allowances[a] / 3, "%u switches with %u ns", switches, allowances[a]);
	}
}

/* ---- yield, and who is alone ---- */

TEST(yield_lets_another_one_go_first_once)
{
	int first;

	start(3);
	first = number(policy_pick());
	policy_yield(all[first].d);
	EXPECT(number(policy_pick()) != first);
	policy_sleep(all[1].d);
	policy_sleep(all[2].d);
	policy_yield(all[0].d);
	EXPECT_EQ(number(policy_pick()), 0);
	EXPECT_EQ(policy_slice(all[0].d), POLICY_SLICE_MAX);
	policy_sleep(all[0].d);
	EXPECT(!policy_pick());
	policy_wake(all[0].d);
	EXPECT_EQ(number(policy_pick()), 0);
}

TEST(a_yielder_that_sleeps_or_dies_is_not_brought_back)
{
	start(2);
	policy_yield(all[0].d);
	policy_sleep(all[0].d);
	policy_yield(all[1].d);
	EXPECT_EQ(number(policy_pick()), 1);
	policy_yield(all[1].d);
	policy_leave(all[1].d);
	EXPECT(!policy_pick());
}

/* ---- warp ---- */

TEST(a_warped_one_goes_before_others_until_its_limit_and_then_rests)
{
	uint64_t begin, warped = 0;

	start(4);
	EXPECT_EQ(set(0, (struct control_sched){
		.weight = 256, .warp = 1000 * MS, .warp_limit = 20 * MS, .unwarp = 100 * MS }), 0);
	begin = host.now;
	while (host.now - begin < 20 * MS) {
		EXPECT_EQ(number(policy_pick()), 0);
		pass(0, policy_slice(all[0].d));
	}
	for (begin = host.now; host.now - begin < 90 * MS;) {
		int i = number(policy_pick());

		EXPECT(i != 0 || all[0].used <= (20 + 90 / 4) * MS + BOUND, "%g ns", all[0].used);
		pass(i, policy_slice(all[i].d));
	}
	/* In the long run: what it borrowed it pays back, and it is warped for a part of the time at most. */
	for (begin = host.now; host.now - begin < 12000 * MS;) {
		bool may = host.now >= all[0].d->policy.rest_until;
		int i = number(policy_pick());
		uint64_t slice = policy_slice(all[i].d);

		warped += i == 0 && may ? slice : 0;
		pass(i, slice);
	}
	EXPECT(warped <= 12000 / (20 + 100) * 20 * MS + 20 * MS + 100 * POLICY_SLICE_MIN, "%llu ns", warped);
	EXPECT(all[0].used * 3 <= all[1].used + all[2].used + all[3].used + 3 * (1000 * MS + 2 * BOUND), "%g", all[0].used);
}

TEST(naps_and_new_wishes_renew_no_warp)
{
	const struct control_sched wish = { .weight = 256, .warp = 1000 * MS, .warp_limit = 20 * MS, .unwarp = 100 * MS };
	uint64_t rest;

	start(2);
	EXPECT_EQ(set(0, wish), 0);
	for (unsigned int k = 0; k < 19; k++) {
		EXPECT_EQ(number(policy_pick()), 0);
		pass(0, 1 * MS);
		policy_sleep(all[0].d);
		policy_wake(all[0].d);
		EXPECT_EQ(set(0, wish), 0);
	}
	EXPECT(policy_slice(all[0].d) <= 1 * MS);
	pass(0, 1 * MS);
	rest = all[0].d->policy.rest_until;
	EXPECT_EQ(rest, host.now + 100 * MS);
	policy_sleep(all[0].d);
	policy_wake(all[0].d);
	EXPECT_EQ(set(0, wish), 0);
	EXPECT_EQ(all[0].d->policy.rest_until, rest);
	EXPECT_EQ(number(policy_pick()), 1, "it rests, and has used more");
}

TEST(the_end_of_a_rest_is_not_slept_through)
{
	start(2);
	EXPECT_EQ(set(1, (struct control_sched){ .weight = 256, .allowance = POLICY_ALLOWANCE_MAX }), 0);
	EXPECT_EQ(set(0, (struct control_sched){
		.weight = 256, .warp = 4000 * MS, .warp_limit = 20 * MS, .unwarp = 30 * MS }), 0);
	EXPECT_EQ(number(policy_pick()), 0);
	pass(0, 20 * MS);
	policy_yield(all[0].d);
	EXPECT_EQ(number(policy_pick()), 1);
	EXPECT_EQ(policy_slice(all[1].d), 30 * MS);
	pass(1, 30 * MS);
	EXPECT_EQ(number(policy_pick()), 0);
}

/* ---- wishes ---- */

TEST(impossible_wishes_change_nothing)
{
	static const struct control_sched bad[] = {
		{ .weight = 0 }, { .weight = POLICY_WEIGHT_MAX + 1 }, { .weight = UINT32_MAX },
		{ .weight = 5, .warp = 1 },
		{ .weight = 5, .allowance = POLICY_ALLOWANCE_MIN - 1 },
		{ .weight = 5, .allowance = POLICY_ALLOWANCE_MAX + 1 },
	};
	struct control_sched before, after;

	start(2);
	EXPECT_EQ(set(0, (struct control_sched){ .weight = 7, .warp = 2, .warp_limit = 3, .unwarp = 4 }), 0);
	policy_get(all[0].d, &before);
	EXPECT_EQ(before.weight, 7);
	EXPECT_EQ(before.unwarp, 4);
	EXPECT_EQ(before.allowance, POLICY_ALLOWANCE);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(set(0, bad[i]), -EINVAL, "wish %u", i);
		policy_get(all[0].d, &after);
		EXPECT_EQ(memcmp(&before, &after, sizeof(before)), 0, "wish %u", i);
	}
}

TEST(a_new_domain_starts_where_the_others_are)
{
	start(2);
	for (unsigned int k = 0; k < 1000; k++)
		step();
	all[count].d = domain_open("late", 0);
	policy_wake(all[count].d);
	count++;
	for (unsigned int i = 0; i < count; i++)
		all[i].used = 0;
	for (unsigned int k = 0; k < 100; k++) {
		step();
		compare_all();
	}
}
