// SPDX-License-Identifier: MIT
/* Makes the calls that it is told to, with all registers as told, and reports all registers after each. */
#include "hypercall.h"
#include "mini.h"

static void make_call(uint32_t i)
{
	struct registers r;
	uint32_t *words = (uint32_t *)&r;

	for (unsigned int w = 0; w < sizeof(r) / 4; w++)
		words[w] = input_word();
	hypercall_registers(&r);
	observe_words("call eax:int ebx ecx edx esi edi ebp eflags ds es fs gs esp", i, words, sizeof(r) / 4);
}

int test_main(const struct start_info *start)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++)
		make_call(i);
	return 0;
}
