// SPDX-License-Identifier: MIT
/* Domain 0 beside flood: how long does a piece of work take that needs nobody? */
#include "hypercall.h"
#include "mini.h"

#define TURNS	50000u		/* of PIECE instructions and two more: an emulator gets over long pieces in less of the host's time */
#define PIECE	400

int test_main(const struct start_info *start)
{
	uint64_t before = read_tsc();
	uint32_t turns = TURNS, good = 0;

	asm volatile("1: .fill %c1, 1, 0x90\n"
		     "dec %0\n"
		     "jnz 1b\n" : "+r" (turns) : "i" (PIECE));
	observe("work instructions cycles", 0, (PIECE + 2) * TURNS, (uint32_t)(read_tsc() - before));

	/* The rest of the time is the other one's. */
	for (uint32_t i = 0; i < 400; i++)
		good += hypercall_yield() == 0;
	observe("yields good", 0, good);
	return 0;
}
