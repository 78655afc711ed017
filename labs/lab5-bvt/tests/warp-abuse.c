// SPDX-License-Identifier: MIT
/*
 * One that may warp and naps whenever that could do it good, beside two that spin; and domain 0, which wishes it the same again and
 * again while it is warped, and what cannot be.
 */
#include "director.h"
#include "trace.h"

static struct control_sched told_wish(uint32_t *domain)
{
	struct control_sched wish = { 0 };

	*domain = input_word();
	wish.weight = input_word();
	wish.warp = input_word();
	wish.warp_limit = input_word();
	wish.unwarp = input_word();
	wish.allowance = input_word();
	return wish;
}

/* What is refused, once; then the good wish every few milliseconds. */
static void direct(uint32_t domains, uint64_t until)
{
	struct control_sched wish, is = { .flags = SCHED_GET };
	struct control_op get = { .interface = ATELIER_INTERFACE, .op = CONTROL_sched, .u.sched = is };
	uint32_t count, domain, renewals = 0;
	int32_t answer = 0;

	director_set_all(0);
	director_tell(0, domains);
	count = input_word();
	for (uint32_t i = 0; i < count; i++) {
		wish = told_wish(&domain);
		observe("refused it:int", i, director_set(domain, wish));
	}
	wish = told_wish(&domain);
	get.domain = domain;
	observe("get answer:int weight warp limit unwarp", 0, hypercall_control_op(&get), get.u.sched.weight, get.u.sched.warp,
		get.u.sched.warp_limit, get.u.sched.unwarp);
	while (time_now() < until - 4 * MILLISECOND) {
		sleep_until(time_now() + MILLISECOND + random_below(2 * MILLISECOND));
		answer |= director_set(domain, wish);
		renewals++;
	}
	observe("renewals count answer:int", 0, renewals, answer);
	director_tell(1, domains);
	director_wait_for_all(SECOND);
}

int test_main(const struct start_info *start)
{
	uint32_t domains = input_word();
	uint64_t until = input_word() * MILLISECOND, end;

	director_open();
	if (start->domid == 0) {
		direct(domains, until);
		return 0;
	}
	end = cycles_at(until);
	while (read_tsc() < end) {
		trace_spin_until(MIN(read_tsc() + 200000 + random_below(1800000), end));
		trace_stop();
		sleep_until(time_now() + 30 * MICROSECOND);
	}
	trace_tell();
	return 0;
}
