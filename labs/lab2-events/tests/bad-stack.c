// SPDX-License-Identifier: MIT
/* Waits for events on stacks that cannot hold a frame, or only just can. Most of these domains die of it. */
#include "cases.h"

int test_main(const struct start_info *start)
{
	find_script(start->domid);
	do_cases();
	return 0;
}
