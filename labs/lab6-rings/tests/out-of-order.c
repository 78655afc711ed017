// SPDX-License-Identifier: MIT
/* A domain whose requests to read, to write and to be refused are answered in another order. Domain 0 is director.c. */
#include "talker.h"

int test_main(const struct start_info *start)
{
	talker_talk();
	return 0;
}
