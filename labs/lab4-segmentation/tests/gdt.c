// SPDX-License-Identifier: MIT
/* Loads GDTs of one to sixteen frames, and uses what is in them. */
#include "tables.h"

int test_main(const struct start_info *start)
{
	tables_open();
	do_rounds();
	return 0;
}
