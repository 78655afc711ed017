// SPDX-License-Identifier: MIT
#include "sleep.h"
#include "event.h"

static volatile uint32_t alarms;

static void on_alarm(uint32_t port, void *arg)
{
	alarms++;
}

int sleep_open(void)
{
	return event_bind_virq(VIRQ_TIMER, on_alarm, NULL);
}

void sleep_until(uint64_t time)
{
	uint32_t before = alarms;

	if (time <= time_now())
		return;
	time_alarm(time);
	events_wait_until(alarms != before);
}
