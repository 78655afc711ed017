// SPDX-License-Identifier: MIT
/* Causes every exception that a guest can cause, and reports the frames. */
#include "cases.h"

int test_main(const struct start_info *start)
{
	do_cases();
	return 0;
}
