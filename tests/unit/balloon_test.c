// SPDX-License-Identifier: MIT
#include "balloon.h"
#include <string.h>
#include "frame.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/state.h"
#include "host/tlb_model.h"
#include "public/segment.h"
#include "public/vcpu.h"
#include "unit/test.h"

#define FRAMES	200u
#define OWN	24u

static struct guest zero, g;
static uint32_t list_at;	/* of the last ask() */

/* Every free frame is full of somebody's data. */
static void soil(void)
{
	for (uint32_t i = 0; i < FRAMES; i++)
		if (frame_record(MFN(i))->owner == OWNER_NONE)
			memset(host_frame(i), 0xee, PAGE_SIZE);
}

static void start(void)
{
	host_start(FRAMES);
	zero = host_domain(6);
	g = host_domain(OWN);
	host_enter(&g);
	frame_pool_scrub(true);
	soil();
}

static int ask_at(uint32_t op, uint32_t list, uint32_t count)
{
	struct memory_op ask = { op, list, count, 0 };

	return CALL(&g, memory_op, ARG(ask));
}

static int ask(uint32_t op, const uint32_t *list, uint32_t count)
{
	list_at = host_arg(list, count * sizeof(*list));
	return ask_at(op, list_at, count);
}

static uint32_t listed(uint32_t i)
{
	return ((uint32_t *)host_arg_bytes(list_at))[i];
}

static int give(uint32_t mfn)
{
	return ask(MEMORY_decrease, &mfn, 1);
}

static int swap(uint32_t mfn)
{
	return ask(MEMORY_exchange, &mfn, 1);
}

static int grow(uint32_t count)
{
	static const uint32_t nothing[128];

	return ask(MEMORY_increase, nothing, count);
}

static int map(uint32_t pfn, uint32_t entry)
{
	return CALL(&g, update_va_mapping, host_va(pfn), entry, UVM_NONE, DOMID_SELF);
}

static uint32_t entry(uint32_t mfn, uint32_t bits)
{
	return mfn << PAGE_SHIFT | PTE_P | bits;
}

static int update(struct guest *who, uint32_t where, uint32_t value, uint32_t domain)
{
	struct mmu_request r = { where, value };

	return CALL(who, mmu_update, ARG(r), 1, 0, domain);
}

static int command(uint32_t mfn, uint32_t code)
{
	return update(&g, mfn << PAGE_SHIFT | MMU_COMMAND, code, DOMID_SELF);
}

static void unmap_data(void)
{
	for (uint32_t pfn = PFN_DATA; pfn < OWN; pfn++)
		EXPECT_EQ(map(pfn, 0), 0);
}

static bool is_zero(uint32_t mfn)
{
	const uint8_t *bytes = host_frame(mfn);

	return bytes[0] == 0 && memcmp(bytes, bytes + 1, PAGE_SIZE - 1) == 0;
}

static uint32_t free_frame(void)
{
	uint32_t i = 0;

	while (frame_record(MFN(i))->owner != OWNER_NONE)
		i++;
	return i;
}

/* What a refused call must leave alone, the bytes of a frame's begin included. */
static struct state *before;

static void remember(void)
{
	if (before)
		state_free(before);
	before = state_new(64);
	state_take(before);
}

static void expect_unchanged(const char *what)
{
	struct state *now = state_new(64);
	const char *differs;

	state_take(now);
	differs = state_differs(before, now);
	EXPECT(!differs, "%s: %s", what, differs);
	state_free(now);
	audit_all();
}

/* ---- give back ---- */

TEST(a_frame_given_back_is_nobodys_and_free)
{
	uint32_t free_before;

	start();
	unmap_data();
	free_before = frame_pool_free_count();
	EXPECT_EQ(machine_m2p_get(MFN(g.mfn[5])), 5);
	EXPECT_EQ(give(g.mfn[5]), 1);
	EXPECT_EQ(frame_record(MFN(g.mfn[5]))->owner, OWNER_NONE);
	EXPECT_EQ(machine_m2p_get(MFN(g.mfn[5])), ATELIER_NO_PFN);
	EXPECT_EQ(frame_pool_free_count(), free_before + 1);
	EXPECT_EQ(g.d->memory.owned.count, OWN - 1);
	EXPECT_EQ(ask(MEMORY_decrease, g.mfn + 6, 10), 10);
	EXPECT_EQ(frame_pool_free_count(), free_before + 11);
	audit_all();
}

enum holder {
	READ, WRITE, TABLE, DIRECTORY, LOADED, LOADED_TABLE, SHARED, GDT, LDT, DOMAIN_0, BOTH, SELF, LINEAR, GIVEN_UP, HOLDERS,
};

/* Makes somebody hold frame 10 of the domain, which is mapped nowhere; or another of its frames. Which one. */
static uint32_t hold(enum holder h)
{
	uint32_t mfn = g.mfn[10], other = g.mfn[11];

	memset(host_frame(mfn), 0, PAGE_SIZE);
	switch (h) {
	case READ:
		EXPECT_EQ(map(60, entry(mfn, 0)), 0);
		break;
	case WRITE:
		EXPECT_EQ(map(60, entry(mfn, PTE_RW)), 0);
		break;
	case TABLE:
		EXPECT_EQ(command(mfn, MMU_PIN_TABLE), 0);
		break;
	case DIRECTORY:
		EXPECT_EQ(command(mfn, MMU_PIN_DIRECTORY), 0);
		break;
	case LOADED:
		return g.mfn[PFN_DIRECTORY];
	case LOADED_TABLE:
		return g.mfn[PFN_TABLE];
	case SHARED:
		EXPECT_EQ(map(PFN_SHARED, 0), 0);
		return g.mfn[PFN_SHARED];
	case GDT:
		EXPECT_EQ(CALL(&g, set_gdt, ARG(mfn), 1), 0);
		break;
	case LDT:
		EXPECT_EQ(map(60, entry(mfn, 0)), 0);
		EXPECT_EQ(CALL(&g, set_ldt, host_va(60), 1), 0);
		EXPECT_EQ(map(60, 0), 0);
		break;
	case DOMAIN_0:
		EXPECT_EQ(update(&zero, zero.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * 60, entry(mfn, 0), g.d->id), 0);
		break;
	case BOTH:
		EXPECT_EQ(map(60, entry(mfn, PTE_RW)), 0);
		EXPECT_EQ(map(61, entry(mfn, 0)), 0);
		break;
	case SELF:
		((uint32_t *)host_frame(mfn))[3] = entry(mfn, 0);
		EXPECT_EQ(command(mfn, MMU_PIN_DIRECTORY), 0);
		break;
	case LINEAR:
		((uint32_t *)host_frame(other))[3] = entry(mfn, 0);
		EXPECT_EQ(command(mfn, MMU_PIN_DIRECTORY), 0);
		EXPECT_EQ(command(other, MMU_PIN_DIRECTORY), 0);
		EXPECT_EQ(command(mfn, MMU_UNPIN), 0);
		break;
	case GIVEN_UP:
		EXPECT_EQ(map(60, entry(mfn, 0)), 0);
		frame_pool_give_up(MFN(mfn));
		break;
	case HOLDERS:
		break;
	}
	return mfn;
}

TEST(a_frame_that_anybody_holds_stays_whoever_asks)
{
	for (enum holder h = 0; h < HOLDERS; h++) {
		uint32_t mfn;

		start();
		unmap_data();
		mfn = hold(h);
		remember();
		EXPECT_EQ(give(mfn), -EBUSY, "holder %u", h);
		expect_unchanged("decrease");
		EXPECT_EQ(swap(mfn), -EBUSY, "holder %u", h);
		EXPECT_EQ(listed(0), mfn, "holder %u", h);
		expect_unchanged("exchange");
	}
}

TEST(what_a_frame_once_was_does_not_keep_it)
{
	start();
	unmap_data();
	memset(host_frame(g.mfn[10]), 0, PAGE_SIZE);
	EXPECT_EQ(command(g.mfn[10], MMU_PIN_TABLE), 0);
	EXPECT_EQ(give(g.mfn[10]), -EBUSY);
	EXPECT_EQ(command(g.mfn[10], MMU_UNPIN), 0);
	EXPECT_EQ(frame_record(MFN(g.mfn[10]))->type, FRAME_TABLE);
	EXPECT_EQ(give(g.mfn[10]), 1);
	EXPECT_EQ(frame_record(MFN(g.mfn[11]))->type, FRAME_WRITABLE);
	EXPECT_EQ(give(g.mfn[11]), 1);
	audit_all();
}

TEST(only_frames_of_ones_own_can_be_given)
{
	start();
	EXPECT_EQ(CALL(&zero, update_va_mapping, host_va(PFN_DATA), 0, UVM_NONE, DOMID_SELF), 0);
	const uint32_t strange[] = {
		zero.mfn[PFN_DATA], free_frame(), g.d->slot_frame.n, FRAMES, FRAMES + 1, 0x100000, UINT32_MAX,
	};

	remember();
	for (unsigned int i = 0; i < ARRAY_SIZE(strange); i++) {
		EXPECT_EQ(give(strange[i]), -EINVAL, "row %u", i);
		EXPECT_EQ(swap(strange[i]), -EINVAL, "row %u", i);
	}
	expect_unchanged("strange frames");
}

TEST(a_frame_named_twice_is_given_once)
{
	start();
	unmap_data();
	const uint32_t twice[] = { g.mfn[5], g.mfn[5], g.mfn[6] };

	EXPECT_EQ(ask(MEMORY_decrease, twice, 3), 1);
	EXPECT_EQ(frame_record(MFN(g.mfn[6]))->owner, g.d->id);
	audit_all();
	EXPECT_EQ(ask(MEMORY_decrease, twice, 3), -EINVAL);
	const uint32_t again[] = { g.mfn[7], g.mfn[7], g.mfn[8] };

	EXPECT_EQ(ask(MEMORY_exchange, again, 3), 1);
	EXPECT_EQ(listed(1), g.mfn[7]);
	EXPECT_EQ(g.d->memory.owned.count, OWN - 1);
	audit_all();
}

TEST(a_bad_entry_ends_the_list_and_what_came_before_it_is_done)
{
	start();
	unmap_data();
	for (uint32_t k = 0; k < 18; k++) {
		uint32_t list[18];

		start();
		unmap_data();
		memcpy(list, g.mfn + 4, sizeof(list));
		list[k] = g.mfn[PFN_TABLE];
		EXPECT_EQ(ask(MEMORY_exchange, list, 18), k ? (int)k : -EBUSY);
		for (uint32_t i = 0; i < 18; i++)
			EXPECT_EQ(listed(i) != list[i], i < k, "entry %u of %u", i, k);
		EXPECT_EQ(g.d->memory.owned.count, OWN);
		audit_all();
		start();
		unmap_data();
		memcpy(list, g.mfn + 4, sizeof(list));
		list[k] = zero.mfn[0];
		EXPECT_EQ(ask(MEMORY_decrease, list, 18), k ? (int)k : -EINVAL);
		EXPECT_EQ(g.d->memory.owned.count, OWN - k);
		audit_all();
	}
}

/* ---- what the processor remembers ---- */

static unsigned int flushes_then;
static bool flushed_first;

static void at_clearing(const char *call)
{
	if (strcmp(call, "machine_m2p_set") == 0)
		flushed_first = host.flushes > flushes_then;
}

TEST(nothing_remembered_shows_a_frame_that_has_left)
{
	for (unsigned int way = MEMORY_decrease; way <= MEMORY_exchange; way++) {
		start();
		tlb_model_fill();
		EXPECT_EQ(map(5, 0), 0);
		EXPECT_EQ(map(6, entry(g.mfn[6], 0)), 0);
		EXPECT_EQ(map(6, 0), 0);
		flushes_then = host.flushes;
		flushed_first = false;
		if (way == MEMORY_decrease)
			host.at_seam = at_clearing;
		EXPECT_EQ(ask(way, g.mfn + 5, 2), 2);
		host.at_seam = NULL;
		EXPECT_EQ(host.flushes - flushes_then, 1, "one flush pays for both");
		EXPECT(flushed_first || way != MEMORY_decrease, "the frame is free before the flush");
		EXPECT(!tlb_model_store(host_va(5), 1));
		audit_all();
	}
}

TEST(a_directory_that_mapped_itself_can_be_exchanged_once_it_is_none)
{
	start();
	unmap_data();
	uint32_t mfn = hold(SELF);

	EXPECT_EQ(swap(mfn), -EBUSY);
	EXPECT_EQ(command(mfn, MMU_UNPIN), 0);
	audit_all();
	EXPECT_EQ(swap(mfn), 1);
	audit_all();
	EXPECT_EQ(is_zero(listed(0)), true);
}

/* Its page table mapped by itself: a walk through it may be remembered when it goes. */
TEST(a_table_that_was_reached_linearly_leaves_no_walk_behind)
{
	uint32_t slot = host_va(0) >> 22;

	start();
	unmap_data();
	memset(host_frame(g.mfn[10]), 0, PAGE_SIZE);
	EXPECT_EQ(update(&g, g.mfn[PFN_DIRECTORY] << PAGE_SHIFT | 4 * (slot + 1), entry(g.mfn[10], PTE_RW), DOMID_SELF), 0);
	EXPECT_EQ(update(&g, g.mfn[PFN_DIRECTORY] << PAGE_SHIFT | 4 * (slot + 2), entry(g.mfn[PFN_DIRECTORY], 0), DOMID_SELF), 0);
	tlb_model_fill();
	EXPECT_EQ(swap(g.mfn[10]), -EBUSY);
	EXPECT_EQ(update(&g, g.mfn[PFN_DIRECTORY] << PAGE_SHIFT | 4 * (slot + 1), 0, DOMID_SELF), 0);
	EXPECT_EQ(swap(g.mfn[10]), 1);
	audit_all();
}

/* ---- take ---- */

TEST(frames_taken_are_zero_and_counted_and_nobody_elses)
{
	start();
	balloon_set_limit(g.d, OWN + 40);
	EXPECT_EQ(grow(40), 40);
	EXPECT_EQ(g.d->memory.owned.count, OWN + 40);
	for (uint32_t i = 0; i < 40; i++) {
		const struct frame *f = frame_record(MFN(listed(i)));

		EXPECT_EQ(f->owner, g.d->id);
		EXPECT_EQ(f->refs, 1);
		EXPECT(is_zero(listed(i)), "frame %u", i);
		EXPECT_EQ(machine_m2p_get(MFN(listed(i))), ATELIER_NO_PFN);
		for (uint32_t j = 0; j < i; j++)
			EXPECT(listed(i) != listed(j));
	}
	audit_all();
}

TEST(the_limit_is_reached_and_never_passed)
{
	static const struct { uint32_t limit, asked; int answer; } rows[] = {
		{ OWN, 1, -ENOMEM }, { OWN + 1, 1, 1 }, { OWN + 1, 2, 1 }, { OWN + 17, 100, 17 }, { 0, 1, -ENOMEM },
		{ OWN - 1, 100, -ENOMEM }, { UINT32_MAX, 100, 100 }, { UINT32_MAX - 3, 50, 50 }, { OWN + 20, 0, 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		start();
		balloon_set_limit(g.d, rows[i].limit);
		EXPECT_EQ(g.d->memory.owned.count, OWN);
		EXPECT_EQ(grow(rows[i].asked), rows[i].answer, "row %u", i);
		audit_all();
	}
}

TEST(memory_can_be_taken_to_the_last_frame)
{
	uint32_t left;

	start();
	balloon_set_limit(g.d, UINT32_MAX);
	while (frame_pool_free_count() > 40)
		EXPECT_EQ(grow(16), 16);
	left = frame_pool_free_count();
	EXPECT_EQ(grow(100), left);
	EXPECT_EQ(frame_pool_free_count(), 0);
	EXPECT_EQ(grow(1), -ENOMEM);
	unmap_data();
	EXPECT_EQ(swap(g.mfn[5]), -ENOMEM);
	EXPECT_EQ(listed(0), g.mfn[5]);
	EXPECT_EQ(give(g.mfn[5]), 1);
	EXPECT_EQ(swap(g.mfn[6]), 1);
	EXPECT_EQ(listed(0), g.mfn[5]);
	EXPECT(is_zero(g.mfn[5]));
	audit_all();
}

TEST(what_others_were_promised_is_not_for_the_taking)
{
	struct guest other;
	uint32_t left;

	start();
	other = host_domain(20);
	frame_pool_promise(g.d, OWN);
	frame_pool_promise(other.d, 20);
	EXPECT_EQ(frame_pool_unpromised(NULL), frame_pool_free_count());
	for (uint32_t pfn = 10; pfn < 20; pfn++) {
		host_enter(&other);
		EXPECT_EQ(CALL(&other, update_va_mapping, host_va(pfn), 0, UVM_NONE, DOMID_SELF), 0);
		EXPECT_EQ(balloon_give_back(other.d, MFN(other.mfn[pfn])), 0);
	}
	left = frame_pool_free_count();
	EXPECT_EQ(frame_pool_unpromised(NULL), left - 10);
	host_enter(&g);
	balloon_set_limit(g.d, 1000);
	while (frame_pool_free_count() > 15)
		EXPECT_EQ(grow(1), 1);
	EXPECT_EQ(grow(16), 5);
	EXPECT_EQ(grow(1), -ENOMEM);
	EXPECT_EQ(frame_pool_unpromised(NULL), 0);

	/* Its own it can have again, and no more than that is kept for it if its limit is lower. */
	balloon_set_limit(other.d, 16);
	EXPECT_EQ(grow(16), 4);
	uint32_t mfns[16];

	EXPECT_EQ(balloon_take(other.d, mfns, 16), 6);
	EXPECT_EQ(frame_pool_free_count(), 0);
	audit_all();

	/* What is kept is kept for the living. */
	for (unsigned int i = 0; i < 6; i++)
		EXPECT_EQ(balloon_give_back(other.d, MFN(mfns[i])), 0);
	EXPECT_EQ(grow(1), -ENOMEM);
	domain_kill(other.d, SHUTDOWN_crash, 0);
	EXPECT_EQ(grow(10), 6);
	audit_all();
}

TEST(a_promise_beyond_what_is_free_leaves_nothing_to_take)
{
	start();
	frame_pool_promise(zero.d, UINT32_MAX);
	balloon_set_limit(zero.d, UINT32_MAX);
	balloon_set_limit(g.d, UINT32_MAX);
	EXPECT_EQ(grow(1), -ENOMEM);
	EXPECT_EQ(frame_pool_unpromised(NULL), 0);
}

/* ---- exchange ---- */

TEST(an_exchange_puts_zeros_in_the_place_of_what_left)
{
	start();
	unmap_data();
	balloon_set_limit(g.d, OWN - 5);
	for (uint32_t i = 0; i < 20; i++)
		EXPECT_EQ(update(&g, g.mfn[4 + i] << PAGE_SHIFT | MMU_M2P, 1000 + i, DOMID_SELF), 0);
	uint32_t free_before = frame_pool_free_count();

	EXPECT_EQ(ask(MEMORY_exchange, g.mfn + 4, 20), 20);
	for (uint32_t i = 0; i < 20; i++) {
		EXPECT(listed(i) != g.mfn[4 + i]);
		EXPECT_EQ(machine_m2p_get(MFN(listed(i))), 1000 + i);
		EXPECT_EQ(frame_record(MFN(listed(i)))->owner, g.d->id);
		EXPECT(is_zero(listed(i)), "entry %u", i);
	}
	EXPECT_EQ(g.d->memory.owned.count, OWN);
	EXPECT_EQ(g.d->memory.limit, OWN - 5);
	EXPECT_EQ(frame_pool_free_count(), free_before);
	audit_all();
}

TEST(an_exchange_that_finds_no_frame_has_changed_nothing)
{
	for (uint32_t k = 0; k <= 18; k++) {
		start();
		unmap_data();
		balloon_set_limit(g.d, OWN - 3);
		remember();
		host_fail_allocations_after(k);
		EXPECT_EQ(ask(MEMORY_exchange, g.mfn + 4, 18), k ? (int)k : -ENOMEM);
		host_fail_allocations_after(UINT32_MAX);
		for (uint32_t i = 0; i < 18; i++)
			EXPECT_EQ(frame_record(MFN(listed(i)))->owner, g.d->id);
		EXPECT_EQ(g.d->memory.owned.count, OWN);
		EXPECT_EQ(g.d->memory.limit, OWN - 3);
		if (k == 0)
			expect_unchanged("no frame");
		audit_all();
	}
}

/* ---- lists ---- */

TEST(addresses_that_no_list_has_are_refused_before_anything_is_done)
{
	static const struct { uint32_t list, count; int error; } bad[] = {
		{ ATELIER_LINE, 1, -EFAULT },			/* the hypervisor's */
		{ ATELIER_LINE - 4, 2, -EFAULT },		/* over the line */
		{ ATELIER_LINE - 4, 1, -EFAULT },		/* up to the line, and not mapped */
		{ ATELIER_LINE + 4, 0, -EFAULT },
		{ UINT32_MAX - 3, 1, -EFAULT },
		{ UINT32_MAX - 3, 2, -EFAULT },			/* wraps */
		{ HOST_ARGS, UINT32_MAX, -EFAULT },
		{ HOST_ARGS, 0x40000000, -EFAULT },		/* 2^32 bytes: 0 */
		{ HOST_ARGS, 0x40000001, -EFAULT },
		{ HOST_ARGS, 0x80000001, -EFAULT },
		{ HOST_ARGS, (ATELIER_LINE - HOST_ARGS) / 4 + 1, -EFAULT },
		{ HOST_ARGS + 1, 1, -EINVAL },
		{ HOST_ARGS + 2, 1, -EINVAL },
		{ HOST_ARGS + 3, 0, -EINVAL },
		{ 0x1000, 1, -EFAULT },				/* not mapped */
		{ 0, 0, 0 }, { HOST_ARGS, 0, 0 }, { ATELIER_LINE, 0, 0 },
	};

	start();
	balloon_set_limit(g.d, 1000);
	unmap_data();
	for (uint32_t op = MEMORY_increase; op <= MEMORY_exchange; op++)
		for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
			soil();
			remember();
			EXPECT_EQ(ask_at(op, bad[i].list, bad[i].count), bad[i].error, "op %u, row %u", op, i);
			soil();
			expect_unchanged("a bad list");
		}
}

TEST(a_structure_that_makes_no_sense_is_refused)
{
	struct memory_op bad[] = { { 4, HOST_ARGS, 1, 0 }, { UINT32_MAX, HOST_ARGS, 1, 0 }, { MEMORY_increase, HOST_ARGS, 1, 1 },
				   { MEMORY_query, 0, 0, 1 } };

	start();
	balloon_set_limit(g.d, 1000);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(CALL(&g, memory_op, ARG(bad[i])), -EINVAL, "row %u", i);
	EXPECT_EQ(CALL(&g, memory_op, 0x1000), -EFAULT);
	EXPECT_EQ(CALL(&g, memory_op, ATELIER_LINE - 8), -EFAULT);
	EXPECT_EQ(g.d->memory.owned.count, OWN);
}

/* The last @n words before a page that is not there, for a list that ends in it. */
static uint32_t edge(uint32_t n)
{
	EXPECT_EQ(map(5, 0), 0);
	return host_va(5) - 4 * n;
}

static void put_words(uint32_t va, const uint32_t *words, uint32_t n)
{
	EXPECT(host_store(va, words, 4 * n));
}

TEST(a_list_that_ends_in_a_hole_is_done_up_to_it)
{
	for (uint32_t n = 0; n <= 17; n++) {
		uint32_t now[17], at;

		start();
		balloon_set_limit(g.d, 1000);
		at = edge(n);
		EXPECT_EQ(ask_at(MEMORY_increase, at, 40), n ? (int)n : -EFAULT);
		EXPECT_EQ(g.d->memory.owned.count, OWN + n);
		EXPECT(host_load(at, now, 4 * n));
		for (uint32_t i = 0; i < n; i++)
			EXPECT_EQ(frame_record(MFN(now[i]))->owner, g.d->id);
		audit_all();

		EXPECT_EQ(ask_at(MEMORY_exchange, at, 40), n ? (int)n : -EFAULT);
		EXPECT_EQ(g.d->memory.owned.count, OWN + n);
		EXPECT(host_load(at, now, 4 * n));
		for (uint32_t i = 0; i < n; i++)
			EXPECT_EQ(frame_record(MFN(now[i]))->owner, g.d->id);
		audit_all();

		EXPECT_EQ(ask_at(MEMORY_decrease, at, 40), n ? (int)n : -EFAULT);
		EXPECT_EQ(g.d->memory.owned.count, OWN);
		audit_all();
	}
}

TEST(a_list_that_cannot_be_written_costs_no_frame)
{
	uint32_t free_before;

	start();
	balloon_set_limit(g.d, 1000);
	put_words(host_va(4), g.mfn + 6, 3);
	EXPECT_EQ(map(4, entry(g.mfn[4], 0)), 0);
	EXPECT_EQ(map(6, 0), 0);
	free_before = frame_pool_free_count();
	EXPECT_EQ(ask_at(MEMORY_increase, host_va(4), 3), -EFAULT);
	EXPECT_EQ(ask_at(MEMORY_exchange, host_va(4), 1), -EFAULT);
	EXPECT_EQ(frame_pool_free_count(), free_before);
	EXPECT_EQ(g.d->memory.owned.count, OWN);
	EXPECT_EQ(frame_record(MFN(g.mfn[6]))->owner, g.d->id);
	EXPECT_EQ(machine_m2p_get(MFN(g.mfn[6])), 6);
	audit_all();
	EXPECT_EQ(ask_at(MEMORY_decrease, host_va(4), 1), 1);
	audit_all();
}

TEST(a_list_in_a_frame_that_it_names_stays)
{
	const uint32_t words[] = { 0, 0, 0 };

	start();
	unmap_data();
	EXPECT_EQ(map(4, entry(g.mfn[4], PTE_RW)), 0);
	put_words(host_va(4), words, 3);
	put_words(host_va(4), (uint32_t[]){ g.mfn[5], g.mfn[4], g.mfn[6] }, 3);
	EXPECT_EQ(ask_at(MEMORY_decrease, host_va(4), 3), 1);
	EXPECT_EQ(ask_at(MEMORY_exchange, host_va(4) + 4, 2), -EBUSY);
	audit_all();
}

static uint32_t bytes_read;

static void count_bytes(guest_addr_t src, size_t n)
{
	bytes_read += n;
}

TEST(everything_is_read_once)
{
	struct memory_op query = { MEMORY_query, 1, 2, 0 };

	start();
	unmap_data();
	host.before_copy_in = count_bytes;
	EXPECT_EQ(ask(MEMORY_decrease, g.mfn + 4, 3), 3);
	EXPECT_EQ(bytes_read, 16 + 3 * 4);
	bytes_read = 0;
	EXPECT_EQ(ask(MEMORY_exchange, g.mfn + 7, 3), 3);
	EXPECT_EQ(bytes_read, 16 + 3 * 4);
	bytes_read = 0;
	EXPECT_EQ(CALL(&g, memory_op, ARG(query)), 0);
	EXPECT_EQ(bytes_read, 16);
}

TEST(query_says_what_one_has_and_may_have)
{
	struct memory_op query = { MEMORY_query, 1, 2, 0 };
	const struct memory_op *now;
	uint32_t at;

	start();
	balloon_set_limit(g.d, 77);
	at = ARG(query);
	EXPECT_EQ(CALL(&g, memory_op, at), 0);
	now = host_arg_bytes(at);
	EXPECT_EQ(now->op, MEMORY_query);
	EXPECT_EQ(now->count, OWN);
	EXPECT_EQ(now->list, 77);
	EXPECT_EQ(now->reserved, 0);
	put_words(host_va(4), (const uint32_t *)&query, 4);
	EXPECT_EQ(map(4, entry(g.mfn[4], 0)), 0);
	EXPECT_EQ(CALL(&g, memory_op, host_va(4)), -EFAULT);
}

/* ---- work and death ---- */

TEST(a_long_list_ends_where_an_interrupt_is_due)
{
	uint32_t all = 0;

	for (uint32_t op = MEMORY_increase; op <= MEMORY_exchange; op++) {
		int first;

		start();
		unmap_data();
		balloon_set_limit(g.d, 1000);
		host.interrupt = true;
		first = op == MEMORY_increase ? grow(40) : ask(op, g.mfn + 4, 20);
		EXPECT(first > 0 && first <= 16, "%d done while an interrupt waits", first);
		host.interrupt = false;
		if (op == MEMORY_decrease)
			EXPECT_EQ(ask(op, g.mfn + 4 + first, 20 - first), 20 - first);
		audit_all();
		all += first;
	}
	EXPECT(all > 3, "one at a time");
}

TEST(the_dying_take_nothing_and_all_comes_home)
{
	struct multicall_entry calls[] = {
		{ .call = HYPERCALL_memory_op }, { .call = HYPERCALL_shutdown, .args = { SHUTDOWN_crash } },
		{ .call = HYPERCALL_memory_op },
	};
	static const uint32_t nothing[20];
	struct memory_op more = { MEMORY_increase, 0, 20, 0 };
	uint32_t free_before, mfns[4];
	mfn_t new;

	start();
	unmap_data();
	balloon_set_limit(g.d, 1000);
	free_before = frame_pool_free_count();
	more.list = host_arg(nothing, sizeof(nothing));
	calls[0].args[0] = calls[2].args[0] = ARG(more);
	EXPECT_EQ(CALL(&g, multicall, ARG(calls), 3), 2);
	EXPECT_EQ(g.d->life, LIFE_DYING);
	EXPECT_EQ(g.d->memory.owned.count, OWN + 20);
	EXPECT_EQ(balloon_take(g.d, mfns, 4), 0);
	EXPECT_EQ(balloon_exchange(g.d, MFN(g.mfn[5]), &new), -ESRCH);
	EXPECT_EQ(g.d->memory.owned.count, OWN + 20);
	audit_all();
	while (domain_reap())
		audit_all();
	EXPECT_EQ(frame_pool_free_count(), free_before + OWN + 1);
}

TEST(many_steps_keep_the_sums)
{
	uint32_t own[64], count = 0, seed = 1, all;

	start();
	balloon_set_limit(g.d, OWN + 50);
	all = frame_pool_free_count();
	for (unsigned int step = 0; step < 3000; step++) {
		uint32_t n, what, at;

		seed = seed * 1664525u + 1013904223u;
		what = seed >> 30;
		n = 1 + (seed >> 20) % 7;
		at = count ? (seed >> 10) % count : 0;
		if (what <= 1 && count + n <= 50) {
			EXPECT_EQ(grow(n), n);
			for (uint32_t i = 0; i < n; i++)
				own[count++] = listed(i);
		} else if (count > 0 && what == 2) {
			EXPECT_EQ(give(own[at]), 1);
			own[at] = own[--count];
		} else if (count > 0) {
			EXPECT_EQ(swap(own[at]), 1);
			own[at] = listed(0);
		}
		EXPECT_EQ(g.d->memory.owned.count, OWN + count);
		EXPECT_EQ(frame_pool_free_count(), all - count);
		if (step % 100 == 0)
			audit_all();
	}
	audit_all();
}

TEST(the_auditor_sees_a_number_left_behind)
{
	start();
	EXPECT(balloon_check());
	machine_m2p_set(MFN(free_frame()), 3);
	EXPECT(!balloon_check());
	machine_m2p_set(MFN(free_frame()), ATELIER_NO_PFN);
	machine_m2p_set(g.d->slot_frame, 0);
	EXPECT(!balloon_check());
}
