// SPDX-License-Identifier: MIT
/* A domain that writes and reads. Domain 0 is director.c. */
#include "talker.h"

int test_main(const struct start_info *start)
{
	talker_talk();
	return 0;
}
