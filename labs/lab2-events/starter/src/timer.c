// SPDX-License-Identifier: MIT
#include "timer.h"
#include "machine.h"

/*
 * Exercise 2.6. A door for pc/: the machine's timer has fired, at or after what it was armed for, or early. Raises
 * VIRQ_TIMER once for each domain whose deadline has come, which is then no longer armed; does the scheduler's part
 * (tick_slice()); and sees to it that the machine is armed for what comes next (program()).
 *
 * Invariant: no deadline fires early, none twice, and none is forgotten. Handout: "Time".
 */
void timer_tick(void)
{
	exercise_missing("2.6");
	timer.programmed = TIMER_NEVER;
	tick_slice(machine_now());
	program();
}

/*
 * Exercise 2.6. set_timer(@arg): @d's one deadline in real time, in nanoseconds (machine_now()), in place of the
 * one before. The struct set_timer is copied once. In this order:
 *
 *   -EFAULT  it cannot be read
 *   -EINVAL  flags but TIMER_FLAGS; @reserved is not 0
 *   with TIMER_VIRTUAL it is vtime_arm()'s to answer, and nothing here changes
 *
 * TIMER_OFF disarms. A deadline that is not in the future fires at once, one that is any later waits for
 * timer_tick(); each raises VIRQ_TIMER once. All 64 bits count. 0.
 *
 * The armed ones are on the list timer.armed, the next one first; program() looks at no more than that one.
 *
 * Invariant: at most one event a deadline. Handout: "Time".
 */
int do_set_timer(struct domain *d, guest_addr_t arg)
{
	return exercise_missing("2.6");
}

/*
 * Exercise 2.6. Publishes the clock in @d's shared page, as struct shared_time (public/atelier.h) has it: the scale, stamp
 * and system time of one machine_clock_read(), @d's virtual time (d->vtime.used), and the wall clock's offset. It is called
 * at each switch to @d, and @d may read at any moment but for this one.
 *
 * @version is odd while it changes, and another even number each time. What was there before is the guest's
 * to spoil: after this call its clock is right all the same.
 *
 * Invariant: no reading that a guest may believe is torn. The compiler may reorder what is not volatile.
 * Handout: "Time".
 */
void time_publish(struct domain *d)
{
	exercise_missing("2.6");
}
