// SPDX-License-Identifier: MIT
/*
 * Asks for more than there is, to lists that cannot hold it, and takes all that it can get, while another one has given back what it
 * wants again later. Domain 0 is director.c.
 */
#include "memory.h"
#include "trap.h"

#define PROMISED	30u
#define CHUNK		64u

static void ask(uint32_t key, uint32_t at, uint32_t count)
{
	uint32_t before = memory_query().count;
	int32_t answer = memory_ask(MEMORY_increase, (const uint32_t *)at, count);

	observe("ask answer:int more", key, answer, memory_query().count - before);
}

/* A page whose end is that of the mapped memory: behind it is a hole. */
static uint32_t before_hole(void)
{
	uint8_t *pages = page_alloc_run(2);

	memory_give(memory_unmap(pages + PAGE_SIZE));
	return (uint32_t)pages + PAGE_SIZE;
}

static void ask_for_the_impossible(void)
{
	uint32_t list = (uint32_t)page_alloc(), hole = before_hole();
	uint32_t fits = input_word();

	ask(0, list, UINT32_MAX);
	ask(1, list, 0x40000000);
	ask(2, list, 0x40000001);
	ask(3, ATELIER_LINE - 8 * sizeof(uint32_t), 9);
	ask(4, ATELIER_LINE, 1);
	ask(5, UINT32_MAX - 3, 1);
	ask(6, list + 2, 1);
	ask(7, list, 0);
	ask(8, hole, 1);
	ask(9, hole - fits * sizeof(uint32_t), fits + 5);
}

static void take_all(uint32_t key)
{
	static uint32_t list[CHUNK];
	uint32_t taken = 0;
	int32_t did;

	while ((did = memory_ask(MEMORY_increase, list, CHUNK)) > 0)
		taken += did;
	observe("all taken answer:int", key, taken, did);
}

/* Gives back what it was promised, and takes it again when it is told to. */
static void give_and_take(void)
{
	uint32_t list[PROMISED], given = 0, again;
	int32_t error;

	for (uint32_t i = 0; i < PROMISED; i++)
		given += memory_give(memory_unmap(page_alloc())) == 1;
	memory_wait_for_limit(start_info->frames + 1);
	again = memory_ask_all(MEMORY_increase, list, PROMISED, &error);
	observe("promise given again error:int", 0, given, again, error);
	memory_wait_for_limit(start_info->frames + 2);	/* what it leaves behind would be there to be taken */
}

int test_main(const struct start_info *start)
{
	memory_skip_director();
	if (argument_number("promised", 0)) {
		give_and_take();
		return 0;
	}
	memory_wait_for_limit(start_info->frames + input_word());
	ask_for_the_impossible();
	take_all(0);
	memory_wait_for_limit(start_info->frames + input_word());
	take_all(1);
	return 0;
}
