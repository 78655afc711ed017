// SPDX-License-Identifier: MIT
/* host test */
/*
 * Stores descriptors by machine address: into frames of each type, at each border, with each
 * offset.
 */
#include "host/audit.h"
#include "host/domains.h"
#include "host/program.h"
#include "host/state.h"

#define FRAMES	56u
#define GDT	20u	/* sixteen frames, mapped nowhere */
#define LDT	36u	/* two, mapped read-only */
#define PINNED	40u	/* a page table that is pinned and in no directory */
#define LOOSE	41u	/* a frame that is mapped nowhere */
#define READ	42u	/* one that is mapped read-only */

enum { NAME_FOREIGN = 1000, NAME_VOID, NAME_LAST };

static struct guest zero, g;

static int map(uint32_t pfn, uint32_t bits)
{
	uint32_t entry = bits ? g.mfn[pfn] << PAGE_SHIFT | bits : 0;

	return CALL(&g, update_va_mapping, host_va(pfn), entry, UVM_NONE, DOMID_SELF);
}

static int set_tables(void)
{
	const struct mmu_request pin = { g.mfn[PINNED] << PAGE_SHIFT | MMU_COMMAND, MMU_PIN_TABLE };
	uint32_t list[GDT_FRAMES];

	for (uint32_t i = 0; i < GDT_FRAMES; i++)
		list[i] = g.mfn[GDT + i];
	return CALL(&g, set_gdt, ARG(list), GDT_FRAMES * GDT_ENTRIES_A_FRAME) ||
	       CALL(&g, set_ldt, host_va(LDT), 2 * GDT_ENTRIES_A_FRAME) ||
	       CALL(&g, mmu_update, ARG(pin), 1, 0, DOMID_SELF);
}

static void start(void)
{
	host_start(160);
	zero = host_domain(8);
	g = host_domain(FRAMES);
	host_enter(&g);
	for (uint32_t pfn = GDT; pfn < FRAMES; pfn++)
		map(pfn, pfn == LDT || pfn == LDT + 1 || pfn == READ ? PTE_P : 0);
	if (set_tables())
		host_panic("the tables are refused");
}

static uint32_t frame_named(uint32_t name)
{
	if (name == NAME_FOREIGN)
		return zero.mfn[PFN_DATA];
	if (name == NAME_VOID)
		return host.frames;
	return name == NAME_LAST ? UINT32_MAX >> PAGE_SHIFT : g.mfn[name];
}

static void observe_text(const char *tag, uint32_t key, const char *text)
{
	observe_bytes(tag, key, text ? text : "", text ? strlen(text) : 0);
}

static void do_case(uint32_t i, struct state *before, struct state *after)
{
	uint32_t name = input_word(), offset = input_word(), low = input_word(), high = input_word();
	uint32_t mfn, words[2] = { 0, 0 };
	int answer;

	start();
	mfn = frame_named(name);
	state_take(before);
	answer = CALL(&g, update_descriptor, mfn << PAGE_SHIFT | offset, low, high);
	state_take(after);
	if (mfn < host.frames)
		memcpy(words, (uint8_t *)host_frame(mfn) + (offset & ~7u), sizeof(words));
	observe("update answer:int low high", i, answer, words[0], words[1]);
	observe_text("refused changed:bytes", i, answer ? state_differs(before, after) : NULL);
	observe_text("audit text:bytes", i, audit_memory());
}

static void run(void)
{
	uint32_t count = input_word();
	struct state *before, *after;

	host_start(160);
	before = state_new(PAGE_SIZE);
	after = state_new(PAGE_SIZE);
	for (uint32_t i = 0; i < count; i++)
		do_case(i, before, after);
	state_free(before);
	state_free(after);
}
