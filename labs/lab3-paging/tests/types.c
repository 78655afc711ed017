// SPDX-License-Identifier: MIT
/* Uses its pages as this and that, one use after another, and two at a time. */
#include "guest_steps.h"

int test_main(const struct start_info *start)
{
	run_steps();
	return 0;
}
