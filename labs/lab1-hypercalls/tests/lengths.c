// SPDX-License-Identifier: MIT
/* Says texts of all lengths, from wherever in a page it is told. */
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

#define ROOM	(4 * PAGE_SIZE)

int test_main(const struct start_info *start)
{
	char *room = page_alloc_run(ROOM / PAGE_SIZE);
	uint32_t count = input_word(), size;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t offset = input_word();
		const void *text = input_bytes(&size);

		memcpy(room + offset, text, size);
		observe("said answer:int", i, hypercall_console_write(room + offset, size));
	}
	observe("nothing in_hole:int above:int", 0,
		hypercall_console_write(window_page(WINDOW_HOLE, 0), 0),
		hypercall_console_write((void *)0xffffffff, 0));
	return 0;
}
