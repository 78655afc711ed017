// SPDX-License-Identifier: MIT
/*
 * Comes back through iret() to addresses in and around critical ranges with an event pending. Then a storm on mini's own way
 * back (entry.S): an alarm in each handler, due about when that returns, so that events hit every instruction of it.
 */
#include "cases.h"

static struct {
	uint32_t alarms, events;
	uint32_t highest, lowest;	/* stack pointers in the handler */
	uint32_t early;
} storm = { .lowest = UINT32_MAX };

static uint64_t deadline;

static void arm(void)
{
	deadline = time_now() + 1000 + random_below(6000);
	storm.alarms++;
	time_alarm(deadline);
}

static void on_alarm(uint32_t p, void *rounds)
{
	uint32_t here = (uint32_t)__builtin_frame_address(0);

	storm.highest = MAX(storm.highest, here);
	storm.lowest = MIN(storm.lowest, here);
	storm.early += time_now() < deadline;
	if (++storm.events < (uint32_t)rounds)
		arm();
}

static void do_storm(uint32_t rounds)
{
	uint64_t start;

	event_init();
	event_close(port_timer);
	event_bind_virq(VIRQ_TIMER, on_alarm, (void *)rounds);
	arm();
	events_enable();
	/* No calls here: the stack is as deep at every instruction. */
	start = read_tsc();
	while (*(volatile uint32_t *)&storm.events < rounds && read_tsc() - start < rounds * 100000ull)
		;
	events_disable();
	observe("storm alarms events deep early", 0, storm.alarms, storm.events, storm.highest - storm.lowest, storm.early);
}

int test_main(const struct start_info *start)
{
	do_cases();
	do_storm(input_word());
	return 0;
}
