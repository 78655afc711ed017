// SPDX-License-Identifier: MIT
/* Sets alarms as its judge says and reports when they came: alone, replaced by another one, called off, sleeping and awake. */
#include "event.h"
#include "mini.h"
#include "time.h"

enum { ALARM_END, ALARM_ONE, ALARM_REPLACED, ALARM_OFF, ALARM_AT };

#define LINGER	(150 * MICROSECOND)	/* after the last deadline: would another event come? */

static struct {
	volatile uint32_t count;
	volatile uint64_t when;		/* the first */
} fired;

static void on_alarm(uint32_t port, void *arg)
{
	if (fired.count++ == 0)
		fired.when = time_now();
}

static void wait(bool sleep, uint64_t until)
{
	if (sleep)
		events_wait_until(fired.count > 0);
	while (time_now() < until)
		;
}

/* Answers the deadline that counts. */
static uint64_t set(uint32_t kind, uint32_t first, uint32_t second)
{
	uint64_t now = time_now(), deadline = now + first;

	if (kind == ALARM_AT)
		deadline = (uint64_t)second << 32 | first;
	time_alarm(deadline);
	if (kind == ALARM_REPLACED) {
		deadline = now + second;
		time_alarm(deadline);
	} else if (kind == ALARM_OFF) {
		time_alarm(TIMER_OFF);
	}
	return deadline;
}

int test_main(const struct start_info *start)
{
	uint32_t kind;

	event_init();
	event_bind_virq(VIRQ_TIMER, on_alarm, NULL);
	events_enable();
	for (uint32_t key = 0; (kind = input_word()) != ALARM_END; key++) {
		uint32_t first = input_word(), second = input_word(), sleep = input_word();
		uint64_t deadline, last;
		int64_t late;

		fired.count = 0;
		fired.when = 0;
		last = time_now() + MAX(first, second) + LINGER;
		deadline = set(kind, first, second);
		wait(sleep, kind == ALARM_AT ? deadline + LINGER : last);
		late = fired.when - deadline;
		observe("alarm count late:int high:int", key, fired.count, (uint32_t)late, (uint32_t)(late >> 32));
	}
	return 0;
}
