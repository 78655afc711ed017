// SPDX-License-Identifier: MIT
/* Calls by the numbers that it is given, each with a good call behind it. */
#include "hypercall.h"
#include "mini.h"

#define ARGUMENT	99	/* no reason to shut down, no debug register: nothing comes of it if a number is mistaken */

int test_main(const struct start_info *start)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = input_word();
		uint32_t answer = hypercall(number, ARGUMENT, ARGUMENT, 0, 0, 0);

		observe("number answer:int good:int", i, answer, hypercall_version());
	}
	return 0;
}
