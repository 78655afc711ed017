// SPDX-License-Identifier: MIT
/* Executes INT n for every n in both rings, by tables of all kinds, and reports what comes of it. */
#include "cases.h"

int test_main(const struct start_info *start)
{
	do_cases();
	return 0;
}
