// SPDX-License-Identifier: MIT
/* Asks for updates that no sound guest would ask for. */
#include "guest_steps.h"

int test_main(const struct start_info *start)
{
	run_steps();
	return 0;
}
