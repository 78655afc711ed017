// SPDX-License-Identifier: MIT
/*
 * The 8254 timer, channel 0: one shot after another. Its 16 bits last 55 ms: a later deadline takes
 * several.
 */
#include "pc/io.h"
#include "pc/pc.h"
#include "pc/wire.h"		/* lab 8 */
#include "timer.h"
#include "vif.h"			/* lab 8 */

#define CHANNEL0	0x40
#define CONTROL		0x43
#define ONE_SHOT	0x30		/* channel 0, both bytes, mode 0: the line rises at the end */
#define IRQ		0

/* counts = ns * PIT_HZ / 10^9, as a multiplication: 2^32 * PIT_HZ / 10^9. */
#define COUNTS_MUL	5124677u
#define STEP_MAX	50000000u	/* nanoseconds, less than PIT_MAX counts */

/* Deadlines, by enum pit_alarm. */
static struct {
	uint64_t deadline;
	void (*ring)(void);
} alarms[] = {
	[ALARM_TIMER] = { TIMER_NEVER, timer_tick },
	[ALARM_WIRE] = { TIMER_NEVER, vif_alarm },		/* lab 8 */
	[ALARM_RAMWIRE] = { TIMER_NEVER, ramwire_tick },	/* lab 8 */
};

static uint64_t armed = TIMER_NEVER;	/* what the timer runs for */

void pit_arm(uint32_t counts)
{
	outb(CONTROL, ONE_SHOT);
	outb(CHANNEL0, counts);
	outb(CHANNEL0, counts >> 8);
}

/* Runs for the first deadline. With none, what may still come is nobody's. */
static void arm(void)
{
	uint64_t now, first = TIMER_NEVER;
	uint32_t ns;

	for (unsigned int i = 0; i < ARRAY_SIZE(alarms); i++)
		first = MIN(first, alarms[i].deadline);
	if (first == armed)
		return;
	armed = first;
	if (first == TIMER_NEVER)
		return;
	now = machine_now();
	ns = first <= now ? 0 : MIN(first - now, (uint64_t)STEP_MAX);
	pit_arm(((uint64_t)ns * COUNTS_MUL >> 32) + 1);		/* never early */
}

void pit_alarm(enum pit_alarm whose, uint64_t deadline)
{
	alarms[whose].deadline = deadline;
	arm();
}

void machine_timer_arm(uint64_t when)
{
	pit_alarm(ALARM_TIMER, when);
}

static void interrupt(void)
{
	uint64_t now = machine_now();

	armed = TIMER_NEVER;
	for (unsigned int i = 0; i < ARRAY_SIZE(alarms); i++)
		if (alarms[i].deadline <= now) {
			alarms[i].deadline = TIMER_NEVER;
			alarms[i].ring();
		}
	arm();
}

void pit_init(void)
{
	pic_enable(IRQ, interrupt);
}
