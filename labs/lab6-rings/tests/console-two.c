// SPDX-License-Identifier: MIT
/* One of two domains that write and read. Domain 0 is director.c. */
#include "talker.h"

int test_main(const struct start_info *start)
{
	talker_talk();
	return 0;
}
