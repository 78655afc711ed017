// SPDX-License-Identifier: MIT
/* Sleeps and works in turns, for seeded times, and notes when it ran. Domain 0 is director.c. */
#include "director.h"
#include "trace.h"

int test_main(const struct start_info *start)
{
	uint64_t end;
	uint32_t naps = 0;

	input_word();		/* how many domains there are */
	end = input_word() * MILLISECOND;
	director_open();
	while (time_now() < end) {
		uint64_t work = time_now() + random_below(2 * MILLISECOND);

		trace_spin_until(cycles_at(MIN(work, end)));
		trace_stop();
		sleep_until(MIN(time_now() + random_below(3 * MILLISECOND), end));
		naps++;
	}
	trace_tell();
	observe("naps count", 0, naps);
	return 0;
}
