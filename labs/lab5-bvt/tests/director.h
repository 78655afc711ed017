/* SPDX-License-Identifier: MIT */
/* Domain 0's part: gives the others their weights and warps, lets them run, and asks what they had. */
#ifndef LAB5_DIRECTOR_H
#define LAB5_DIRECTOR_H

#include "event.h"
#include "mini.h"
#include "sleep.h"

static inline void director_open(void)
{
	event_init();
	sleep_open();
	events_enable();
}

static inline int32_t director_set(uint32_t domain, struct control_sched wish)
{
	struct control_op op = {
		.interface = ATELIER_INTERFACE, .op = CONTROL_sched, .domain = domain, .u.sched = wish,
	};

	return hypercall_control_op(&op);
}

/* A wish as the judge encodes it: domain, weight, warp, limit, unwarp, allowance. */
static inline int32_t director_set_next(void)
{
	uint32_t domain = input_word();
	struct control_sched wish = { .weight = input_word() };

	wish.warp = input_word();
	wish.warp_limit = input_word();
	wish.unwarp = input_word();
	wish.allowance = input_word();
	return director_set(domain, wish);
}

/* A list of wishes: their answers, and the counter when all of them hold. */
static inline void director_set_all(uint32_t key)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++)
		observe("answer it:int", key << 8 | i, director_set_next());
	observe("set cycles", key, (uint32_t)read_tsc());
}

/* What domain 0 is told about another: false if there is none of that number. */
static inline bool director_info(uint32_t domain, struct control_info *info)
{
	struct control_op op = { .interface = ATELIER_INTERFACE, .op = CONTROL_info, .domain = domain };

	if (hypercall_control_op(&op) || op.domain != domain)
		return false;
	*info = op.u.info;
	return true;
}

/* The time that each other domain had so far, by the hypervisor's account. */
static inline void director_tell(uint32_t key, uint32_t domains)
{
	struct control_info info;

	for (uint32_t d = 1; d < domains; d++)
		if (director_info(d, &info))
			observe("had low high", key << 8 | d, (uint32_t)info.run_time, (uint32_t)(info.run_time >> 32));
	observe("then cycles", key, (uint32_t)read_tsc());
}

/* Waits until only domain 0 is left, at most so long. */
static inline void director_wait_for_all(uint64_t most)
{
	struct control_op op;
	uint64_t end = time_now() + most;

	do {
		sleep_until(time_now() + 2 * MILLISECOND);
		op = (struct control_op){ .interface = ATELIER_INTERFACE, .op = CONTROL_info, .domain = 1 };
	} while (hypercall_control_op(&op) == 0 && time_now() < end);
}

#endif
