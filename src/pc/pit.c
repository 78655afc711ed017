// SPDX-License-Identifier: MIT
/*
 * The 8254 timer, channel 0: one shot after another. Its 16 bits last 55 ms: a later deadline takes
 * several.
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

static uint64_t deadline = TIMER_NEVER;

void pit_arm(uint32_t counts)
{
	outb(CONTROL, ONE_SHOT);
	outb(CHANNEL0, counts);
	outb(CHANNEL0, counts >> 8);
}

static void arm_for(uint64_t now)
{
	uint32_t ns = deadline <= now ? 0 : MIN(deadline - now, (uint64_t)STEP_MAX);

	pit_arm(((uint64_t)ns * COUNTS_MUL >> 32) + 1);		/* never early */
}

void machine_timer_arm(uint64_t when)
{
	if (when == deadline)
		return;
	deadline = when;
	if (when != TIMER_NEVER)
		arm_for(machine_now());
}

static void interrupt(void)
{
	uint64_t now = machine_now();

	if (deadline == TIMER_NEVER)
		return;
	if (now < deadline) {
		arm_for(now);
		return;
	}
	deadline = TIMER_NEVER;
	timer_tick();
}

void pit_init(void)
{
	pic_enable(IRQ, interrupt);
}
