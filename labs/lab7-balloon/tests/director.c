// SPDX-License-Identifier: MIT
/*
 * Domain 0 of lab 7's tests: gives memory back, says who may have it, and looks how much there is; step by step, as it is told. Counts
 * of frames are from what a domain had at first.
 */
#include "event.h"
#include "lib/string.h"
#include "memory.h"
#include "mini.h"
#include "sleep.h"

#define DOMAINS		4u

enum { STEP_GIVE, STEP_LIMIT, STEP_SLEEP, STEP_FREE, STEP_HAS, STEP_GONE };

static uint32_t had[DOMAINS];		/* frames, at first: its limit */

static int32_t control(uint32_t op, uint32_t domain, struct control_op *c)
{
	c->interface = ATELIER_INTERFACE;
	c->op = op;
	c->domain = domain;
	return hypercall_control_op(c);
}

/* What there is to know of a domain; all 0: there is none. */
static struct control_info info_of(uint32_t domain)
{
	struct control_op c = { 0 };

	return control(CONTROL_info, domain, &c) == 0 && c.domain == domain ? c.u.info : (struct control_info){ 0 };
}

static int32_t set_limit(uint32_t domain, uint32_t more)
{
	struct control_op c = { .u.limit.frames = had[domain] + more };

	return control(CONTROL_limit, domain, &c);
}

/* So many of its own, full of old bytes; and it will not take them back. */
static void give(uint32_t key, uint32_t count)
{
	uint32_t given = 0;

	for (uint32_t i = 0; i < count; i++) {
		void *page = page_alloc();

		memset(page, 0xee, PAGE_SIZE);
		given += memory_give(memory_unmap(page)) == 1;
	}
	observe("give given limit:int", key, given, set_limit(0, -count));
}

static void look(uint32_t key)
{
	struct control_op c = { 0 };

	control(CONTROL_machine, 0, &c);
	observe("free frames", key, c.u.machine.free_kib / (PAGE_SIZE / 1024));
}

/* Waits until a domain owns so many more, or 200 ms. */
static void wait_until_has(uint32_t domain, uint32_t more)
{
	uint64_t end = time_now() + 200 * MILLISECOND;

	while (info_of(domain).frames != had[domain] + more && time_now() < end)
		sleep_for(200 * MICROSECOND);
}

static void wait_until_gone(uint32_t domain)
{
	while (info_of(domain).limit)
		sleep_for(1000 * MICROSECOND);
}

static void do_step(uint32_t key)
{
	uint32_t step = input_word(), domain = input_word(), n = input_word();

	switch (step) {
	case STEP_GIVE:
		give(key, n);
		return;
	case STEP_LIMIT:
		observe("limit answer:int", key, set_limit(domain, n));
		return;
	case STEP_SLEEP:
		sleep_for(n * MICROSECOND);
		return;
	case STEP_FREE:
		look(key);
		return;
	case STEP_HAS:
		wait_until_has(domain, n);
		return;
	case STEP_GONE:
		wait_until_gone(domain);
		return;
	}
}

int test_main(const struct start_info *start)
{
	uint32_t count;

	event_init();
	sleep_open();
	events_enable();
	for (uint32_t d = 0; d < DOMAINS; d++)
		had[d] = info_of(d).limit;
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		do_step(i);
	return 0;
}
