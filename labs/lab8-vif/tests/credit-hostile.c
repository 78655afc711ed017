// SPDX-License-Identifier: MIT
/* host test */
/* Caps of nothing and of all, a clock about to wrap, packets larger than the cap, packets that are refused. */
#include "credit.h"

static void run(void)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++) {
		uint32_t bytes = input_word(), us = input_word(), from_wrap = input_word(), refused = input_word();
		uint32_t packets = input_word(), length = input_word(), pause = input_word();

		open_capped(bytes, us, from_wrap ? -(from_wrap * US) : 1000000);
		allow(false);
		for (uint32_t k = 0; k < refused; k++)
			net_send(&n, 100 + k, PFN_NET, 0, MIN(length, bytes ? bytes : length));
		kick(i);
		allow(true);
		for (uint32_t k = 0; k < packets; k++)
			net_send(&n, k, PFN_NET, 0, length);
		kick(i);
		observe("at_once left", i, host_wire.sent_count);
		pass(i, pause, 100);
		observe("later left", i, host_wire.sent_count);
	}
}
