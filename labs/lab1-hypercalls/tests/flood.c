// SPDX-License-Identifier: MIT
/*
 * Talks without end: with counts beyond all measure, across the hole, over the line, and a hundred thousand times, a part of them so
 * that the hypervisor faults on it. Beside it flood-neighbour counts. What is printed has a byte of its own for each place, so that
 * the line shows how much came from where.
 */
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

MINI_BASE(0xfbc00000);

#define CALLS	100000

static void paint_places(void)
{
	memset(window_page(WINDOW_WRITABLE, 0), 1, 4 * PAGE_SIZE);
	memset(window_page(WINDOW_USER, 0), 2, 4 * PAGE_SIZE);
	memset((void *)(ATELIER_LINE - PAGE_SIZE), 3, PAGE_SIZE);
}

int test_main(const struct start_info *start)
{
	const char *hole = window_page(WINDOW_HOLE, 0), *byte = window_page(WINDOW_WRITABLE, 0);
	const char *line = (const char *)ATELIER_LINE;
	uint32_t count = input_word(), printed = 0, refused = 0;

	paint_places();
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = input_word(), size = input_word();

		observe("said answer:int", i, hypercall_console_write((const void *)at, size));
	}
	for (uint32_t i = 0; i < CALLS; i++) {
		if (i % 64 == 0)
			printed += hypercall_console_write(byte, 1) == 1;
		else
			refused += hypercall_console_write(i % 8 ? line : hole, 1 + i % 128) == -EFAULT;
	}
	observe("calls asked printed refused", 0, CALLS, printed, refused);
	return 0;
}
