// SPDX-License-Identifier: MIT
/*
 * The 8254 timer, channel 0: one shot after another. Its 16 bits last 55 ms: a later deadline takes
 * several. The timer above (machine.h) has one deadline; drivers have alarms.
 */
#include "pc/io.h"
#include "pc/pc.h"
#include "timer.h"

#define CHANNEL0	0x40
#define CONTROL		0x43
#define ONE_SHOT	0x30		/* channel 0, both bytes, mode 0: the line rises at the end */
#define IRQ		0

/* counts = ns * PIT_HZ / 10^9, as a multiplication: 2^32 * PIT_HZ / 10^9. */
#define COUNTS_MUL	5124677u
#define STEP_MAX	50000000u	/* nanoseconds, less than PIT_MAX counts */

static struct {
	uint64_t deadline;		/* of timer.c */
	struct alarm *alarms;		/* all that were ever set */
	uint64_t armed;			/* what the 8254 is on its way to */
} pit = { .deadline = TIMER_NEVER, .armed = TIMER_NEVER };

void pit_arm(uint32_t counts)
{
	outb(CONTROL, ONE_SHOT);
	outb(CHANNEL0, counts);
	outb(CHANNEL0, counts >> 8);
}

static void go_on(uint64_t now)
{
	uint32_t ns = pit.armed <= now ? 0 : MIN(pit.armed - now, (uint64_t)STEP_MAX);

	pit_arm(((uint64_t)ns * COUNTS_MUL >> 32) + 1);		/* never early */
}

static uint64_t earliest(void)
{
	uint64_t when = pit.deadline;

	for (const struct alarm *a = pit.alarms; a; a = a->next)
		when = MIN(when, a->when);
	return when;
}

static void rearm(void)
{
	uint64_t when = earliest();

	if (when == pit.armed)
		return;
	pit.armed = when;
	if (when != TIMER_NEVER)
		go_on(machine_now());
}

void machine_timer_arm(uint64_t when)
{
	pit.deadline = when;
	rearm();
}

void alarm_open(struct alarm *a, void (*ring)(struct alarm *a))
{
	*a = (struct alarm){ TIMER_NEVER, ring, pit.alarms };
	pit.alarms = a;
}

void alarm_set(struct alarm *a, uint64_t when)
{
	a->when = when;
	rearm();
}

static void ring_alarms(uint64_t now)
{
	for (struct alarm *a = pit.alarms; a; a = a->next)
		if (a->when <= now) {
			a->when = TIMER_NEVER;
			a->ring(a);
		}
}

static void interrupt(void)
{
	uint64_t now = machine_now();

	if (pit.armed == TIMER_NEVER)
		return;
	if (now < pit.armed) {
		go_on(now);
		return;
	}
	pit.armed = TIMER_NEVER;
	if (pit.deadline <= now) {
		pit.deadline = TIMER_NEVER;
		timer_tick();
	}
	ring_alarms(now);
	rearm();
}

void pit_init(void)
{
	pic_enable(IRQ, interrupt);
}
