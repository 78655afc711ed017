// SPDX-License-Identifier: MIT
/*
 * Domain 0 of the tests in which all that it does is to set weights once: told how many domains there are, the wishes, and until
 * when they are to be left alone (milliseconds of real time). What follows is for the others.
 */
#include "director.h"

int test_main(const struct start_info *start)
{
	uint32_t domains = input_word();
	uint64_t until;

	director_open();
	until = input_word() * MILLISECOND;
	director_set_all(0);
	observe("start ms", 0, (uint32_t)(time_now() / MILLISECOND));
	director_tell(0, domains);
	sleep_until(until - 2 * MILLISECOND);	/* they all still run then */
	director_tell(1, domains);
	director_wait_for_all(SECOND);
	return 0;
}
