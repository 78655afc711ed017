// SPDX-License-Identifier: MIT
/* One that is woken beside one that spins. Domain 0 is director.c. */
#include "waker.h"

int test_main(const struct start_info *start)
{
	waker_run();
	return 0;
}
