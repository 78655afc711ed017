// SPDX-License-Identifier: MIT
/* Loads LDTs of no to sixteen pages, and uses what is in them. */
#include "tables.h"

int test_main(const struct start_info *start)
{
	tables_open();
	do_rounds();
	return 0;
}
