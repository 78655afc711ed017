// SPDX-License-Identifier: MIT
/* A domain that writes ten thousand times, and sometimes more than a slot holds. Domain 0 is director.c. */
#include "talker.h"

int test_main(const struct start_info *start)
{
	talker_talk();
	return 0;
}
