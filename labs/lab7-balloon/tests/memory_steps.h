/* SPDX-License-Identifier: MIT */
/*
 * What the host tests of lab 7 share: a domain that does, step by step, what its judge says. It keeps the frames that it has
 * in slots, which the judge knows by number; lab7_model.py follows the same steps by the rules of public/memory.h.
 */
#ifndef LAB7_MEMORY_STEPS_H
#define LAB7_MEMORY_STEPS_H

#include "frame.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/program.h"
#include "public/control.h"
#include "public/memory.h"

#define FRAMES	200u
#define OWN	32u
#define SLOTS	64u
#define HELD_AT	60u		/* the page behind which a hold maps */

enum { NAME_SLOT, NAME_FOREIGN, NAME_FREE, NAME_MACHINE, NAME_RAW };
enum { STEP_ASK, STEP_LIMIT, STEP_HOLD, STEP_LET_GO, STEP_FAIL_AFTER, STEP_LINE = 6 };
enum { HOLD_READ, HOLD_WRITE, HOLD_TABLE, HOLD_DIRECTORY, HOLD_DOMAIN_0 };

static struct guest zero, g;
static uint32_t slots[SLOTS];

static uint32_t free_frame(void)
{
	for (uint32_t i = 0; i < FRAMES; i++)
		if (frame_record(MFN(i))->owner == OWNER_NONE)
			return i;
	return FRAMES;
}

static uint32_t frame_of(uint32_t name)
{
	uint32_t n = name & 0xfffffff;

	switch (name >> 28) {
	case NAME_SLOT:
		return slots[n];
	case NAME_FOREIGN:
		return zero.mfn[n];
	case NAME_FREE:
		return free_frame();
	case NAME_MACHINE:
		return g.d->slot_frame.n;
	}
	return n;
}

static int update(struct guest *who, uint32_t where, uint32_t value, uint32_t domain)
{
	struct mmu_request r = { where, value };

	return CALL(who, mmu_update, ARG(r), 1, 0, domain);
}

static int map_at(struct guest *who, uint32_t entry)
{
	return update(who, who->mfn[PFN_TABLE] << PAGE_SHIFT | 4 * HELD_AT, entry, g.d->id);
}

static int hold(uint32_t how, uint32_t mfn)
{
	switch (how) {
	case HOLD_READ:
		return map_at(&g, mfn << PAGE_SHIFT | PTE_P);
	case HOLD_WRITE:
		return map_at(&g, mfn << PAGE_SHIFT | PTE_P | PTE_RW);
	case HOLD_TABLE:
		return update(&g, mfn << PAGE_SHIFT | MMU_COMMAND, MMU_PIN_TABLE, DOMID_SELF);
	case HOLD_DIRECTORY:
		return update(&g, mfn << PAGE_SHIFT | MMU_COMMAND, MMU_PIN_DIRECTORY, DOMID_SELF);
	case HOLD_DOMAIN_0:
		return map_at(&zero, mfn << PAGE_SHIFT | PTE_P);
	}
	host_panic("no such hold");
}

static int let_go(uint32_t how, uint32_t mfn)
{
	if (how == HOLD_TABLE || how == HOLD_DIRECTORY)
		return update(&g, mfn << PAGE_SHIFT | MMU_COMMAND, MMU_UNPIN, DOMID_SELF);
	return map_at(how == HOLD_DOMAIN_0 ? &zero : &g, 0);
}

static bool is_zero(uint32_t mfn)
{
	const uint8_t *bytes = host_frame(mfn);

	return bytes[0] == 0 && memcmp(bytes, bytes + 1, PAGE_SIZE - 1) == 0;
}

/* Takes what came into the slots, judges each frame by what the machine says, and writes into it, so that it is no more zero. */
static uint32_t good_newcomers(uint32_t op, const uint32_t *names, const uint32_t *list, uint32_t count)
{
	uint32_t good = 0;

	for (uint32_t i = 0; i < count; i++) {
		bool other = op == MEMORY_increase || list[i] != frame_of(names[i]);
		uint32_t pfn = op == MEMORY_exchange ? names[i] : ATELIER_NO_PFN;
		const struct frame *f = frame_record(MFN(list[i]));

		good += f && f->owner == g.d->id && f->refs == 1 && other && is_zero(list[i]) &&
			machine_m2p_get(MFN(list[i])) == pfn;
		if (!f)
			continue;
		memset(host_frame(list[i]), 0xee, PAGE_SIZE);
		if (f->owner == g.d->id)
			update(&g, list[i] << PAGE_SHIFT | MMU_M2P, names[i], DOMID_SELF);
		slots[names[i] % SLOTS] = list[i];
	}
	return good;
}

/*
 * In the middle of a call, too, a frame's entry in the M2P changes when it changes hands: then the processor must not remember it any
 * more, or whoever takes the next free frame is exposed.
 */
static char found_between[160];

static void audit_between(const char *call)
{
	const char *wrong = strcmp(call, "machine_m2p_set") == 0 && !found_between[0] ? audit_tlb() : NULL;

	if (wrong)
		snprintf(found_between, sizeof(found_between), "in the middle of the call: %s", wrong);
}

static const char *audit_now(void)
{
	if (found_between[0])
		return found_between;
	return domain_check() ? audit_memory() : "an auditor of the hypervisor objects";
}

static void observe_ask(uint32_t key, int answer, uint32_t good, uint32_t same)
{
	const char *wrong = audit_now();

	observe("ask answer:int good same owned limit free", key, answer, good, same, g.d->memory.owned.count, g.d->memory.limit,
		frame_pool_free_count());
	observe_bytes("audit text:bytes", key, wrong ? wrong : "", wrong ? strlen(wrong) : 0);
}

static void do_ask(uint32_t key)
{
	uint32_t op = input_word(), count = input_word(), names[SLOTS], list[SLOTS], same = 0, good = 0, at, *now;
	struct memory_op ask = { op, 0, count, 0 };
	int answer;

	for (uint32_t i = 0; i < count; i++) {
		names[i] = input_word();
		list[i] = op == MEMORY_increase ? UINT32_MAX : frame_of(names[i]);
	}
	at = host_arg(list, count * sizeof(*list));
	ask.list = at;
	host.at_seam = audit_between;
	answer = CALL(&g, memory_op, ARG(ask));
	host.at_seam = NULL;
	now = host_arg_bytes(at);
	for (uint32_t i = answer > 0 ? answer : 0; i < count; i++)
		same += now[i] == list[i];
	if (answer > 0 && op != MEMORY_decrease)
		good = good_newcomers(op, names, now, answer);
	observe_ask(key, answer, good, same);
}

/* A list whose end lies beyond the line. */
static void do_line(uint32_t key)
{
	uint32_t op = input_word(), below = input_word(), count = input_word(), before = g.d->memory.owned.count;
	struct memory_op ask = { op, ATELIER_LINE - below * sizeof(uint32_t), count, 0 };

	observe("line answer:int more:int", key, CALL(&g, memory_op, ARG(ask)), g.d->memory.owned.count - before);
}

static void do_limit(void)
{
	struct control_op op = { .interface = ATELIER_INTERFACE, .op = CONTROL_limit, .domain = g.d->id };

	op.u.limit.frames = input_word();
	CALL(&zero, control_op, ARG(op));
}

static void do_step(uint32_t key)
{
	uint32_t how, mfn;

	switch (input_word()) {
	case STEP_ASK:
		do_ask(key);
		return;
	case STEP_LINE:
		do_line(key);
		return;
	case STEP_LIMIT:
		do_limit();
		return;
	case STEP_HOLD:
		how = input_word();
		mfn = frame_of(input_word());
		memset(host_frame(mfn), 0, PAGE_SIZE);
		observe("hold answer:int", key, hold(how, mfn));
		return;
	case STEP_LET_GO:
		how = input_word();
		mfn = frame_of(input_word());
		observe("hold answer:int", key, let_go(how, mfn));
		return;
	case STEP_FAIL_AFTER:
		host_fail_allocations_after(input_word());
		return;
	}
}

/* Slots 0 to OWN - 4 are the domain's data pages, unmapped; the others are empty. */
static void run(void)
{
	uint32_t count;

	host_start(FRAMES);
	zero = host_domain(6);
	g = host_domain(OWN);
	host_enter(&g);
	frame_pool_scrub(true);
	for (uint32_t i = 0; i < FRAMES; i++)
		if (frame_record(MFN(i))->owner == OWNER_NONE)
			memset(host_frame(i), 0xee, PAGE_SIZE);
	for (uint32_t pfn = PFN_DATA; pfn < OWN; pfn++) {
		slots[pfn - PFN_DATA] = g.mfn[pfn];
		update(&g, g.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * pfn, 0, DOMID_SELF);
		update(&g, g.mfn[pfn] << PAGE_SHIFT | MMU_M2P, pfn - PFN_DATA, DOMID_SELF);
	}
	observe("start free", 0, frame_pool_free_count());
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		do_step(i);
}

#endif
