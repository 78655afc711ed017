// SPDX-License-Identifier: MIT
/* The vandal of lab 5: time that is not its own. What is to be seen is how late the clock ticks. */
#include "vandal.h"
#include "console.h"
#include "event.h"
#include "hypercall.h"
#include "mini.h"
#include "sleep.h"
#include "time.h"

#define ALARM_VIRTUAL	1	/* nanoseconds of virtual time: over long ago */

static int schedule(uint32_t domain, struct control_sched wish)
{
	struct control_op op = { .interface = ATELIER_INTERFACE, .op = CONTROL_sched, .domain = domain };

	op.u.sched = wish;
	return hypercall_control_op(&op);
}

static int compute(void)
{
	events_disable();
	while (true)
		barrier();
	return 0;
}

CRIME(5, 'a', never_ends, "computes, and never gives the processor back")
{
	return compute();
}

CRIME(5, 'b', yield_storm, "yields all the time, so that a tick never finds it running")
{
	int err;

	do
		err = hypercall_yield();
	while (!err);
	return err;
}

CRIME(5, 'c', sleeper, "sleeps for two seconds to save up time, and then computes")
{
	sleep_open();
	sleep_for(2 * SECOND);
	return compute();
}

CRIME(5, 'd', napper, "takes a short nap again and again, to look as if it had just woken up")
{
	sleep_open();
	while (true) {
		uint64_t end = time_now() + 300 * MICROSECOND;

		while (time_now() < end)
			barrier();
		sleep_for(10 * MICROSECOND);
	}
	return 0;
}

CRIME(5, 'e', virtual_alarms, "sets alarms in virtual time that is over, as fast as it can")
{
	struct set_timer timer = { .deadline = ALARM_VIRTUAL, .flags = TIMER_VIRTUAL };
	int err;

	do
		err = hypercall_set_timer(&timer);
	while (!err);
	return err;
}

CRIME(5, 'f', promote, "gives itself the greatest weight there is")
{
	return schedule(DOMID_SELF, (struct control_sched){ .weight = 65535 });
}

/* Domain 0 makes a mistake on the vandal's behalf: it may ask for anything, but not for what has no meaning. */
static void mislead(uint32_t domain, const char *what, struct control_sched wish)
{
	int err = schedule(domain, wish);

	printf("domain 0 gives domain %u %s: %s (%d)\n", domain, what, err < 0 ? "refused" : "succeeded", err);
}

ACCOMPLICE(5, misled)
{
	if (key == 'g')
		mislead(domain, "a weight of 0", (struct control_sched){ .weight = 0 });
	if (key == 'h')
		mislead(domain, "a warp without limit", (struct control_sched){ .weight = 256, .warp = 1000000 });
}

CRIME(5, 'g', no_weight, "has talked domain 0 into giving it a weight of 0, and computes")
{
	return compute();
}

CRIME(5, 'h', endless_warp, "has talked domain 0 into letting it borrow time for ever, and computes")
{
	return compute();
}
