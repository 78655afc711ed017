// SPDX-License-Identifier: MIT
/* Domain 0 beside past: how long does a piece of work take that needs nobody, and do its own alarms come? */
#include "event.h"
#include "mini.h"
#include "time.h"

#define TURNS	10000000u	/* of two instructions */
#define ALARMS	100

static volatile uint32_t alarms;

static void on_alarm(uint32_t port, void *arg)
{
	alarms++;
}

int test_main(const struct start_info *start)
{
	uint64_t before = read_tsc();
	uint32_t turns = TURNS;

	asm volatile("1: dec %0\n"
		     "jnz 1b\n" : "+r" (turns));
	observe("work instructions cycles", 0, 2 * TURNS, (uint32_t)(read_tsc() - before));

	event_init();
	event_bind_virq(VIRQ_TIMER, on_alarm, NULL);
	for (uint32_t i = 0; i < ALARMS; i++) {
		time_alarm(time_now() + MILLISECOND);
		events_wait_until(alarms > i);
	}
	observe("own set come", 0, ALARMS, alarms);
	return 0;
}
