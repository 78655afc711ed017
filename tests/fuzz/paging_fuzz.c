// SPDX-License-Identifier: MIT
/*
 * Page types: up to 64 calls about memory by two domains and domain 0, on tables of a few entries, with stores through whatever the
 * processor remembers in between. After each call an audit; and a refused call has changed nothing.
 */
#include <string.h>
#include "frame.h"
#include "fuzz/reader.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/state.h"
#include "host/tlb_model.h"

#define FRAMES		10u	/* of each domain; those from LOOSE on are mapped nowhere */
#define LOOSE		6u
#define CALLS		64u
#define BATCH		4u

static struct guest guests[3];
static struct guest *running;
static struct state *before, *after;

static void start(void)
{
	host_start(40);
	frame_pool_scrub(true);
	for (unsigned int i = 0; i < 3; i++) {
		guests[i] = host_domain(FRAMES);
		for (uint32_t pfn = LOOSE; pfn < FRAMES; pfn++) {
			const struct mmu_request r = { guests[i].mfn[PFN_TABLE] << PAGE_SHIFT | 4 * pfn, 0 };

			CALL(&guests[i], mmu_update, ARG(r), 1, 0, DOMID_SELF);
		}
	}
	running = &guests[1];
	host_enter(running);
	if (!before) {
		before = state_new(4 * TABLE_ENTRIES);
		after = state_new(4 * TABLE_ENTRIES);
	}
}

/* A frame: mostly one's own, now and then anybody's, or none. */
static uint32_t take_mfn(struct reader *r)
{
	uint8_t b = take8(r);

	if (b >= 0xf0)
		return b - 0xf0 + host.frames - 8;
	if (b >= 0xc0)
		return guests[b % 3].mfn[b / 3 % FRAMES];
	return running->mfn[b % FRAMES];
}

static uint32_t take_entry(struct reader *r)
{
	static const uint16_t bits[] = {
		PTE_P, PTE_P | PTE_RW, PTE_P | PTE_RW, PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D,
		PTE_P | PTE_US, 0, PTE_P | PTE_AVL, PTE_P | PTE_PS, PTE_P | PTE_G, PTE_P | PTE_PCD,
	};
	uint32_t mfn = take_mfn(r);
	uint8_t b = take8(r);

	return b == 0xff ? 0 : mfn << PAGE_SHIFT | bits[b % ARRAY_SIZE(bits)];
}

static struct mmu_request take_request(struct reader *r)
{
	uint8_t kind = take8(r);
	uint32_t mfn = take_mfn(r), at = mfn << PAGE_SHIFT;

	switch (kind % 4) {
	case 0 ... 1:
		return (struct mmu_request){ at | 4 * take_of(r, TABLE_ENTRIES + 1) | MMU_WRITE, take_entry(r) };
	case 2:
		return (struct mmu_request){ at | MMU_COMMAND, take_of(r, 7) };
	}
	return (struct mmu_request){ at | (kind >> 2 & 3), take8(r) };
}

static uint32_t take_domain(struct reader *r)
{
	uint8_t b = take8(r);

	return b < 0xc0 ? DOMID_SELF : b % 4;
}

/* A batch, and how much of it was done: what is reported must be what happened (M12), so a refused one of one request is compared. */
static int do_batch(struct reader *r, unsigned int *requests)
{
	struct mmu_request list[BATCH];
	uint32_t out = UINT32_MAX, done_at = ARG(out), n = 1 + take_of(r, BATCH), done;
	int err;

	*requests = n;
	for (uint32_t i = 0; i < n; i++)
		list[i] = take_request(r);
	host.interrupt_after = take8(r) == 0xff;
	err = CALL(running, mmu_update, host_arg(list, n * sizeof(list[0])), n, done_at, take_domain(r));
	host.interrupt = false;
	done = *(uint32_t *)host_arg_bytes(done_at);
	if (err == 0 ? done != n : done != UINT32_MAX && done >= n)
		host_panic("mmu_update answered %d and %u of %u done", err, done, n);
	return err;
}

static int do_gdt(struct reader *r)
{
	uint32_t list[2] = { take_mfn(r), take_mfn(r) };

	return CALL(running, set_gdt, ARG(list), take_of(r, 2) ? 1 : 513);
}

static int do_descriptor(struct reader *r)
{
	uint32_t at = take_mfn(r) << PAGE_SHIFT | 8 * take_of(r, TABLE_ENTRIES / 2);

	return CALL(running, update_descriptor, at, take32(r), take32(r));
}

/* The guest's own store. */
static void do_store(struct reader *r)
{
	uint32_t va = take_of(r, GUEST_SLOTS) << 22 | take_of(r, TABLE_ENTRIES) << PAGE_SHIFT | 4 * take_of(r, TABLE_ENTRIES);
	uint32_t value = take_entry(r);

	tlb_model_fill();
	tlb_model_store(va, value);
}

static int do_memory(struct reader *r)
{
	uint32_t list[2] = { take_mfn(r), take_mfn(r) };
	struct memory_op op = { take_of(r, 4), ARG(list), 1 + take_of(r, 2), 0 };

	return CALL(running, memory_op, ARG(op));
}

/* A domain that dies and another that comes. */
static void do_death(void)
{
	unsigned int i = running->d->id;

	if (i == 0)
		return;
	domain_kill(running->d, SHUTDOWN_crash, 0);
	for (unsigned int steps = 0; domain_reap(); steps++) {
		check(audit_memory());
		if (steps > 100)
			host_panic("a domain dies for ever");
	}
	running = &guests[0];
	host_enter(running);
}

static void do_switch(struct reader *r)
{
	struct guest *next = &guests[take_of(r, 3)];

	if (next->d->life != LIFE_OPEN)
		return;
	running = next;
	host_enter(running);
}

/* One call; what it answered, and whether a refusal must leave everything as it was. */
static int step(struct reader *r, bool *whole)
{
	unsigned int requests;
	uint32_t va;
	int err;

	*whole = true;
	switch (take_of(r, 12)) {
	case 0 ... 3:
		err = do_batch(r, &requests);
		*whole = requests == 1;
		return err;
	case 4 ... 5:
		va = take_of(r, GUEST_SLOTS + 1) << 22 | take_of(r, TABLE_ENTRIES + 1) << PAGE_SHIFT;
		return CALL(running, update_va_mapping, va, take_entry(r), take_of(r, 4), take_domain(r));
	case 6:
		return do_gdt(r);
	case 7:
		va = take_of(r, GUEST_SLOTS + 1) << 22 | take_of(r, TABLE_ENTRIES + 1) << PAGE_SHIFT;
		return CALL(running, set_ldt, va, take_of(r, 4) ? 1 : 0);
	case 8:
		return do_descriptor(r);
	case 9:
		do_store(r);
		return 0;
	case 10:
		return do_memory(r);
	}
	if (take8(r) > 0xf0)
		do_death();
	else
		do_switch(r);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct reader r = { bytes, size };

	start();
	state_take(before);
	for (unsigned int i = 0; i < CALLS && r.left > 0; i++) {
		bool whole;
		int err = step(&r, &whole);

		check(audit_memory());
		state_take(after);
		if (err < 0 && whole && state_differs(before, after))
			host_panic("a refused call (%d) has changed %s", err, state_differs(before, after));
		state_take(before);
	}
	audit_all();
	return 0;
}
