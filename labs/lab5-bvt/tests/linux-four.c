// SPDX-License-Identifier: MIT
/* Linux test */
/*
 * Domain 0 creates four more Linuxes, and gives them their weights while they sleep. Then a program in each wants the processor all
 * the time, from one moment of the machine's time to another, and notes when it had it.
 */
#include "linux/domains.h"

#define FOUR		4u
#define GAP		20000u		/* cycles between two looks: somebody else ran, or Linux itself */
#define STRETCHES	8192u
#define SET_BEFORE	100u		/* milliseconds */

static struct {
	uint32_t stretch[STRETCHES][2];		/* from, to: cycles since the begin of the spin */
	uint32_t count, lost;
} noted;

static void spin(uint64_t from, uint64_t to)
{
	uint64_t now = machine_time(), last = now;
	uint32_t *stretch = noted.stretch[noted.count++];

	stretch[0] = now - from;
	for (; now < to; last = now, now = machine_time()) {
		if (now - last <= GAP)
			continue;
		stretch[1] = last - from;
		if (noted.count == STRETCHES)
			noted.lost++;
		else
			stretch = noted.stretch[noted.count++];
		stretch[0] = now - from;
	}
	stretch[1] = last - from;
}

/* [begin, end: milliseconds of the machine's time; allowance in microseconds; [weight]] */
static void direct(uint32_t begin, uint32_t end)
{
	uint32_t allowance = input_word(), count = input_word();

	for (uint32_t d = 1; d <= count; d++)
		create_domain(d);
	sleep_until_ms(begin - SET_BEFORE);
	observe("all domains", 0, count_domains());
	for (uint32_t d = 1; d <= count; d++)
		atl("sched %u --weight %u --allowance %u", d, input_word(), allowance);
	observe("set ms", 0, (uint32_t)(machine_time() / 1000000));
	sleep_until_ms(end);
	wait_for_ends(1, 10000);
}

static void test_main(void)
{
	uint32_t begin = input_word(), end = input_word();

	if (program_domain == 0) {
		direct(begin, end);
		return;
	}
	/* All pages are there, so that nothing but the tick comes in between. */
	memset(&noted, 0, sizeof(noted));
	sleep_until_ms(begin);
	spin(begin * 1000000ull, end * 1000000ull);
	observe("lost count", 0, noted.lost);
	observe_bytes("ran stretches:bytes", 0, noted.stretch, noted.count * sizeof(noted.stretch[0]));
}
