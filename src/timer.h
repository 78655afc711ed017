/* SPDX-License-Identifier: MIT */
/*
 * Timers: one real-time deadline a domain, and the clock that each domain reads without a call
 * (paper, section 3.3.2).
 */
#ifndef ATELIER_TIMER_H
#define ATELIER_TIMER_H

#include "lib/types.h"
#include "public/timer.h"
#include "lib/list.h"

struct domain;

#define TIMER_NEVER	UINT64_MAX

/* A domain's share. */
struct timers {
	struct list armed;	/* on the list of armed ones, by deadline */
	uint64_t deadline;
};

void timer_init(void);
void timers_open(struct domain *d);
void timers_destroy(struct domain *d);

/* A door for pc/: the machine's timer has fired. Raises what is due and arms it again. */
void timer_tick(void);

/* The scheduler's own deadline: the end of the current slice. Arms the machine. */
void timer_set_slice(uint64_t deadline);

/* Publishes the clock in @d's shared page: at its start, at each switch to it, and now and then. */
void time_publish(struct domain *d);

int do_set_timer(struct domain *d, guest_addr_t arg);

#endif
