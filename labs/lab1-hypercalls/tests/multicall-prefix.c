// SPDX-License-Identifier: MIT
/* Makes batches whose list breaks off: into the hole behind the windows, or into read-only pages. */
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

#define DR0	0	/* what the entries set, so that it tells which of them was the last */

/* A whole batch after the broken one. */
static void do_good_batch(uint32_t i)
{
	struct multicall_entry list[3] = { [0 ... 2] = { .call = HYPERCALL_version } };
	int32_t answer = hypercall_multicall(list, ARRAY_SIZE(list));

	observe("good answer:int first:int last:int", i, answer, list[0].result, list[2].result);
}

static void do_broken_batch(uint32_t i)
{
	uint32_t base = start_info->windows;
	struct multicall_entry *list = (struct multicall_entry *)(base + input_word());
	uint32_t count = input_word(), show_size, size, last = 0;
	const void *entries;
	int32_t once, twice;

	show_size = input_word();
	entries = input_bytes(&size);
	/* Twice the same: a batch may stop early for an interrupt, but not twice in a row. */
	memcpy(list, entries, size);
	once = hypercall_multicall(list, count);
	memcpy(list, entries, size);
	twice = hypercall_multicall(list, count);
	hypercall_get_debugreg(DR0, &last);
	observe("batch once:int twice:int last", i, once, twice, last);
	observe_bytes("list bytes:bytes", i, list, show_size);
}

int test_main(const struct start_info *start)
{
	uint32_t batches = input_word();

	for (uint32_t i = 0; i < batches; i++) {
		hypercall_set_debugreg(DR0, 0);
		do_broken_batch(i);
		do_good_batch(i);
	}
	return 0;
}
