// SPDX-License-Identifier: MIT
/* Does what no handler can save it from, or only just can. Most of these domains die of it. */
#include "cases.h"

int test_main(const struct start_info *start)
{
	find_script(start->domid);
	do_cases();
	return 0;
}
