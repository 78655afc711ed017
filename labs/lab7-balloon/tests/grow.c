// SPDX-License-Identifier: MIT
/* Takes frames, a few at a time, up to its limit. Domain 0 is director.c. */
#include "guest_steps.h"

int test_main(const struct start_info *start)
{
	run_steps();
	return 0;
}
