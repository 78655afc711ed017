// SPDX-License-Identifier: MIT
/* Copies blocks within the windows, some of them to or from where none can be. */
#include "copies.h"

int test_main(const struct start_info *start)
{
	do_copies();
	return 0;
}
