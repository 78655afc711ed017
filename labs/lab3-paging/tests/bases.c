// SPDX-License-Identifier: MIT
/* Goes from one address space to another, and drops those that it has left. */
#include "guest_steps.h"

int test_main(const struct start_info *start)
{
	run_steps();
	return 0;
}
