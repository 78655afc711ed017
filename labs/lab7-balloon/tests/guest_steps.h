/* SPDX-License-Identifier: MIT */
/*
 * What the guests of lab 7 share that do, step by step, what their judge says; lab7_model.py follows the same steps. A domain keeps the
 * frames that it has in slots, which the judge knows by number and which are its pseudo-physical numbers, too.
 */
#ifndef LAB7_GUEST_STEPS_H
#define LAB7_GUEST_STEPS_H

#include "lib/string.h"
#include "memory.h"
#include "trap.h"

#define SLOTS		64u
#define OLD_BYTES	0xeeu

static uint32_t slots[SLOTS];
static uint8_t *scratch;		/* where a frame is mapped to be looked at */

enum { NAME_SLOT, NAME_NOBODYS = 4 };	/* as in memory_steps.h: NAME_RAW */

static uint32_t frame_of(uint32_t name)
{
	return name >> 28 == NAME_SLOT ? slots[name % SLOTS] : name & 0xfffffff;
}

static bool is_full_of(uint8_t byte)
{
	return scratch[0] == byte && memcmp(scratch, scratch + 1, PAGE_SIZE - 1) == 0;
}

static int set_m2p(uint32_t mfn, uint32_t pfn)
{
	struct mmu_request r = { mfn << PAGE_SHIFT | MMU_M2P, pfn };

	return page_update(&r, 1, NULL);
}

/* Whether a newcomer is ours, zero and where the M2P has it; then it is full of old bytes. */
static bool look_at_newcomer(uint32_t mfn, uint32_t pfn)
{
	bool good = mfn_pfn(mfn) == pfn && page_map((uint32_t)scratch, mfn, MAPPED) == 0;

	if (!good)
		return false;
	good = is_full_of(0);
	memset(scratch, OLD_BYTES, PAGE_SIZE);
	return page_map((uint32_t)scratch, 0, 0) == 0 && good;
}

/* Whether a frame of ours is as it was. */
static bool is_ours(uint32_t slot)
{
	bool good = mfn_pfn(slots[slot]) == slot && page_map((uint32_t)scratch, slots[slot], MAPPED) == 0;

	return good && is_full_of(OLD_BYTES) && page_map((uint32_t)scratch, 0, 0) == 0;
}

static bool is_among(const uint32_t *list, uint32_t count, uint32_t mfn)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] == mfn)
			return true;
	return false;
}

/* One that left may have come back as another's newcomer; else it has no pseudo-physical number any more. */
static bool has_left(const uint32_t *list, uint32_t count, uint32_t mfn)
{
	return is_among(list, count, mfn) || mfn_pfn(mfn) == ATELIER_NO_PFN;
}

static uint32_t good_newcomers(uint32_t op, const uint32_t *names, const uint32_t *list, uint32_t count)
{
	uint32_t good = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = names[i] % SLOTS, pfn = op == MEMORY_exchange ? slot : ATELIER_NO_PFN;
		bool left = op == MEMORY_increase || (list[i] != slots[slot] && has_left(list, count, slots[slot]));

		good += look_at_newcomer(list[i], pfn) && set_m2p(list[i], slot) == 0 && left;
	}
	for (uint32_t i = 0; i < count; i++)
		slots[names[i] % SLOTS] = list[i];
	return good;
}

/* Those that left have no pseudo-physical number, and cannot be mapped. */
static uint32_t good_leavers(const uint32_t *list, uint32_t count)
{
	uint32_t good = 0;

	for (uint32_t i = 0; i < count; i++)
		good += mfn_pfn(list[i]) == ATELIER_NO_PFN && page_map((uint32_t)scratch, list[i], MAPPED) != 0;
	return good;
}

static void do_ask(uint32_t key)
{
	uint32_t op = input_word(), count = input_word(), names[SLOTS], list[SLOTS], was[SLOTS], done, same = 0, good;
	struct memory_op is;
	int32_t error;

	for (uint32_t i = 0; i < count; i++) {
		names[i] = input_word();
		was[i] = list[i] = op == MEMORY_increase ? UINT32_MAX : frame_of(names[i]);
	}
	done = memory_ask_all(op, list, count, &error);
	for (uint32_t i = done; i < count; i++)
		same += list[i] == was[i];
	good = op == MEMORY_decrease ? good_leavers(list, done) : good_newcomers(op, names, list, done);
	is = memory_query();
	observe("ask answer:int good same owned:int limit:int", key, done ? (int32_t)done : error, good, same,
		is.count - start_info->frames, is.list - start_info->frames);
}

/* Slots that the judge says are full, and how many of them are as they were. */
static void do_look(uint32_t key)
{
	uint32_t count = input_word(), good = 0;

	for (uint32_t i = 0; i < count; i++)
		good += is_ours(input_word() % SLOTS);
	observe("look good", key, good);
}

enum { STEP_ASK, STEP_LIMIT, STEP_LOOK = 5 };

static void do_step(uint32_t key)
{
	switch (input_word()) {
	case STEP_ASK:
		do_ask(key);
		return;
	case STEP_LIMIT:
		memory_wait_for_limit(start_info->frames + input_word());
		return;
	case STEP_LOOK:
		do_look(key);
		return;
	}
}

/* The first slots, so many, are pages of mini's. */
static void run_steps(void)
{
	uint32_t count, full;

	trap_init();
	memory_skip_director();
	scratch = page_alloc();
	memory_give(memory_unmap(scratch));
	full = input_word();
	for (uint32_t i = 0; i < full; i++) {
		void *page = page_alloc();

		memset(page, OLD_BYTES, PAGE_SIZE);
		slots[i] = memory_unmap(page);
		set_m2p(slots[i], i);
	}
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		do_step(i);
}

#endif
