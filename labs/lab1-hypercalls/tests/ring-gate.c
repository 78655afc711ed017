// SPDX-License-Identifier: MIT
/*
 * A domain that calls the hypervisor from ring 3. Nothing brings it back from there: in lab 1 an exception kills. "good=" is
 * the number of calls that it makes from ring 1 before.
 */
#include "hypercall.h"
#include "mini.h"
#include "user.h"

/* version(), three times; if that works, ring 3 goes on to an instruction that it may not execute either. */
USER_CODE(call, "mov $3, %ecx\n"
		"1: xor %eax, %eax\n"
		"int $0x82\n"
		"loop 1b\n"
		"hlt\n");

int test_main(const struct start_info *start)
{
	uint32_t good = argument_number("good", 0);
	struct frame regs = user_start(USER_LOAD(call));
	uint32_t answered = 0;

	for (uint32_t i = 0; i < good; i++)
		answered += hypercall_version() == ATELIER_INTERFACE;
	/* user_run() makes a call, too, before it leaves ring 1. */
	observe("user calls good", 0, good + 1, answered);
	user_run(&regs);
	return 0;
}
