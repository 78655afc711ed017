// SPDX-License-Identifier: MIT
/* host test */
/* Lets each use of a frame follow each other one. The processor of the pretend machine remembers all that it may. */
#include "host_steps.h"

static void run(void)
{
	run_steps();
}
