// SPDX-License-Identifier: MIT
#include "explore/actions.h"
#include <stdio.h>
#include <string.h>
#include "explore/reduce.h"
#include "explore/tiny.h"
#include "frame.h"
#include "host/host.h"
#include "host/tlb_model.h"
#include "hypercall.h"
#include "paging.h"
#include "public/memory.h"

#ifndef WITH_LDT
#define WITH_LDT	0
#endif
#ifndef WITH_GDT
#define WITH_GDT	1
#endif
#ifndef WITH_POOL
#define WITH_POOL	1
#endif
#ifndef WITH_GDT_PAIRS
#define WITH_GDT_PAIRS	0	/* GDTs of two frames; without, only those that are refused for their second */
#endif

#define MOST		2048u
#define BAD_DESCRIPTOR	0x00008000u	/* as high word: present, of the system; as an entry: absent */

static struct {
	struct action all[MOST];
	unsigned int count;
	uint32_t values[32];		/* that the guest may leave in its memory */
	unsigned int value_count;
	uint32_t bad[16];		/* that only a table must refuse */
	unsigned int bad_count;
} actions;

/* ---- the table ---- */

static void add(struct action a)
{
	if (actions.count == MOST)
		host_panic("more actions than there is room for");
	actions.all[actions.count++] = a;
}

static uint32_t entry(uint32_t mfn, uint32_t bits)
{
	return mfn << PAGE_SHIFT | bits;
}

static void build_values(void)
{
	actions.values[actions.value_count++] = 0;
	actions.values[actions.value_count++] = BAD_DESCRIPTOR;
	actions.values[actions.value_count++] = entry(tiny.foreign, PTE_P);
	for (unsigned int i = 0; i < OWN; i++) {
		actions.values[actions.value_count++] = entry(tiny.own[i], PTE_P);
		actions.values[actions.value_count++] = entry(tiny.own[i], PTE_P | PTE_RW);
		actions.bad[actions.bad_count++] = entry(tiny.own[i], PTE_P | PTE_RW | PTE_PS);
	}
	/* Bits are judged alike whatever the frame is. */
	actions.bad[actions.bad_count++] = entry(tiny.own[0], PTE_P | PTE_PCD);
	actions.bad[actions.bad_count++] = entry(tiny.own[0], PTE_P | PTE_PWT);
	actions.bad[actions.bad_count++] = entry(tiny.own[0], PTE_P | PTE_G);
	actions.bad[actions.bad_count++] = entry(tiny.foreign, PTE_P | PTE_RW);
	actions.bad[actions.bad_count++] = entry(host.frames, PTE_P);
}

/* Whether the guest puts @value into that word of its frames. Half of a descriptor makes a difference in odd words only. */
static bool worth_it(unsigned int word, uint32_t value)
{
	return word < tiny.used_words && (value != BAD_DESCRIPTOR || word % 2 == 1);
}

static void tell_choices(void)
{
	for (unsigned int w = 0; w < tiny.used_words; w++)
		for (unsigned int v = 0; v < actions.value_count; v++)
			if (worth_it(w, actions.values[v]))
				reduce_choice(w, actions.values[v]);
}

static void build_words(unsigned int frame)
{
	for (unsigned int w = 0; w < WORDS; w++) {
		for (unsigned int v = 0; v < actions.value_count; v++) {
			if (!worth_it(w, actions.values[v]))
				continue;
			add((struct action){ ACTION_STORE, frame, 0, w, 0, actions.values[v] });
			add((struct action){ ACTION_UPDATE, frame, 0, w, 0, actions.values[v] });
		}
		for (unsigned int v = 0; v < actions.bad_count; v++)
			add((struct action){ ACTION_UPDATE, frame, 0, w, 0, actions.bad[v] });
	}
	add((struct action){ ACTION_UPDATE, frame, 0, SLOTS, 0, entry(tiny.own[0], PTE_P | PTE_RW) });
	add((struct action){ ACTION_UPDATE, frame, 0, SLOTS, 0, 0 });
}

static void build_commands(unsigned int frame)
{
	static const uint32_t commands[] = { MMU_PIN_TABLE, MMU_PIN_DIRECTORY, MMU_UNPIN, MMU_NEW_BASE };

	for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++)
		if (frame != FRAME_HOME || commands[i] != MMU_UNPIN)
			add((struct action){ ACTION_COMMAND, frame, 0, 0, 0, commands[i] });
}

static void build_va(unsigned int slot)
{
	for (unsigned int i = 0; i < WORDS; i++) {
		for (unsigned int v = 0; v < actions.value_count; v++)
			if (worth_it(i, actions.values[v]))
				add((struct action){ ACTION_UPDATE_VA, 0, UVM_NONE, slot, i, actions.values[v] });
		for (unsigned int v = 0; v < actions.bad_count; v++)
			add((struct action){ ACTION_UPDATE_VA, 0, UVM_NONE, slot, i, actions.bad[v] });
		add((struct action){ ACTION_UPDATE_VA, 0, UVM_FLUSH, slot, i, 0 });
		if (WITH_LDT)
			add((struct action){ ACTION_SET_LDT, 0, 0, slot, i, 1 });
	}
}

static void build_memory(unsigned int frame)
{
	add((struct action){ ACTION_MEMORY, frame, NOTHING, 0, 0, MEMORY_decrease });
	add((struct action){ ACTION_MEMORY, frame, NOTHING, 0, 0, MEMORY_exchange });
	add((struct action){ ACTION_MEMORY, frame, frame, 0, 0, MEMORY_decrease });
	add((struct action){ ACTION_MEMORY, frame, frame, 0, 0, MEMORY_exchange });
}

static void build_segments(void)
{
	add((struct action){ ACTION_SET_GDT, FRAME_HOME, NOTHING, 0, 0, 0 });
	add((struct action){ ACTION_SET_GDT, FRAME_FOREIGN, NOTHING, 0, 0, 0 });
	for (unsigned int i = 0; i < OWN; i++) {
		add((struct action){ ACTION_SET_GDT, i, NOTHING, 0, 0, 0 });
		add((struct action){ ACTION_SET_GDT, i, FRAME_FOREIGN, 0, 0, 0 });
		for (unsigned int j = 0; j < OWN; j++)
			if (WITH_GDT_PAIRS || i == j)
				add((struct action){ ACTION_SET_GDT, i, j, 0, 0, 0 });
		add((struct action){ ACTION_DESCRIPTOR, i, 0, 0, 0, 0 });
		add((struct action){ ACTION_DESCRIPTOR, i, 0, 0, 0, BAD_DESCRIPTOR });
	}
	if (WITH_LDT)
		add((struct action){ ACTION_SET_LDT, 0, 0, 0, 0, 0 });
}

unsigned int actions_build(void)
{
	static const uint8_t others[] = { FRAME_HOME, FRAME_FOREIGN, FRAME_ABSENT };

	build_values();
	tell_choices();
	for (unsigned int i = 0; i < OWN; i++) {
		build_words(i);
		build_commands(i);
		if (WITH_POOL)
			build_memory(i);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		build_commands(others[i]);
		if (WITH_POOL)
			build_memory(others[i]);
	}
	add((struct action){ ACTION_COMMAND, FRAME_HOME, 0, 0, 0, MMU_FLUSH });
	for (unsigned int s = 0; s < SLOTS; s++)
		build_va(s);
	if (WITH_GDT)
		build_segments();
	if (WITH_POOL)
		add((struct action){ ACTION_MEMORY, FRAME_ABSENT, NOTHING, 0, 0, MEMORY_increase });
	return actions.count;
}

/* ---- doing them ---- */

static uint32_t frame_number(unsigned int frame, uint32_t home)
{
	switch (frame) {
	case FRAME_HOME:
		return home;
	case FRAME_FOREIGN:
		return tiny.foreign;
	case FRAME_ABSENT:
		return host.frames;
	}
	return tiny.own[frame];
}

static int call(uint32_t number, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	struct regs *r = &tiny.d->vcpu.regs;

	r->eax = number;
	r->ebx = a;
	r->ecx = b;
	r->edx = c;
	r->esi = d;
	hypercall_dispatch(tiny.d, r);
	return r->eax;
}

static int mmu(uint32_t where, uint32_t value)
{
	*(struct mmu_request *)host.direct = (struct mmu_request){ where, value };
	return call(HYPERCALL_mmu_update, TINY_ARGS, 1, 0, DOMID_SELF);
}

/* Whether the guest can store to the frame at once: the model is full in every state. */
static bool writable(uint32_t mfn)
{
	for (unsigned int i = 0; i < tlb_model_count(); i++)
		if (tlb_model_get(i).mfn == mfn && tlb_model_get(i).writable)
			return true;
	return false;
}

static bool do_store(const struct action *a)
{
	uint32_t mfn = tiny.own[a->frame], *word = (uint32_t *)host_frame(mfn) + a->word;

	if (!writable(mfn) || *word == a->value)
		return false;
	*word = a->value;
	return true;
}

static bool is_bad(uint32_t value)
{
	for (unsigned int i = 0; i < actions.bad_count; i++)
		if (actions.bad[i] == value)
			return true;
	return false;
}

static bool is_table(uint32_t mfn)
{
	return frame_is(MFN(mfn), FRAME_TABLE) || frame_is(MFN(mfn), FRAME_DIRECTORY);
}

/* A frame that is no table takes any value: those that a table refuses would only make more states. Nor is a word of interest that
   the guest does not use, but for a directory's. */
static bool do_update(const struct action *a, int *result)
{
	uint32_t mfn = tiny.own[a->frame];

	if (is_bad(a->value) && !is_table(mfn))
		return false;
	if (a->word >= tiny.used_words && !frame_is(MFN(mfn), FRAME_DIRECTORY))
		return false;
	*result = mmu(mfn << PAGE_SHIFT | 4 * a->word | MMU_WRITE, a->value);
	return true;
}

static int do_gdt(const struct action *a)
{
	uint32_t *list = (uint32_t *)host.direct;
	bool two = a->second != NOTHING;

	list[0] = frame_number(a->frame, tiny.gdt);
	list[1] = two ? frame_number(a->second, tiny.gdt) : 0;
	return call(HYPERCALL_set_gdt, TINY_ARGS, two ? GDT_ENTRIES_A_FRAME + 1 : 1, 0, 0);
}

/* One frame, or the same one twice. */
static int do_memory(const struct action *a)
{
	struct { struct memory_op op; uint32_t list[2]; } *args = (void *)host.direct;

	args->list[0] = frame_number(a->frame, tiny.home);
	args->list[1] = a->second == NOTHING ? 0 : frame_number(a->second, tiny.home);
	args->op = (struct memory_op){ a->value, TINY_ARGS + sizeof(args->op), a->second == NOTHING ? 1 : 2, 0 };
	return call(HYPERCALL_memory_op, TINY_ARGS, 0, 0, 0);
}

/* An address in that slot for which the hypervisor, whose tables are this small, takes that entry of the table. */
static uint32_t va_of(unsigned int slot, unsigned int index)
{
	return slot << 22 | (index + WORDS - (slot << 10) % WORDS) % WORDS << PAGE_SHIFT;
}

unsigned int actions_stores_to(unsigned int i)
{
	const struct action *a = &actions.all[i];

	return a->kind == ACTION_STORE || a->kind == ACTION_UPDATE || a->kind == ACTION_DESCRIPTOR ? a->frame : NOTHING;
}

bool actions_do(unsigned int i, int *result)
{
	const struct action *a = &actions.all[i];
	uint32_t va = va_of(a->word, a->index);

	*result = 0;
	switch (a->kind) {
	case ACTION_STORE:
		return do_store(a);
	case ACTION_UPDATE:
		return do_update(a, result);
	case ACTION_COMMAND:
		*result = mmu(frame_number(a->frame, tiny.home) << PAGE_SHIFT | MMU_COMMAND, a->value);
		return true;
	case ACTION_UPDATE_VA:
		*result = call(HYPERCALL_update_va_mapping, va, a->value, a->second, DOMID_SELF);
		return true;
	case ACTION_SET_GDT:
		*result = do_gdt(a);
		return true;
	case ACTION_SET_LDT:
		*result = call(HYPERCALL_set_ldt, va, a->value, 0, 0);
		return true;
	case ACTION_DESCRIPTOR:
		*result = call(HYPERCALL_update_descriptor, tiny.own[a->frame] << PAGE_SHIFT, 0, a->value, 0);
		return true;
	case ACTION_MEMORY:
		*result = do_memory(a);
		return true;
	}
	return false;
}

/* ---- names ---- */

static const char *frame_name(unsigned int frame)
{
	static char text[4][16];
	static unsigned int next;
	char *t = text[next++ % 4];

	switch (frame) {
	case FRAME_HOME:
		return "home";
	case FRAME_FOREIGN:
		return "a foreign frame";
	case FRAME_ABSENT:
		return "no frame";
	}
	snprintf(t, sizeof(text[0]), "frame %u", frame);
	return t;
}

const char *actions_value_name(uint32_t value)
{
	static char text[64];

	if (!(value & PTE_P)) {
		snprintf(text, sizeof(text), "0x%x", value);
		return text;
	}
	snprintf(text, sizeof(text), "an entry for frame number 0x%x with bits 0x%x", value >> PAGE_SHIFT, value & 0xfff);
	for (unsigned int i = 0; i < OWN; i++)
		if (tiny.own[i] == value >> PAGE_SHIFT)
			snprintf(text, sizeof(text), "an entry for frame %u with bits 0x%x", i, value & 0xfff);
	return text;
}

const char *actions_name(unsigned int i)
{
	static const char *const commands[] = { "pin as table", "pin as directory", "unpin", "new base", "flush" };
	static const char *const memory[] = { "take a frame", "give back", "exchange" };
	const struct action *a = &actions.all[i];
	static char text[160];

	switch (a->kind) {
	case ACTION_STORE:
		snprintf(text, sizeof(text), "store to word %u of frame %u: %s", a->word, a->frame, actions_value_name(a->value));
		break;
	case ACTION_UPDATE:
		snprintf(text, sizeof(text), "mmu_update of word %u of frame %u: %s", a->word, a->frame, actions_value_name(a->value));
		break;
	case ACTION_COMMAND:
		snprintf(text, sizeof(text), "%s: %s", commands[a->value], frame_name(a->frame));
		break;
	case ACTION_UPDATE_VA:
		snprintf(text, sizeof(text), "update_va_mapping of slot %u, index %u%s: %s", a->word, a->index,
			 a->second ? ", with a flush" : "", actions_value_name(a->value));
		break;
	case ACTION_SET_GDT:
		snprintf(text, sizeof(text), "set_gdt: %s%s%s", frame_name(a->frame), a->second == NOTHING ? "" : " and ",
			 a->second == NOTHING ? "" : frame_name(a->second));
		break;
	case ACTION_SET_LDT:
		snprintf(text, sizeof(text), "set_ldt: %u entries at slot %u, index %u", a->value, a->word, a->index);
		break;
	case ACTION_DESCRIPTOR:
		snprintf(text, sizeof(text), "update_descriptor in frame %u: %s", a->frame, a->value ? "a bad one" : "none");
		break;
	case ACTION_MEMORY:
		snprintf(text, sizeof(text), "%s: %s%s", memory[a->value], frame_name(a->frame), a->second == NOTHING ? "" : ", twice");
		break;
	}
	return text;
}
