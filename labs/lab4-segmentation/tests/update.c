// SPDX-License-Identifier: MIT
/* Stores descriptors in a GDT, in an LDT and in plain memory, one by one, and uses them. */
#include "tables.h"

#define PLAIN	TABLE_KINDS

static void do_update(uint32_t i, uint64_t *plain)
{
	uint32_t where = input_word(), index = input_word(), low = input_word(), high = input_word();
	uint64_t *at = where == PLAIN ? plain + index : table_entry(where, index);
	int answer = hypercall_update_descriptor(machine_address(at), low, high);

	observe("update answer:int low high", i, answer, *at, *at >> 32);
	for (uint32_t count = input_word(); count > 0; count--)
		probe();
}

int test_main(const struct start_info *start)
{
	uint64_t *plain = page_alloc();
	uint32_t count;

	tables_open();
	do_rounds();
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		do_update(i, plain);
	return 0;
}
