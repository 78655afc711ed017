// SPDX-License-Identifier: MIT
/* Gives frames back. Domain 0 is director.c. */
#include "guest_steps.h"

int test_main(const struct start_info *start)
{
	run_steps();
	return 0;
}
