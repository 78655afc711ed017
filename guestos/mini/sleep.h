/* SPDX-License-Identifier: MIT */
/* Sleeping by the alarm of real time, for a guest that uses it for nothing else. */
#ifndef MINI_SLEEP_H
#define MINI_SLEEP_H

#include "lib/types.h"
#include "time.h"

/* Takes VIRQ_TIMER, after event_init(); negative: an error. */
int sleep_open(void);

/* Until a moment of real time: at once, if it is over. Events are enabled then. */
void sleep_until(uint64_t time);

static inline void sleep_for(uint64_t nanoseconds)
{
	sleep_until(time_now() + nanoseconds);
}

#endif
