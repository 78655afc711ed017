// SPDX-License-Identifier: GPL-2.0
/*
 * Time: the hypervisor's clock is read from the shared page, and one alarm is asked for by a call.
 *
 * The time stamp counter behind that clock is good enough for programs to read by themselves, at the rate that the
 * hypervisor measured: so the clock that Linux prefers is its own TSC. The hypervisor's is the one that alarms are
 * counted in, and is there to be chosen (clocksource=atelier).
 */
#include <linux/init.h>
#include <linux/clockchips.h>
#include <linux/clocksource.h>
#include <linux/interrupt.h>
#include <linux/math64.h>
#include <asm/atelier.h>
#include <asm/msr.h>
#include <asm/setup.h>
#include <asm/x86_init.h>
#include <atelier/event.h>
#include <atelier/timer.h>
#include "internal.h"

u64 notrace atelier_real_time(void)
{
	const struct shared_time *t = &atelier_shared.time;
	u32 version;
	u64 delta, now;

	do {
		version = READ_ONCE(t->version);
		virt_rmb();
		delta = rdtsc() - t->tsc_stamp;
		delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
		now = t->system_time + mul_u64_u32_shr(delta, t->tsc_mul, 32);
		virt_rmb();
	} while ((version & 1) || version != READ_ONCE(t->version));
	return now;
}

static u64 notrace read_clock(struct clocksource *clock)
{
	return atelier_real_time();
}

static struct clocksource clock = {
	.name = "atelier",
	.rating = 200,
	.read = read_clock,
	.mask = CLOCKSOURCE_MASK(64),
	.flags = CLOCK_SOURCE_IS_CONTINUOUS,
};

static int set_alarm(u64 deadline)
{
	const struct set_timer op = { .deadline = deadline };

	return hypercall1(HYPERCALL_set_timer, (unsigned long)&op);
}

static int next_event(unsigned long delta, struct clock_event_device *unused)
{
	return set_alarm(atelier_real_time() + delta);
}

static int alarm_off(struct clock_event_device *unused)
{
	return set_alarm(TIMER_OFF);
}

static struct clock_event_device alarm = {
	.name = "atelier",
	.features = CLOCK_EVT_FEAT_ONESHOT,
	.rating = 400,
	.mult = 1,
	.shift = 0,
	.min_delta_ns = 1000,
	.min_delta_ticks = 1000,
	.max_delta_ns = U32_MAX,
	.max_delta_ticks = U32_MAX,
	.set_next_event = next_event,
	.set_state_shutdown = alarm_off,
	.set_state_oneshot_stopped = alarm_off,
};

static irqreturn_t alarm_rings(int irq, void *unused)
{
	alarm.event_handler(&alarm);
	return IRQ_HANDLED;
}

static void __init init_timer(void)
{
	int irq = atelier_bind_virq(VIRQ_TIMER);

	if (irq < 0 || request_irq(irq, alarm_rings, IRQF_TIMER | IRQF_NOBALANCING | IRQF_NO_THREAD, "timer", NULL))
		panic("atelier: no timer\n");
	clocksource_register_hz(&clock, NSEC_PER_SEC);
	alarm.cpumask = cpumask_of(0);
	alarm.irq = irq;
	clockevents_register_device(&alarm);
}

static unsigned long tsc_khz_measured(void)
{
	return atelier_shared.time.tsc_khz;
}

static void wall_clock(struct timespec64 *now)
{
	*now = ns_to_timespec64(atelier_real_time() + atelier_shared.time.wall_offset);
}

static int no_wall_clock(const struct timespec64 *now)
{
	return -ENODEV;
}

void __init atelier_init_time(void)
{
	setup_force_cpu_cap(X86_FEATURE_TSC_KNOWN_FREQ);
	setup_force_cpu_cap(X86_FEATURE_TSC_RELIABLE);
	setup_force_cpu_cap(X86_FEATURE_CONSTANT_TSC);
	x86_platform.calibrate_cpu = tsc_khz_measured;
	x86_platform.calibrate_tsc = tsc_khz_measured;
	x86_platform.get_wallclock = wall_clock;
	x86_platform.set_wallclock = no_wall_clock;
	x86_init.timers.timer_init = init_timer;
	x86_init.timers.setup_percpu_clockev = x86_init_noop;
	x86_init.timers.wallclock_init = x86_init_noop;
}
