// SPDX-License-Identifier: MIT
/* host test */
/* Changes one flag at a time, on each kind of entry, and offers entries that are refused. */
#include "host_steps.h"

static void run(void)
{
	run_steps();
}
