// SPDX-License-Identifier: MIT
/*
 * Alarms on virtual time that can do harm, each in a domain of its own, and one that spins beside them. Domain 0 is director.c.
 */
#include "director.h"
#include "trace.h"

enum { ACT_PAST, ACT_NEVER, ACT_AGAIN, ACT_DIES };

static volatile uint32_t rung;
static bool again;
static uint64_t half;		/* of the time, in cycles */

static int32_t arm(uint64_t deadline)
{
	struct set_timer t = { .deadline = deadline, .flags = TIMER_VIRTUAL };

	return hypercall_set_timer(&t);
}

static void on_vtimer(uint32_t port, void *arg)
{
	rung++;
	if (again && read_tsc() < half)		/* as soon as this returns it is here again */
		arm(1);
}

static int32_t arm_for(uint32_t act)
{
	static const uint64_t never[] = { UINT64_MAX, UINT64_MAX - 1, 1ull << 63, (1ull << 63) - 1, 1ull << 36 };

	switch (act) {
	case ACT_PAST:
		return arm(1 + random_below(1000));
	case ACT_NEVER:
		return arm(never[random_below(ARRAY_SIZE(never))]);
	case ACT_AGAIN:
		again = true;
		return arm(1);
	}
	return 0;
}

static void die_armed(void)
{
	arm(time_read().virtual + 2 * MILLISECOND);
	trace_spin_until(read_tsc() + 10000);
	hypercall_shutdown(SHUTDOWN_crash, 0);
}

/* In the second half only the one that dies has an alarm: whatever it leaves behind, nobody's clears it away. */
int test_main(const struct start_info *start)
{
	uint32_t act = argument_number("act", 0);
	int32_t answer = 0;
	uint64_t end;

	input_word();		/* how many domains there are */
	end = input_word() * MILLISECOND;
	half = cycles_at(end / 2);
	end = cycles_at(end);
	director_open();
	event_bind_virq(VIRQ_VTIMER, on_vtimer, NULL);
	while (read_tsc() < half) {
		answer |= arm_for(act);
		trace_spin_until(MIN(read_tsc() + 100000, half));
	}
	arm(TIMER_OFF);
	if (act == ACT_DIES) {
		trace_spin_until(half + (end - half) / 4);
		die_armed();
	}
	trace_spin_until(end);
	trace_tell();
	observe("alarms answer:int rung", 0, answer, rung);
	return 0;
}
