// SPDX-License-Identifier: MIT
/* Asks for fast gates that it must not have, and looks whether the old one stands. */
#include "cases.h"

#define ELSEWHERE	0xf00	/* where the table leads that is not asked */

int test_main(const struct start_info *start)
{
	uint32_t size;
	const uint8_t *code = input_bytes(&size);

	memcpy((char *)window_page(WINDOW_WRITABLE, 0) + ELSEWHERE, code, size);
	do_cases();
	return 0;
}
