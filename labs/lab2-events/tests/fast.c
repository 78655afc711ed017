// SPDX-License-Identifier: MIT
/* System calls by the trap table, and by a fast gate, between marks. */
#include "quick.h"

static const uint8_t vectors[] = { 0x80 };

static void measure(uint32_t key, uint32_t calls)
{
	bool ended;

	quick_count[0] = quick_count[1] = 0;
	observe_mark();
	ended = quick_calls(vectors[0], calls);
	observe_mark();
	observe("calls made ended first second", key, calls, ended, quick_count[0], quick_count[1]);
}

int test_main(const struct start_info *start)
{
	uint32_t few = input_word(), many = input_word();

	observe("answers table fast:int again", 0, quick_table(vectors, 1, quick_first), 0, 0);
	measure(0, few);
	measure(1, many);
	observe("answers table fast:int again", 1, 0, hypercall_set_fast_trap(vectors[0]), 0);
	measure(2, few);
	measure(3, many);
	/* The gate is what the table was then. */
	observe("answers table fast:int again", 2, quick_table(vectors, 1, quick_second), 0, 0);
	measure(4, many);
	observe("answers table fast:int again", 3, 0, 0, hypercall_set_fast_trap(vectors[0]));
	measure(5, many);
	observe("answers table fast:int again", 4, 0, hypercall_set_fast_trap(FAST_TRAP_NONE), 0);
	measure(6, many);
	return 0;
}
