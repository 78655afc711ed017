// SPDX-License-Identifier: MIT
/* Changes mappings, flushes in each way that there is, and looks what it sees then. */
#include "guest_steps.h"

int test_main(const struct start_info *start)
{
	run_steps();
	return 0;
}
