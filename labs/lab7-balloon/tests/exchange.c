// SPDX-License-Identifier: MIT
/* Exchanges frames. Domain 0 is director.c. */
#include "guest_steps.h"

int test_main(const struct start_info *start)
{
	run_steps();
	return 0;
}
