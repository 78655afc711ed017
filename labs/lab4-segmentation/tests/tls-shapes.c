// SPDX-License-Identifier: MIT
/*
 * Runs the judge's instructions in ring 3, each with an offset that its segment does not reach as
 * it stands.
 */
#include "programs.h"

int test_main(const struct start_info *start)
{
	programs_open();
	do_programs();
	return 0;
}
