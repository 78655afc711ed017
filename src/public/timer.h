/* SPDX-License-Identifier: MIT */
/*
 * Time: alarms (paper, section 3.3.2). Reading the three clocks costs no call: struct shared_time.
 */
#ifndef ATELIER_PUBLIC_TIMER_H
#define ATELIER_PUBLIC_TIMER_H

#include "atelier.h"

/*
 * set_timer(struct set_timer *): one deadline in real time (VIRQ_TIMER) and one in the domain's
 * virtual time (VIRQ_VTIMER) a domain; arming again replaces. Never early; a deadline in the past
 * fires at once; one event each. 0, -EFAULT, -EINVAL (flags).
 */
#define TIMER_VIRTUAL	1	/* the deadline is in virtual time (-ENOSYS before lab 5) */
#define TIMER_FLAGS	TIMER_VIRTUAL
#define TIMER_OFF	0	/* a deadline that never comes: disarms */

#ifndef __ASSEMBLY__
struct set_timer {
	uint64_t deadline;	/* absolute, in nanoseconds */
	uint32_t flags;
	uint32_t reserved;
};
#endif

#endif
