// SPDX-License-Identifier: MIT
/* Builds address spaces and touches all that is mapped in them. */
#include "guest_steps.h"

int test_main(const struct start_info *start)
{
	run_steps();
	return 0;
}
