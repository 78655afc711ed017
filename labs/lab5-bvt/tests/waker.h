/* SPDX-License-Identifier: MIT */
/*
 * Sleeps and is woken at the moments that it is told, beside others that want the processor all the time, and notes how late that
 * was. Domain 0 is director.c.
 */
#ifndef LAB5_WAKER_H
#define LAB5_WAKER_H

#include "director.h"

static inline void waker_run(void)
{
	uint32_t wishes, count;
	uint64_t at;

	input_word();		/* how many domains there are */
	input_word();		/* until when */
	wishes = input_word();
	for (uint32_t i = 0; i < 6 * wishes; i++)
		input_word();
	director_open();
	count = input_word();
	at = input_word() * MILLISECOND;
	for (uint32_t i = 0; i < count; i++) {
		at += input_word();
		if (at <= time_now() + 100 * MICROSECOND)	/* the last one was too late for this one to say anything */
			continue;
		sleep_until(at);
		observe("late ns", i, (uint32_t)(time_now() - at));
	}
}

#endif
