/* SPDX-License-Identifier: MIT */
/*
 * Who runs next: borrowed virtual time (Duda and Cheriton, SOSP 1999; paper, section 3.3.1).
 *
 * Each domain has an actual virtual time A, which grows by its advance m (the inverse of its weight)
 * for each nanosecond that it has the processor. Its claim is E = A, less what it borrows while it is
 * warped: E = A - W. The least claim runs, and goes on until it is more than the allowance C beyond the
 * next one, so that there is not a switch at every tick.
 *
 * Shares are fair. Of two domains i and j that can run all the time and are not warped, and that received s_i and s_j
 * nanoseconds in any interval, with d the longest time between the end of a slice and the switch:
 *
 *	|s_i m_i - s_j m_j| <= (C + d) (m_i + m_j)
 *
 * which depends neither on the interval's length nor on how many others there are. What each part
 * costs: a larger C saves switches and lets a domain be ahead for longer.
 *
 * Sleep earns nothing: the system's virtual time SVT is the least A of all that can run, and never
 * decreases; whoever wakes with less is lifted to it.
 *
 * Invariants: assurance T1 to T8.
 */
#ifndef ATELIER_SCHED_POLICY_H
#define ATELIER_SCHED_POLICY_H

#include "lib/types.h"
#include "public/control.h"

struct domain;

/* A domain's share. Virtual times are in units: the default weight is charged POLICY_UNIT a nanosecond. */
struct policy_share {
	uint64_t avt;		/* A; wraps */
	uint32_t weight;
	uint32_t advance;	/* m: units a nanosecond */
	uint32_t warp;		/* W: nanoseconds of the default weight */
	uint32_t warp_limit;	/* L: nanoseconds of the processor, warped, between two rests of ... */
	uint32_t unwarp;	/* U: ... so many nanoseconds at least */
	uint32_t warped;	/* nanoseconds used since the last rest */
	uint64_t rest_until;	/* real time: not warped before */
};

#define POLICY_UNIT		65536u
#define POLICY_WEIGHT		256u		/* the default */
#define POLICY_WEIGHT_MAX	65535u
#define POLICY_ALLOWANCE	5000000u	/* C at first, in nanoseconds */
#define POLICY_ALLOWANCE_MIN	100000u
#define POLICY_ALLOWANCE_MAX	1000000000u
#define POLICY_SLICE_MIN	50000u		/* nanoseconds; shorter ones are not worth their switch */
#define POLICY_SLICE_MAX	1000000000u	/* so that no charge is longer, whoever runs alone */

void policy_init(void);
void policy_open(struct domain *d);

/* The one of those that can run that should, or NULL. The one that runs has been charged up to now. */
struct domain *policy_pick(void);

/* How long the chosen @d may run, in nanoseconds, if nothing happens. */
uint64_t policy_slice(struct domain *d);

/* @d used the processor for @time nanoseconds. */
void policy_charge(struct domain *d, uint64_t time);

/* @d can run, or no longer. The one that runs has been charged up to now. */
void policy_wake(struct domain *d);
void policy_sleep(struct domain *d);

/* Lets another one go first, once, whatever its claim, and gives up what it is behind that one. */
void policy_yield(struct domain *d);
void policy_leave(struct domain *d);

/*
 * What domain 0 wishes for @d. -EINVAL: weight 0 or above POLICY_WEIGHT_MAX, an allowance out of range,
 * or a warp without a limit; then nothing has changed.
 */
int policy_set(struct domain *d, const struct control_sched *wish);
void policy_get(const struct domain *d, struct control_sched *is);

#endif
