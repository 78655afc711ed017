// SPDX-License-Identifier: MIT
/*
 * Domain 0 of the hostile tests: minds its own business while another domain misbehaves. Each round it makes a call and
 * lets the others run; "rounds=" is enough for them to come to their end.
 */
#include "hypercall.h"
#include "mini.h"

int test_main(const struct start_info *start)
{
	uint32_t rounds = argument_number("rounds", 200);
	uint32_t good = 0;

	for (uint32_t i = 0; i < rounds; i++) {
		good += hypercall_version() == ATELIER_INTERFACE;
		good += hypercall_yield() == 0;
	}
	/* The last call, shutdown(), is one more. */
	observe("honest calls good", 0, 2 * rounds + 1, good);
	return 0;
}
