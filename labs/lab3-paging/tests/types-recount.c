// SPDX-License-Identifier: MIT
/* host test */
/*
 * A hundred thousand small steps with a few frames, each in one word: what to do, two pages, a slot, flags. The answers are kept, and
 * the counts are looked at now and then.
 */
#include "host_steps.h"

enum { TINY_WRITE, TINY_CLEAR, TINY_PIN_TABLE, TINY_PIN_DIRECTORY, TINY_UNPIN, TINY_BASE, TINY_BASE_FIRST, TINY_OWN, TINY_ZERO };

#define STEPS_MAX	100000u

static int8_t answers[STEPS_MAX];

static int one_update(uint32_t where, uint32_t value)
{
	struct mmu_request r = { where, value };
	uint32_t done;

	return ask_updates(&r, 1, &done, DOMID_SELF);
}

static int one_command(uint32_t frame, uint32_t code)
{
	return one_update(frame << PAGE_SHIFT | MMU_COMMAND, code);
}

static int one_step(uint32_t word, const uint16_t *slots)
{
	uint32_t what = word & 15, page = word >> 4 & 15, flags = word >> 16 & 0xfff;
	uint32_t frame = frame_of(page), other = frame_of(word >> 8 & 15), i = slots[word >> 12 & 15];

	switch (what) {
	case TINY_WRITE:
		return one_update(frame << PAGE_SHIFT | 4 * i, other << PAGE_SHIFT | flags);
	case TINY_CLEAR:
		return one_update(frame << PAGE_SHIFT | 4 * i, 0);
	case TINY_PIN_TABLE:
		return one_command(frame, MMU_PIN_TABLE);
	case TINY_PIN_DIRECTORY:
		return one_command(frame, MMU_PIN_DIRECTORY);
	case TINY_UNPIN:
		return one_command(frame, MMU_UNPIN);
	case TINY_BASE:
		return one_command(frame, MMU_NEW_BASE);
	case TINY_BASE_FIRST:
		return one_command(g.mfn[PFN_DIRECTORY], MMU_NEW_BASE);
	case TINY_OWN:
		return one_update(g.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * (PFN_POOL + page),
				  flags & PTE_P ? frame << PAGE_SHIFT | flags : 0);
	case TINY_ZERO:
		memset(host_frame(frame), 0, PAGE_SIZE);
		return 0;
	}
	host_panic("no such step");
}

static void run(void)
{
	uint32_t pages = input_word(), each = input_word(), count;
	uint16_t slots[16];

	for (unsigned int i = 0; i < 16; i++)
		slots[i] = input_word();
	count = input_word();
	start_host(pages);
	tlb_model_enable(false);
	for (uint32_t i = 0; i < count; i++) {
		answers[i] = one_step(input_word(), slots);
		if (i % each == each - 1)
			observe_counts(i / each);
	}
	observe_bytes("answers bytes:bytes", 0, answers, count);
}
