// SPDX-License-Identifier: MIT
/* Says what it was given to say, a call for each text. */
#include "hypercall.h"
#include "mini.h"

int test_main(const struct start_info *start)
{
	uint32_t count = input_word(), size;

	for (uint32_t i = 0; i < count; i++) {
		const void *text = input_bytes(&size);

		observe("said answer:int", i, hypercall_console_write(text, size));
	}
	return 0;
}
