// SPDX-License-Identifier: MIT
/*
 * Lies right below the line, and makes calls on lists that are longer than the address space, or wrap around it. The first
 * entries of most of them are really there, and would be executed by whoever looks at the start alone.
 */
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"

MINI_BASE(0xfbc00000);

#define UNTOUCHED	0x5a5a5a5a
#define ENTRIES		4

static void put_entries(uint32_t at)
{
	struct multicall_entry *list = (struct multicall_entry *)at;

	for (uint32_t i = 0; i < ENTRIES; i++)
		list[i] = (struct multicall_entry){ .call = HYPERCALL_version, .result = UNTOUCHED };
}

/* Asks for @count entries at @at; ENTRIES of them have been put at @put (0: nowhere). */
static void try_list(uint32_t i, uint32_t at, uint32_t count, uint32_t put)
{
	uint32_t touched = 0;
	int32_t answer;

	if (put)
		put_entries(put);
	answer = hypercall_multicall((struct multicall_entry *)at, count);
	for (uint32_t k = 0; put && k < ENTRIES; k++)
		touched += ((struct multicall_entry *)put)[k].result != UNTOUCHED;
	observe("list answer:int touched", i, answer, touched);
}

int test_main(const struct start_info *start)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = input_word(), entries = input_word(), put = input_word();

		try_list(i, at, entries, put);
	}
	count = input_word();
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = input_word();

		observe("store answer:int", i, hypercall_get_debugreg(0, (uint32_t *)at));
	}
	return 0;
}
