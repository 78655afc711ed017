// SPDX-License-Identifier: MIT
/* host test */
/*
 * Slices at the ends of what may be asked: with each allowance, and the next domain just as far or very far behind. Then two that
 * take turns, and how many turns there are in a second.
 */
#include "policies.h"

/* Charges @who as if it had run, without a look at the clock in between. */
static void ahead(uint32_t who, uint64_t time)
{
	for (; time > SECOND; time -= SECOND)
		runner_runs(who, SECOND);
	runner_runs(who, time);
}

static bool set_all(const uint32_t weight[2], uint32_t allowance)
{
	bool good = true;

	for (uint32_t i = 0; i < 2; i++)
		good = !runner_set(i, (struct control_sched){ .weight = weight[i], .allowance = allowance }) && good;
	return good;
}

/* Whom the policy picks after the second one had @gap, and its slice. */
static void one_slice(uint32_t key)
{
	uint32_t allowance = input_word(), weight[2] = { input_word(), input_word() }, gap = input_word(), who;
	uint64_t slice = 0;
	bool good;

	runners_open(2);
	good = set_all(weight, allowance);
	for (uint32_t i = 0; i < 2; i++)
		policy_wake(runners[i]);
	ahead(1, gap);
	who = runner_picked();
	if (who < 2)
		slice = policy_slice(runners[who]);
	observe("slice good who low high", key, good, who, (uint32_t)slice, (uint32_t)(slice >> 32));
}

/* A second, in the slices that are asked for, which last a little longer or shorter. */
static void turns(uint32_t key)
{
	uint32_t allowance = input_word(), weight[2] = { input_word(), input_word() }, most = input_word();
	uint32_t count = 0, switches = 0, shortest = UINT32_MAX, last = 2;
	uint64_t end;
	bool good;

	runners_open(2);
	good = set_all(weight, allowance);
	for (uint32_t i = 0; i < 2; i++)
		policy_wake(runners[i]);
	for (end = host.now + SECOND; host.now < end && count < most; count++) {
		uint32_t who = runner_picked();
		uint64_t slice = who < 2 ? policy_slice(runners[who]) : 0;

		if (slice == 0 || slice > SECOND)	/* time would stand still, or a domain never be stopped */
			break;
		shortest = MIN(shortest, (uint32_t)slice);
		switches += who != last;
		last = who;
		runner_runs(who, MAX(slice, 2u) - 1 + random_below(3));
	}
	observe("turns good count switches shortest over", key, good, count, switches, shortest, host.now >= end);
}

/* One that is alone, and one whom the other has left. */
static void alone(uint32_t key)
{
	uint32_t who, other;
	uint64_t slice = 0;

	runners_open(2);
	policy_wake(runners[0]);
	policy_wake(runners[1]);
	ahead(0, input_word());
	policy_sleep(runners[1]);
	who = runner_picked();
	if (who < 2)
		slice = policy_slice(runners[who]);
	policy_sleep(runners[0]);
	other = runner_picked();
	observe("alone who slice nobody", key, who, (uint32_t)MIN(slice, UINT32_MAX), other);
}

static void run(void)
{
	uint32_t slices, seconds;

	random_state = input_word() | 1;
	slices = input_word();
	for (uint32_t i = 0; i < slices; i++)
		one_slice(i);
	seconds = input_word();
	for (uint32_t i = 0; i < seconds; i++)
		turns(i);
	alone(0);
}
