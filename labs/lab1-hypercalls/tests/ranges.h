/* SPDX-License-Identifier: MIT */
/* What the host tests of exercise 1.2 share: both functions, asked as the judge says. */
#ifndef LAB1_RANGES_H
#define LAB1_RANGES_H

#include "guest_copy.h"
#include "host/program.h"

/* Answers go 32 to a word. */
static void run(void)
{
	uint32_t count = input_word(), answers = 0;

	for (uint32_t i = 0; i < count; i++) {
		guest_addr_t addr = GUEST_ADDR(input_word());
		uint32_t n = input_word(), size = input_word();
		bool ok = size ? guest_array_ok(addr, n, size) : guest_range_ok(addr, n);

		answers |= (uint32_t)ok << i % 32;
		if (i % 32 == 31 || i == count - 1) {
			observe("answers bits", i / 32, answers);
			answers = 0;
		}
	}
}

#endif
