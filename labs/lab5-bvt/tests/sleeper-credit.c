// SPDX-License-Identifier: MIT
/*
 * A domain that sleeps for very long beside one that is charged much for its time, and then wants the processor all the time; and
 * domain 0, which makes the other's weight an ordinary one just before.
 */
#include "director.h"
#include "trace.h"

static void direct(uint32_t domains, uint64_t wakes, uint64_t until)
{
	director_set_all(0);
	sleep_until(wakes - 2 * MILLISECOND);
	director_set_all(1);
	director_tell(0, domains);
	sleep_until(until - 2 * MILLISECOND);
	director_tell(1, domains);
	director_wait_for_all(SECOND);
}

int test_main(const struct start_info *start)
{
	uint32_t domains = input_word();
	uint64_t until = input_word() * MILLISECOND, wakes = input_word() * MILLISECOND;

	director_open();
	if (start->domid == 0) {
		direct(domains, wakes, until);
		return 0;
	}
	sleep_until(wakes);
	trace_spin_until(cycles_at(until));
	trace_tell();
	return 0;
}
