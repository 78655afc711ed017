// SPDX-License-Identifier: MIT
/*
 * A guest of mini that makes the cheapest call there is, many times: what is executed in the hypervisor
 * then is the price of any call. It prints as micro.c does, and how much memory it was given.
 */
#include "console.h"
#include "hypercall.h"
#include "mark.h"
#include "mini.h"

#define CALLS	1000
#define BATCHES	5

static uint32_t batch(void)
{
	uint64_t start;

	MARK(MARK_OPEN);
	start = read_tsc();
	for (unsigned int i = 0; i < CALLS; i++)
		hypercall_version();
	start = read_tsc() - start;
	MARK(MARK_CLOSE);
	return start;
}

int test_main(const struct start_info *start)
{
	uint32_t took[BATCHES];

	MARK(MARK_FIRST_LINE);
	printf("frames %u\n", start->frames);
	MARK(MARK_ROW);
	for (unsigned int i = 0; i < BATCHES; i++)
		took[i] = batch();
	printf("row null_hypercall %u", CALLS);
	for (unsigned int i = 0; i < BATCHES; i++)
		printf(" %u", took[i]);
	printf("\nend\n");
	return 0;
}
