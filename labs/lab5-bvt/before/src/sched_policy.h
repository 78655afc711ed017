/* SPDX-License-Identifier: MIT */
/*
 * Who runs next: in turns, SLICE nanoseconds each.
 */
#ifndef ATELIER_SCHED_POLICY_H
#define ATELIER_SCHED_POLICY_H

#include "lib/types.h"

struct domain;

#define SLICE	10000000ull

void policy_init(void);
void policy_open(struct domain *d);

/* The one of those that can run that should, or NULL. The one that runs has been charged up to now. */
struct domain *policy_pick(void);

/* How long the chosen @d may run, in nanoseconds, if nothing happens. */
uint64_t policy_slice(struct domain *d);

/* @d used the processor for @time nanoseconds. */
void policy_charge(struct domain *d, uint64_t time);

void policy_wake(struct domain *d);
void policy_sleep(struct domain *d);
void policy_yield(struct domain *d);
void policy_leave(struct domain *d);

#endif
