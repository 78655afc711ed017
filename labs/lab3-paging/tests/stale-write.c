// SPDX-License-Identifier: MIT
/* Writes through addresses that the processor may remember as writable, to pages that have become tables. */
#include "guest_steps.h"

int test_main(const struct start_info *start)
{
	run_steps();
	return 0;
}
