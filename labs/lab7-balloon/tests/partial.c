// SPDX-License-Identifier: MIT
/*
 * Lists that are good up to their k-th entry: the next one is no frame, or lies where it can be read only, or not at all, or
 * beyond the line. Domain 0 is director.c.
 */
#include "lib/string.h"
#include "memory.h"

#define MOST	24u

enum { LIST_NO_FRAME, LIST_READONLY, LIST_HOLE, LIST_LINE };

static uint32_t held[MOST * 2];		/* frames without an address */
static uint32_t held_count;
static uint8_t *pages;			/* two in a row: the second one is as a list's end wants it */
static uint32_t second_mfn;

static void make_second(uint32_t kind)
{
	uint32_t flags = kind == LIST_HOLE ? 0 : kind == LIST_READONLY ? PTE_P | PTE_A
								       : MAPPED;

	if (page_map((uint32_t)pages + PAGE_SIZE, second_mfn, flags))
		panic("partial: the second page cannot be mapped");
}

/* Where a list of this kind lies, whose first @good entries are good. */
static uint32_t list_at(uint32_t kind, uint32_t good)
{
	if (kind == LIST_LINE)
		return ATELIER_LINE - good * sizeof(uint32_t);
	return (uint32_t)pages + PAGE_SIZE - good * sizeof(uint32_t);
}

/* The list's words as they are, through an address at which all are writable. */
static uint32_t *words_at(uint32_t kind, uint32_t good)
{
	if (kind != LIST_LINE)
		make_second(LIST_NO_FRAME);
	return (uint32_t *)list_at(kind, good);
}

static uint32_t visible(uint32_t kind, uint32_t good, uint32_t count)
{
	return kind == LIST_LINE ? MIN(good, count) : count;
}

static void fill(uint32_t op, uint32_t kind, uint32_t good, uint32_t count)
{
	uint32_t *words = words_at(kind, good);

	for (uint32_t i = 0; i < visible(kind, good, count); i++)
		words[i] = op == MEMORY_increase ? 0x77777777 : held[i];
	if (kind == LIST_NO_FRAME && op != MEMORY_increase)
		words[good] = 0xfffff;	/* there is no such frame */
	make_second(kind == LIST_LINE ? LIST_NO_FRAME : kind);
}

/* Frames of the list's rest that still are ours: they can be given a pseudo-physical number. */
static bool is_ours(uint32_t mfn)
{
	struct mmu_request r = { mfn << PAGE_SHIFT | MMU_M2P, 0x333 };

	return page_update(&r, 1, NULL) == 0;
}

/* After a call that did @done: what the list says now, and whose the frames are that it named. */
static void look(uint32_t key, uint32_t op, uint32_t kind, uint32_t good, uint32_t count, uint32_t done)
{
	uint32_t *words = words_at(kind, good), n = visible(kind, good, count), same = 0, kept = 0, ours = 0;

	for (uint32_t i = done; i < n; i++) {
		same += words[i] == (op == MEMORY_increase ? 0x77777777 : held[i]);
		kept += op != MEMORY_increase && i != good && is_ours(held[i]);
	}
	for (uint32_t i = 0; i < MIN(done, n); i++)
		ours += is_ours(words[i]);
	observe("list same kept ours", key, same, kept, ours);
}

/* The frames that are held after the call. */
static void take_over(uint32_t op, uint32_t kind, uint32_t good, uint32_t done)
{
	const uint32_t *words = words_at(kind, good);

	if (op == MEMORY_exchange)
		memcpy(held, words, MIN(done, held_count) * sizeof(*held));
	for (uint32_t i = 0; op == MEMORY_increase && i < done; i++)
		held[held_count++ % ARRAY_SIZE(held)] = words[i];
	if (op == MEMORY_decrease) {
		memmove(held, held + done, (held_count - done) * sizeof(*held));
		held_count -= done;
	}
}

static void one_list(uint32_t key)
{
	uint32_t op = input_word(), kind = input_word(), good = input_word(), count = input_word(), before = memory_query().count;
	uint32_t first = mfn_pfn(0), done;
	int32_t error;

	fill(op, kind, good, count);
	done = memory_ask_all(op, (uint32_t *)list_at(kind, good), count, &error);
	observe("ask done error:int more:int m2p", key, done, error, memory_query().count - before, mfn_pfn(0) == first);
	look(key, op, kind, good, count, done);
	take_over(op, kind, good, done);
}

static void make_line_page(void)
{
	if (table_add(directory_loaded(), ATELIER_LINE - PAGE_SIZE) ||
	    page_map(ATELIER_LINE - PAGE_SIZE, page_mfn(page_alloc()), MAPPED))
		panic("partial: nothing can be mapped below the line");
}

int test_main(const struct start_info *start)
{
	uint32_t count;

	memory_skip_director();
	make_line_page();
	pages = page_alloc_run(2);
	second_mfn = page_mfn(pages + PAGE_SIZE);
	memory_wait_for_limit(start_info->frames + input_word());
	for (held_count = 0; held_count < MOST; held_count++)
		held[held_count] = memory_unmap(page_alloc());
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		one_list(i);
	return 0;
}
