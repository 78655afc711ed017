// SPDX-License-Identifier: MIT
/*
 * Lies in the last 4 MiB below the line, so that copies which begin in its own memory can run over it; then has the
 * hypervisor fault for a long time.
 */
#include "copies.h"

MINI_BASE(0xfbc00000);

#define FAULTS	10000

/* Registers that a copy is known by: whatever faults in between, they must be there after it. */
static void copy_with_registers(uint32_t i, uint32_t source, uint32_t destination)
{
	struct registers r = {
		.eax = HYPERCALL_debug_op, .ebx = DEBUG_copy, .ecx = source, .edx = destination, .esi = 64,
		.edi = random_word(), .ebp = random_word(), .eflags = 2, .ds = ATELIER_RING1_DATA, .es = ATELIER_RING1_DATA,
	};
	struct registers before = r;

	hypercall_registers(&r);
	before.eax = r.eax;
	observe("registers eax changed", i, r.eax,
		memcmp(&r.ebx, &before.ebx, 6 * 4) != 0 || r.esp != 0 || r.ds != before.ds || r.es != before.es);
}

int test_main(const struct start_info *start)
{
	uint32_t hole = (uint32_t)window_page(WINDOW_HOLE, 0), user = (uint32_t)window_page(WINDOW_USER, 0);
	uint32_t refused = 0;

	do_copies();
	for (uint32_t i = 0; i < FAULTS; i++) {
		uint32_t at = random_below(2 * PAGE_SIZE);

		if (i % 2)
			refused += hypercall_debug_op(DEBUG_copy, hole + at, user, 64) == 64;
		else
			refused += hypercall_debug_op(DEBUG_copy, user, hole + at, 64) == 64 << 16;
		if (i % 1000 < 2)
			copy_with_registers(i, i % 2 ? hole + at : user, i % 2 ? user : hole + at);
	}
	observe("faults asked refused", 0, FAULTS, refused);
	return 0;
}
