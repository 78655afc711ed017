// SPDX-License-Identifier: MIT
/* Makes batches of calls, and shows each list as it is afterwards. */
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

#define MOST	64	/* entries of a batch */

/* Asks again for the rest as long as there is progress: a batch may stop early. */
static void do_batch(uint32_t i, struct multicall_entry *list, uint32_t count)
{
	uint32_t done = 0;
	int32_t answer;

	do {
		answer = hypercall_multicall(list + done, count - done);
		if (answer > 0)
			done += answer;
	} while (answer > 0 && done < count);
	observe("batch done last:int", i, done, answer);
	observe_bytes("list bytes:bytes", i, list, count * sizeof(*list));
}

int test_main(const struct start_info *start)
{
	struct multicall_entry *list = page_alloc_run(1);
	uint32_t *words = window_page(WINDOW_USER, 0);	/* what get_debugreg() writes */
	uint32_t batches = input_word(), size;

	for (uint32_t i = 0; i < batches; i++) {
		const void *entries = input_bytes(&size);

		memcpy(list, entries, size);
		memset(words, 0, MOST * sizeof(*words));
		do_batch(i, list, size / sizeof(*list));
		observe_bytes("words bytes:bytes", i, words, MOST * sizeof(*words));
	}
	return 0;
}
