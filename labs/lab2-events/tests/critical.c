// SPDX-License-Identifier: MIT
/*
 * Comes back through iret() to addresses in and around critical ranges with an event pending. Then a storm on mini's own way
 * back (entry.S): an alarm in each handler, due about when that returns, so that events hit every instruction of it.
 */
#include "cases.h"

#define LONGEST		10000u	/* instructions */

static struct {
	uint32_t alarms, events;
	uint32_t highest, lowest;	/* stack pointers in the handler */
	uint32_t early;
	uint32_t waited;		/* turns of the loop that waits */
	uint32_t spin;			/* instructions that a handler takes, its alarm being set */
} storm = { .lowest = UINT32_MAX };

static uint64_t deadline;

static void arm(void)
{
	deadline = time_now() + 2000;
	storm.alarms++;
	time_alarm(deadline);
}

/* Nobody knows how late an alarm comes. If this one found us waiting the next handler returns later, and if not, earlier. */
static void aim(void)
{
	static uint32_t waited;
	uint32_t step = random_below(128);

	storm.spin = storm.waited != waited ? MIN(storm.spin + step, LONGEST) : storm.spin - MIN(step, storm.spin);
	waited = storm.waited;
}

static void on_alarm(uint32_t p, void *rounds)
{
	uint32_t here = (uint32_t)__builtin_frame_address(0);

	storm.highest = MAX(storm.highest, here);
	storm.lowest = MIN(storm.lowest, here);
	storm.early += time_now() < deadline;
	aim();
	if (++storm.events < (uint32_t)rounds) {
		arm();
		time_spin(storm.spin);
	}
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
		(*(volatile uint32_t *)&storm.waited)++;
	events_disable();
	observe("storm alarms events deep early", 0, storm.alarms, storm.events, storm.highest - storm.lowest, storm.early);
}

int test_main(const struct start_info *start)
{
	do_cases();
	do_storm(input_word());
	return 0;
}
