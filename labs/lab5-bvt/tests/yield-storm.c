// SPDX-License-Identifier: MIT
/*
 * Domains that yield, or block with something to do, as fast as they can, or sleep; one that spins beside them; and domain 0, which
 * ends them while they run, wait, sleep or are paused.
 */
#include "director.h"
#include "trace.h"

enum { ACT_YIELD, ACT_BLOCK, ACT_SLEEP, ACT_YIELD_LATER };

static uint32_t times;		/* that it yielded or blocked */

static int32_t control(uint32_t op, uint32_t domain)
{
	struct control_op c = { .interface = ATELIER_INTERFACE, .op = op, .domain = domain };
	int32_t err = hypercall_control_op(&c);

	if (op != CONTROL_destroy || err != -EAGAIN)
		return err;
	do
		err = hypercall_control_op(&c);
	while (err == -EAGAIN);
	return err == -ESRCH ? 0 : err;		/* the rest of it happened meanwhile */
}

/* When (milliseconds), what, whom. */
static void direct(uint32_t domains, uint64_t until)
{
	uint32_t count;

	director_set_all(0);
	director_tell(0, domains);
	count = input_word();
	for (uint32_t i = 0; i < count; i++) {
		uint32_t ms = input_word(), op = input_word(), domain = input_word();

		sleep_until(ms * MILLISECOND);
		observe("control answer:int", i, control(op, domain));
	}
	sleep_until(until - 2 * MILLISECOND);
	director_tell(1, domains);
	director_wait_for_all(SECOND);
}

/* Something is always pending, so that it does not sleep. */
static void block_once(void)
{
	events_disable();
	time_alarm(1);
	hypercall_block();
}

static void be_a_nuisance(uint32_t act)
{
	if (act == ACT_YIELD || act == ACT_YIELD_LATER)
		hypercall_yield();
	else if (act == ACT_BLOCK)
		block_once();
	else
		hypercall_block();
	times++;
}

int test_main(const struct start_info *start)
{
	uint32_t act = argument_number("act", 0), domains = input_word();
	uint64_t until = input_word() * MILLISECOND, stop = input_word() * MILLISECOND, end;

	director_open();
	if (start->domid == 0) {
		direct(domains, until);
		return 0;
	}
	if (act == ACT_YIELD_LATER)
		sleep_until(stop);
	end = cycles_at(stop);
	while (read_tsc() < end)
		be_a_nuisance(act);
	observe("storm count", 0, times);
	for (;;)
		be_a_nuisance(act);
	return 0;
}
