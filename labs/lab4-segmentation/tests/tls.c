// SPDX-License-Identifier: MIT
/* Runs programs in ring 3 that go back and forth between both sides of their base. */
#include "programs.h"

int test_main(const struct start_info *start)
{
	programs_open();
	do_programs();
	return 0;
}
