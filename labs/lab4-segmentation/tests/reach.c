// SPDX-License-Identifier: MIT
/*
 * Loads descriptors that end at and around the fence, one a table, and touches both sides of their
 * borders.
 */
#include "tables.h"

int test_main(const struct start_info *start)
{
	tables_open();
	do_rounds();
	return 0;
}
