// SPDX-License-Identifier: MIT
/*
 * A domain that writes to a descriptor table through an address which was writable before and has
 * not been flushed, loses a selector that it has loaded, and changes its table again and again;
 * "victim" dies with a table of sixteen frames. The judge counts the frames that came home.
 */
#include "event.h"
#include "probes.h"

#define SLOT		5
#define SELECTOR	(SLOT << 3 | 1)
#define ROUNDS		20

static struct {
	uint32_t selectors[2];		/* of a failsafe callback: DS << 16 | ES, FS << 16 | GS */
	uint32_t times;
} failsafe;

static void note_failsafe(struct frame *f)
{
	failsafe.times++;
	failsafe.selectors[0] = f->address;
	failsafe.selectors[1] = f->error;
}

static uint64_t good_descriptor(void)
{
	return segment_descriptor((uint32_t)window_page(WINDOW_READONLY, 0), 0xff, SEGMENT_DATA3);
}

/* Unmapped for writing, but not flushed: the processor may still remember. */
static void forget_unflushed(void *page)
{
	uint32_t entry = page_mfn(page) << PAGE_SHIFT | PTE_P | PTE_A;

	if (hypercall_update_va_mapping((uint32_t)page, entry, UVM_NONE, DOMID_SELF))
		panic("a page cannot be made read-only");
}

static void stale_write(uint32_t key, bool ldt)
{
	uint64_t *table = page_alloc(), bad = segment_descriptor(0, 0xfffff, SEGMENT_DATA3 | SEGMENT_PAGES);
	uint32_t frame = page_mfn(table);
	struct fault fault;
	int answer;

	table[SLOT] = good_descriptor();
	forget_unflushed(table);
	answer = ldt ? hypercall_set_ldt(table, SLOT + 1) : hypercall_set_gdt(&frame, SLOT + 1);
	fault = try_write((uint32_t)&table[SLOT], bad);
	try_write((uint32_t)&table[SLOT] + 4, bad >> 32);
	observe("stale answer:int vector error", key, answer,
		fault.happened ? fault.vector : NOTHING, fault.error);
	observe("stands low high", key, table[SLOT], table[SLOT] >> 32);
}

static uint64_t *new_table(uint64_t descriptor)
{
	uint64_t *table = page_alloc();

	table[SLOT] = descriptor;
	return table;
}

/* The table before is the guest's again: it can be written. */
static void change_often(void)
{
	uint64_t *old = new_table(good_descriptor()), *next;
	uint32_t loaded = 0, returned = 0;

	loaded += gdt_load(old, SLOT + 1) == 0;
	for (uint32_t i = 0; i < ROUNDS; i++, old = next) {
		next = new_table(good_descriptor());
		loaded += gdt_load(next, SLOT + 1) == 0;
		returned += page_protect(old, PTE_P | PTE_RW | PTE_A | PTE_D) == 0;
	}
	observe("changes asked loaded returned", 0, ROUNDS, loaded, returned);
}

static void lose_selector(void)
{
	uint64_t *with = new_table(good_descriptor()), *without = new_table(0);
	int answers[2];

	trap_set_handler(FRAME_FAILSAFE, note_failsafe);
	answers[0] = gdt_load(with, SLOT + 1);
	gs_load(SELECTOR);
	answers[1] = gdt_load(without, SLOT + 1);
	gs_load(0);
	observe("lost first:int second:int times data extra", 0, answers[0], answers[1],
		failsafe.times, failsafe.selectors[0], failsafe.selectors[1]);
}

/* Loads sixteen frames as both tables, and ends. */
static void be_victim(void)
{
	uint64_t *gdt = page_alloc_run(GDT_FRAMES), *ldt = page_alloc_run(GDT_FRAMES);

	for (uint32_t i = 0; i < 20; i++)	/* the neighbour counts frames first */
		hypercall_yield();
	for (uint32_t i = 0; i < GDT_FRAMES; i++)
		gdt[i * GDT_ENTRIES_A_FRAME + 16] = ldt[i * GDT_ENTRIES_A_FRAME] = good_descriptor();
	protect(gdt, GDT_FRAMES, PTE_P | PTE_A);
	protect(ldt, GDT_FRAMES, PTE_P | PTE_A);
	observe("full gdt:int ldt:int", 0, load_table(TABLE_GDT, gdt, GDT_FRAMES * GDT_ENTRIES_A_FRAME),
		load_table(TABLE_LDT, ldt, GDT_FRAMES * GDT_ENTRIES_A_FRAME));
}

int test_main(const struct start_info *start)
{
	observe("has frames", 0, start->frames);
	if (argument_number("victim", 0)) {
		be_victim();
		return 0;
	}
	for (uint32_t i = 0; i < 20; i++)
		hypercall_yield();
	if (trap_init() || event_init())
		panic("no callbacks");
	for (uint32_t i = 0; i < 4; i++)
		stale_write(i, i % 2);
	change_often();
	lose_selector();
	return 0;
}
