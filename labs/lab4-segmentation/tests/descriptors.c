// SPDX-License-Identifier: MIT
/* host test */
/* Asks about the descriptors of the judge's table. */
#include "fits.h"

static void run(void)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++) {
		struct descriptor d = { .low = input_word() };
		uint32_t answer;

		d.high = input_word();
		answer = fit(&d);
		observe("fit answer low high", i, answer, d.low, d.high);
	}
}
