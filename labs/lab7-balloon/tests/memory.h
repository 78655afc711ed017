/* SPDX-License-Identifier: MIT */
/*
 * Memory of mini's that comes and goes. Frames that it got have no address of their own: one is mapped for a moment to be looked at,
 * in the place of a page that was given away.
 */
#ifndef LAB7_MEMORY_H
#define LAB7_MEMORY_H

#include "hypercall.h"
#include "mini.h"
#include "paging.h"
#include "time.h"

#define MAPPED		(PTE_P | PTE_RW | PTE_A | PTE_D)

/* What all domains are told first is domain 0's. */
static inline void memory_skip_director(void)
{
	for (uint32_t words = 3 * input_word(); words > 0; words--)
		input_word();
}

static inline int32_t memory_ask(uint32_t op, const uint32_t *list, uint32_t count)
{
	struct memory_op ask = { .op = op, .list = (uint32_t)list, .count = count };

	return hypercall_memory_op(&ask);
}

static inline int32_t memory_give(uint32_t mfn)
{
	return memory_ask(MEMORY_decrease, &mfn, 1);
}

/* Frames that are owned, and the limit. */
static inline struct memory_op memory_query(void)
{
	struct memory_op ask = { .op = MEMORY_query };

	if (hypercall_memory_op(&ask))
		panic("memory: no answer to a query");
	return ask;
}

static inline void memory_wait_for_limit(uint32_t frames)
{
	while (memory_query().list != frames) {
		time_spin(5000);
		hypercall_yield();
	}
}

/* Takes a page of mini's out of its address; what frame it was. */
static inline uint32_t memory_unmap(void *page)
{
	uint32_t mfn = page_mfn(page);

	if (page_map((uint32_t)page, 0, 0))
		panic("memory: a page cannot be unmapped");
	return mfn;
}

/* Asks until all is done or why not is known: a call may end early if an interrupt is due. How many were done. */
static inline uint32_t memory_ask_all(uint32_t op, uint32_t *list, uint32_t count, int32_t *error)
{
	uint32_t done = 0;
	int32_t did = 0;

	while (done < count && (did = memory_ask(op, list + done, count - done)) > 0)
		done += did;
	*error = done < count ? did : 0;
	return done;
}

#endif
