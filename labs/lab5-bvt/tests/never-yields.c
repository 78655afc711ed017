// SPDX-License-Identifier: MIT
/*
 * Three that want more than their share: one has all events masked, makes no call and spins in ring 1, one does that in ring 3, one
 * gives the processor away just before each millisecond of the clock is over. Domain 0 is director.c.
 */
#include "hypercall.h"
#include "trace.h"
#include "trap.h"
#include "user.h"

#define ALMOST	(930 * MICROSECOND)

USER_CODE(spin, "1: " TIME_PASS
		"rdtsc\n"
		"sub %ebx, %eax\n"
		"js 1b\n"
		"int $0x80\n");

static void in_ring_1(uint64_t cycles)
{
	for (uint32_t word = 0; word < EVENT_WORDS; word++)
		shared_info.mask[word] = UINT32_MAX;
	shared_info.upcall_mask = 1;
	trace_spin_until(cycles);
	trace_tell();
}

static void in_ring_3(uint64_t cycles)
{
	struct frame regs;

	trap_init();
	regs = user_start(USER_LOAD(spin));
	regs.ebx = cycles;
	user_run(&regs);
	observe("ended vector left:int", 0, regs.vector, regs.eax);
}

static void before_each_tick(uint64_t cycles)
{
	uint32_t yields = 0;

	while (read_tsc() < cycles) {
		trace_look();
		time_pass();
		if (time_now() % MILLISECOND > ALMOST) {
			hypercall_yield();
			yields++;
		}
	}
	trace_tell();
	observe("yields count", 0, yields);
}

int test_main(const struct start_info *start)
{
	static void (*const acts[])(uint64_t cycles) = { in_ring_1, in_ring_3, before_each_tick };

	input_word();		/* how many domains there are */
	acts[argument_number("act", 0)](cycles_at(input_word() * MILLISECOND));
	return 0;
}
