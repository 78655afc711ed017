// SPDX-License-Identifier: MIT
/* host test */
/*
 * Many steps of the pure policy, in rounds: the first domain runs alone for so long that its virtual time is about to wrap, the
 * others wake, and all want the processor for the rest of the round.
 */
#include "policies.h"

#define RUNNERS	4u

/* The one whose turn it is has the processor for its slice and a delay, or for less if something comes between. */
static bool step(uint32_t delay)
{
	uint32_t who = runner_picked();
	uint64_t slice;

	if (who == runner_count)
		return false;
	slice = MIN(policy_slice(runners[who]), 2 * SECOND);
	if (random_below(4) == 0)
		slice = slice * random_below(1000) / 1000 + 1;
	else
		slice += random_below(delay);
	runner_runs(who, slice);
	return true;
}

static void alone(uint32_t seconds)
{
	policy_wake(runners[0]);
	while (seconds-- > 0) {
		runner_picked();
		runner_runs(0, SECOND);
	}
	ran[0] = 0;
	for (uint32_t i = 1; i < RUNNERS; i++)
		policy_wake(runners[i]);
}

static void round_of(uint32_t key, uint32_t every, uint32_t delay)
{
	static uint64_t looks[8192][RUNNERS];
	uint32_t allowance = input_word(), seconds = input_word(), steps = input_word(), count = 0;

	runners_open(RUNNERS);
	for (uint32_t i = 0; i < RUNNERS; i++)
		observe("set answer:int", key * RUNNERS + i, runner_set(i, (struct control_sched){
			.weight = input_word(), .allowance = allowance }));
	alone(seconds);
	for (uint32_t i = 1; i <= steps && step(delay); i++)
		if (i % every == 0 && count < ARRAY_SIZE(looks))
			memcpy(looks[count++], ran, sizeof(looks[0]));
	observe_bytes("ran sums:bytes", key, looks, count * sizeof(looks[0]));
}

static void run(void)
{
	uint32_t rounds = input_word(), every = input_word(), delay = input_word();

	random_state = input_word() | 1;
	for (uint32_t i = 0; i < rounds; i++)
		round_of(i, every, delay);
}
