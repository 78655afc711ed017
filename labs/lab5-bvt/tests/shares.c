// SPDX-License-Identifier: MIT
/* Wants the processor all the time, and notes when it had it. Domain 0 is director.c. */
#include "trace.h"

int test_main(const struct start_info *start)
{
	input_word();		/* how many domains there are */
	trace_spin_until(cycles_at(input_word() * MILLISECOND));
	trace_tell();
	return 0;
}
