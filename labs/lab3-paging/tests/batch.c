// SPDX-License-Identifier: MIT
/* Asks for many updates at once, one of which may not be done. */
#include "guest_steps.h"

int test_main(const struct start_info *start)
{
	run_steps();
	return 0;
}
