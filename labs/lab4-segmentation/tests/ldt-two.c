// SPDX-License-Identifier: MIT
/*
 * One of two domains that have an LDT each, and use the same selector in turn. Each goes by its own
 * half of the input.
 */
#include "hypercall.h"
#include "mini.h"
#include "tables.h"

static uint32_t seen[256];

/* The selector is loaded before the others run, and used after it. */
static void turn(uint32_t selector, bool load)
{
	uint32_t value;

	if (load)
		gs_load(selector);
	hypercall_yield();
	asm volatile("movzbl %%gs:0, %0" : "=r" (value) : : "memory");
	seen[value]++;
}

static void load_gs(void *selector)
{
	gs_load((uint32_t)selector);
}

int test_main(const struct start_info *start)
{
	uint32_t domain = argument_number("domain", 0), turns = input_word(), shared, own, beyond, refused = 0;

	for (uint32_t skip = input_word() * domain; skip > 0; skip--)
		input_word();
	shared = input_word();
	own = input_word();
	beyond = input_word();
	tables_open();
	do_rounds();
	for (uint32_t i = 0; i < turns; i++) {
		turn(i % 10 < 8 ? shared : own, i % 10 == 0 || i % 10 == 4 || i % 10 == 8);
		if (i % 10 == 3)
			refused += try_call(load_gs, (void *)beyond).happened;
	}
	gs_load(0);
	observe_bytes("seen counts:bytes", 0, seen, sizeof(seen));
	observe("beyond refused", 0, refused);
	for (uint32_t i = 0; domain == 0 && i < 200; i++)	/* until the other one has come to its end */
		hypercall_yield();
	return 0;
}
