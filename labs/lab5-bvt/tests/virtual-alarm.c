// SPDX-License-Identifier: MIT
/*
 * Arms the alarm on its virtual time again and again, beside others that want the processor; sleeps in between, arms it anew or
 * disarms it, as it is told, and notes when it came. Domain 0 is director.c.
 */
#include "director.h"

#define LATE	(4 * MILLISECOND)	/* of virtual time: it does not come any more */

enum { ALARM_PLAIN, ALARM_SLEEPS, ALARM_REPLACED, ALARM_OFF };

static struct {
	volatile uint32_t count;
	uint64_t first;			/* virtual time when it came */
} rung;

static void on_vtimer(uint32_t port, void *arg)
{
	if (rung.count++ == 0)
		rung.first = time_read().virtual;
}

static int32_t arm(uint64_t deadline)
{
	struct set_timer t = { .deadline = deadline, .flags = TIMER_VIRTUAL };

	return hypercall_set_timer(&t);
}

static void spin_until(uint64_t virtual)
{
	while (time_read().virtual < virtual)
		time_pass();
}

static void one_alarm(uint32_t key)
{
	uint32_t kind = input_word(), ns = input_word();
	uint64_t deadline = time_read().virtual + ns;
	int32_t answer;

	rung.count = 0;
	answer = arm(kind == ALARM_REPLACED ? deadline + ns : deadline);
	spin_until(deadline - ns / 2);
	if (kind == ALARM_SLEEPS)
		sleep_until(time_now() + 2 * MILLISECOND);
	else if (kind == ALARM_REPLACED)
		answer |= arm(deadline);
	else if (kind == ALARM_OFF)
		answer |= arm(TIMER_OFF);
	spin_until(deadline + MAX(ns, LATE));
	observe("alarm answer:int count late:int", key, answer, rung.count, rung.count ? (uint32_t)(rung.first - deadline) : 0);
}

int test_main(const struct start_info *start)
{
	uint32_t wishes, count;

	input_word();		/* how many domains there are */
	input_word();		/* until when */
	wishes = input_word();
	for (uint32_t i = 0; i < 6 * wishes; i++)
		input_word();
	director_open();
	event_bind_virq(VIRQ_VTIMER, on_vtimer, NULL);
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		one_alarm(i);
	return 0;
}
