// SPDX-License-Identifier: MIT
/* Takes, gives back and exchanges frames, and looks whether both maps agree. Domain 0 is director.c. */
#include "guest_steps.h"

int test_main(const struct start_info *start)
{
	run_steps();
	return 0;
}
