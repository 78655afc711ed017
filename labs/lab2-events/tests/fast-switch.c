// SPDX-License-Identifier: MIT
/*
 * System calls by two vectors, one of them fast or none, while other domains do the same with others. In between it yields, or
 * sleeps until an alarm. The table in force leads elsewhere than the gate, which tells the two apart.
 */
#include "event.h"
#include "quick.h"
#include "time.h"

static volatile uint32_t alarms;

static void on_alarm(uint32_t port, void *arg)
{
	alarms++;
}

static void do_part(uint32_t key, uint32_t rounds)
{
	uint8_t vectors[2] = { input_word(), input_word() };
	uint32_t fast = input_word(), ended = 0;
	int32_t answer;

	quick_table(vectors, 2, quick_first);
	answer = hypercall_set_fast_trap(fast);
	quick_table(vectors, 2, quick_second);
	quick_count[0] = quick_count[1] = 0;
	for (uint32_t i = 0; i < rounds; i++) {
		ended += quick_calls(vectors[0], 10) && quick_calls(vectors[1], 10);
		if (i % 4 == 3) {
			uint32_t before = alarms;

			time_alarm(time_now() + 50 * MICROSECOND);
			events_wait_until(alarms > before);
			events_disable();
		} else {
			hypercall_yield();
		}
	}
	observe("part answer:int ended first second", key, answer, ended, quick_count[0], quick_count[1]);
}

int test_main(const struct start_info *start)
{
	uint32_t rounds, parts;

	event_init();
	event_bind_virq(VIRQ_TIMER, on_alarm, NULL);
	rounds = input_word();
	parts = input_word();
	for (uint32_t i = 0; i < 3 * parts * start->domid; i++)
		input_word();		/* another domain's */
	for (uint32_t i = 0; i < parts; i++)
		do_part(i, rounds);
	observe("alarms come", 0, alarms);
	for (uint32_t i = 0; start->domid == 0 && i < 200; i++) {
		uint32_t before = alarms;

		time_alarm(time_now() + 100 * MICROSECOND);
		events_wait_until(alarms > before);
	}
	return 0;
}
