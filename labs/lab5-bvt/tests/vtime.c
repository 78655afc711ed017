// SPDX-License-Identifier: MIT
/*
 * Works, and naps in between if it is told to; notes when it ran, and what its virtual time was at the beginning of each piece of
 * work. Domain 0 is director.c.
 */
#include "director.h"
#include "trace.h"

static void note_times(uint32_t key)
{
	struct time t = time_read();
	uint32_t cycles = read_tsc();

	observe("at cycles virtual virtual_high real", key, cycles, (uint32_t)t.virtual, (uint32_t)(t.virtual >> 32),
		(uint32_t)(t.real / MICROSECOND));
}

int test_main(const struct start_info *start)
{
	bool naps = argument_number("naps", 0);
	uint32_t pieces = 0;
	uint64_t end;

	input_word();		/* how many domains there are */
	end = input_word() * MILLISECOND;
	director_open();
	while (time_now() < end) {
		trace_look();
		note_times(pieces++);
		trace_spin_until(cycles_at(time_now() + MILLISECOND + random_below(2 * MILLISECOND)));
		if (!naps)
			continue;
		trace_stop();
		sleep_until(time_now() + random_below(3 * MILLISECOND));
	}
	trace_look();
	note_times(pieces);
	trace_tell();
	return 0;
}
