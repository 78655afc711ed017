// SPDX-License-Identifier: MIT
/* host test */
/* Pins tables and directories with one bad entry in the middle of good ones, then gives them away. */
#include "host_steps.h"

static void run(void)
{
	run_steps();
}
