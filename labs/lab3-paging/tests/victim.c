// SPDX-License-Identifier: MIT
/* Builds up page tables as its judge says, and dies in the middle of it. */
#include "guest_steps.h"
#include "public/vcpu.h"

enum { DEATH_SHUTDOWN, DEATH_FAULT, DEATH_STACK };

static NORETURN void die(uint32_t how)
{
	if (how == DEATH_FAULT) {	/* an exception that nobody has a handler for */
		hypercall_set_trap_table(NULL, 0);
		asm volatile("ud2");
	}
	if (how == DEATH_STACK)		/* and one that cannot even be delivered */
		asm volatile("mov $0x1000, %esp\n"
			     "ud2");
	for (;;)
		hypercall_shutdown(SHUTDOWN_crash, 0);
}

/* Behind domain 0's part of the input lies that of each other domain. */
static void find_part(void)
{
	const uint8_t *part = NULL;
	uint32_t size = 0;

	input_word();
	input_word();
	for (uint32_t n = argument_number("domain", 0); n > 0; n--)
		part = input_bytes(&size);
	input_open(part, size);
}

int test_main(const struct start_info *start)
{
	uint32_t how, wait;

	find_part();
	how = input_word();
	wait = input_word();
	while (wait-- > 0)
		hypercall_yield();
	run_steps();
	die(how);
}
