// SPDX-License-Identifier: MIT
/* Runs what its judge says until an event comes, in ring 1 and in ring 3, and reports the frame. */
#include "cases.h"

int test_main(const struct start_info *start)
{
	do_cases();
	return 0;
}
