// SPDX-License-Identifier: MIT
/* One that may warp, and is woken beside three that spin. Domain 0 is director.c. */
#include "waker.h"

int test_main(const struct start_info *start)
{
	waker_run();
	return 0;
}
