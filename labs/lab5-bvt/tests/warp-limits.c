// SPDX-License-Identifier: MIT
/* host test */
/*
 * One domain may warp, the others want the processor all the time. It may nap, or domain 0 may ask for the same or another warp
 * at every moment. Every stretch of the processor is noted.
 */
#include "policies.h"

#define RUNNERS	3u
#define NAPPED	0x100u		/* in a note: the first one woke just before */

enum { NAPS = 1, WISHES = 2 };	/* what it and domain 0 do meanwhile */

static struct control_sched wish;

static struct {
	uint32_t notes[8000][2];	/* who, nanoseconds */
	uint32_t count, napped;
} seen;

/* The one whose turn it is runs for its slice, at most @most; whether there was one. */
static bool stretch(uint64_t most)
{
	uint32_t who = runner_picked();
	uint64_t time;

	if (who == runner_count || seen.count == ARRAY_SIZE(seen.notes))
		return false;
	time = MIN(policy_slice(runners[who]), most);
	if (time == 0)
		return false;
	if (random_below(3) == 0)		/* something comes between */
		time = 1 + time * random_below(1000) / 1000;
	runner_runs(who, time);
	seen.notes[seen.count][0] = who | seen.napped;
	seen.notes[seen.count++][1] = time;
	seen.napped = 0;
	return true;
}

static void nap(void)
{
	policy_sleep(runners[0]);
	if (random_below(2))			/* others run a while */
		stretch(1 + random_below(3000000));
	policy_wake(runners[0]);
	seen.napped = NAPPED;
}

static void wish_again(void)
{
	struct control_sched another = wish;

	if (random_below(2)) {			/* for no time at all it is another one */
		another.warp = random_below(2) ? 0 : wish.warp / 2;
		another.weight = 1 + random_below(1000);
		runner_set(0, another);
	}
	runner_set(0, wish);
}

static void one(uint32_t key)
{
	uint32_t kind = input_word(), length = input_word();
	uint64_t end;
	int32_t answer;

	wish = (struct control_sched){ .weight = 256 };
	wish.warp = input_word();
	wish.warp_limit = input_word();
	wish.unwarp = input_word();
	wish.allowance = input_word();
	runners_open(RUNNERS);
	answer = runner_set(0, wish);
	for (uint32_t i = 0; i < RUNNERS; i++)
		policy_wake(runners[i]);
	seen.count = seen.napped = 0;
	end = host.now + length;
	while (host.now < end && stretch(SECOND)) {
		if (kind & NAPS && random_below(3) == 0)
			nap();
		if (kind & WISHES && random_below(3) == 0)
			wish_again();
	}
	observe("answer it:int over", key, answer, host.now >= end);
	observe_bytes("ran stretches:bytes", key, seen.notes, seen.count * sizeof(seen.notes[0]));
}

static void run(void)
{
	uint32_t cases;

	random_state = input_word() | 1;
	cases = input_word();
	for (uint32_t i = 0; i < cases; i++)
		one(i);
}
