// SPDX-License-Identifier: MIT
/* Copies blocks that run into the hole, into read-only pages, or off the end of the windows. */
#include "copies.h"

int test_main(const struct start_info *start)
{
	do_copies();
	return 0;
}
