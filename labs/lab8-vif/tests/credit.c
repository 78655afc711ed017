// SPDX-License-Identifier: MIT
/* host test */
/* A capped VIF that always has something to send, that pauses, and goes on. */
#include "credit.h"

static void run(void)
{
	uint32_t bytes = input_word(), us = input_word(), count = input_word();

	open_capped(bytes, us, 1000000);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t packets = input_word(), length = input_word(), pause = input_word(), step = input_word();

		for (uint32_t k = 0; k < packets; k++)
			net_send(&n, k, PFN_NET, 0, length);
		kick(i);
		pass(i, pause, step);
	}
	observe("end left", 0, host_wire.sent_count);
}
