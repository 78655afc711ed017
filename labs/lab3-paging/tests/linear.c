// SPDX-License-Identifier: MIT
/* Asks for linear page tables, good and bad ones, in every slot of a directory. */
#include "guest_steps.h"

int test_main(const struct start_info *start)
{
	run_steps();
	return 0;
}
