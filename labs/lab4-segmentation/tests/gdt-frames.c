// SPDX-License-Identifier: MIT
/* host test */
/*
 * Tables of one to sixteen frames, one of which may be what it must not be: bad in one descriptor,
 * named twice, writable, a page table, somebody else's, or written through an address that the
 * processor still remembers, at one of the moments when the hypervisor asks the machine for
 * something.
 */
#include "host/audit.h"
#include "host/domains.h"
#include "host/program.h"
#include "host/state.h"
#include "host/tlb_model.h"

#define FRAMES		56u
#define NEW		20u	/* the frames from here on are mapped nowhere: seventeen for the new table, */
#define OLD		38u	/* and sixteen for the old one */
#define NONE		UINT32_MAX
#define MOST_NAMED	17u

/* How the judge names frames: pseudo-physical ones, and these. */
enum { NAME_FOREIGN = 1000, NAME_VOID, NAME_LAST };

static struct guest zero, g;

static uint32_t frame_named(uint32_t name)
{
	if (name == NAME_FOREIGN)
		return zero.mfn[PFN_DATA];
	if (name == NAME_VOID)
		return host.frames;
	return name == NAME_LAST ? UINT32_MAX : g.mfn[name];
}

static int map(uint32_t pfn, uint32_t bits)
{
	uint32_t entry = bits ? g.mfn[pfn] << PAGE_SHIFT | bits : 0;

	return CALL(&g, update_va_mapping, host_va(pfn), entry, UVM_NONE, DOMID_SELF);
}

static int set_gdt(const uint32_t *names, uint32_t count, uint32_t entries)
{
	uint32_t list[MOST_NAMED];

	for (uint32_t i = 0; i < count; i++)
		list[i] = frame_named(names[i]);
	return CALL(&g, set_gdt, host_arg(list, count * sizeof(list[0])), entries);
}

static void start(uint32_t old_entries)
{
	uint32_t names[GDT_FRAMES];

	host_start(160);
	zero = host_domain(8);
	g = host_domain(FRAMES);
	host_enter(&g);
	for (uint32_t pfn = NEW; pfn < FRAMES; pfn++)
		map(pfn, 0);
	for (uint32_t i = 0; i < GDT_FRAMES; i++)
		names[i] = OLD + i;
	if (old_entries && set_gdt(names, DIV_ROUND_UP(old_entries, GDT_ENTRIES_A_FRAME), old_entries))
		host_panic("a table of empty frames is refused");
}

/* ---- the stale address ---- */

static struct {
	uint32_t moment;	/* how many seam calls before the store; NONE: never */
	uint32_t va, low, high;
} stale;

static void store_stale(const char *call)
{
	if (stale.moment == NONE || stale.moment-- != 0)
		return;
	stale.moment = NONE;
	tlb_model_store(stale.va, stale.low);
	tlb_model_store(stale.va + 4, stale.high);
}

/* @pfn has just been writable, and was not flushed. */
static void remember(uint32_t pfn)
{
	map(pfn, PTE_P | PTE_RW);
	map(pfn, 0);
}

/* ---- what came of it ---- */

static void observe_text(const char *tag, uint32_t key, const char *text)
{
	observe_bytes(tag, key, text ? text : "", text ? strlen(text) : 0);
}

static uint32_t name_of(mfn_t mfn)
{
	for (uint32_t pfn = 0; pfn < FRAMES; pfn++)
		if (g.mfn[pfn] == mfn.n)
			return pfn;
	return NONE;
}

static void show(uint32_t i)
{
	uint32_t window[GDT_FRAMES];

	for (uint32_t k = 0; k < GDT_FRAMES; k++)
		window[k] = name_of(host.slots[g.d->id].gdt[k]);
	observe_bytes("window names:bytes", i, window, sizeof(window));
	observe_text("audit text:bytes", i, audit_memory());
}

static void die(uint32_t i)
{
	uint32_t steps = 0;

	host_enter(&zero);
	domain_kill(g.d, 0, 0);
	while (domain_reap() && steps < 1000)
		steps++;
	observe("gone yes", i, g.d->life == LIFE_FREE);
	observe_text("audit-dead text:bytes", i, audit_memory());
}

/*
 * [old entries, entries, [name of a frame], [frame, slot, low, high], moment, dies]; moment: the
 * last descriptor comes then
 */
static void do_case(uint32_t i, struct state *before, struct state *after)
{
	uint32_t old = input_word(), entries = input_word(), names[MOST_NAMED], count = input_word(), fills;
	const char *difference = NULL;
	int answer;

	start(old);
	for (uint32_t k = 0; k < count; k++)
		names[k] = input_word();
	fills = input_word();
	for (uint32_t k = 0; k < fills; k++) {
		uint32_t pfn = input_word(), slot = input_word();
		uint32_t *at = (uint32_t *)host_frame(g.mfn[pfn]) + 2 * slot;

		stale.va = host_va(pfn) + 8 * slot;
		stale.low = at[0] = input_word();
		stale.high = at[1] = input_word();
	}
	stale.moment = input_word();
	if (stale.moment != NONE) {
		uint32_t pfn = (stale.va - HOST_VA) / PAGE_SIZE;

		memset((uint8_t *)host_frame(g.mfn[pfn]) + stale.va % PAGE_SIZE, 0, 8);
		remember(pfn);
	}
	state_take(before);
	host.at_seam = store_stale;
	answer = set_gdt(names, count, entries);
	host.at_seam = NULL;
	state_take(after);
	if (answer)
		difference = state_differs(before, after);
	observe("set answer:int", i, answer);
	observe_text("refused changed:bytes", i, difference);
	show(i);
	if (input_word())
		die(i);
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
