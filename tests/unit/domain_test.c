// SPDX-License-Identifier: MIT
#include "domain.h"
#include <string.h>
#include "frame.h"
#include "host/audit.h"
#include "host/domains.h"
#include "unit/test.h"

TEST(the_first_domain_is_privileged_and_no_other_is)
{
	host_start(64);
	EXPECT(host_domain(4).d->privileged);
	EXPECT(!host_domain(4).d->privileged);
}

TEST(slots_run_out_with_an_answer)
{
	host_start(64);
	for (unsigned int i = 0; i < MAX_DOMAINS; i++)
		EXPECT(domain_open("x", 0), "domain %u", i);
	EXPECT(!domain_open("x", 0));
	audit_all();
}

TEST(a_slot_whose_frame_cannot_be_had_stays_free)
{
	host_start(64);
	host_fail_allocations_after(0);
	EXPECT(!domain_open("x", 0));
	host_fail_allocations_after(UINT32_MAX);
	for (unsigned int i = 0; i < MAX_DOMAINS; i++)
		EXPECT(domain_open("x", 0), "domain %u", i);
}

TEST(a_number_finds_a_living_domain_only)
{
	struct guest zero, g;

	host_start(64);
	zero = host_domain(4);
	g = host_domain(4);
	EXPECT(domain_find(zero.d, 1) == g.d);
	EXPECT(domain_find(g.d, DOMID_SELF) == g.d);
	EXPECT(!domain_find(zero.d, 2));
	EXPECT(!domain_find(zero.d, MAX_DOMAINS));
	EXPECT(!domain_find(zero.d, UINT32_MAX));
	EXPECT(!domain_find(zero.d, DOMID_NONE));
	EXPECT(!domain_find(NULL, DOMID_SELF));
	domain_kill(g.d, SHUTDOWN_crash, 0);
	EXPECT(!domain_find(zero.d, 1));
	EXPECT(domain_next(1) == g.d);
}

TEST(a_name_that_is_too_long_is_cut)
{
	char name[100];

	memset(name, 'n', sizeof(name));
	name[99] = '\0';
	host_start(64);
	EXPECT_EQ(strlen(domain_open(name, 0)->name), DOMAIN_NAME - 1);
}

static void reap_all(void)
{
	for (unsigned int i = 0; domain_reap(); i++) {
		audit_all();
		if (i > 1000)
			host_panic("reaping does not end");
	}
}

TEST(after_a_death_every_frame_is_back_and_the_slot_too)
{
	uint32_t free_before;
	struct guest g;

	host_start(200);
	host_domain(4);
	free_before = frame_pool_free_count();
	for (unsigned int round = 0; round < 20; round++) {
		g = host_domain(60);
		host_enter(&g);
		domain_kill(g.d, SHUTDOWN_crash, 0);
		audit_all();
		reap_all();
		EXPECT_EQ(frame_pool_free_count(), free_before, "round %u", round);
		EXPECT_EQ(g.d->life, LIFE_FREE);
	}
}

TEST(the_frames_of_the_dead_are_scrubbed_before_anybody_gets_them)
{
	struct guest g;

	host_start(64);
	host_domain(4);
	frame_pool_scrub(true);
	g = host_domain(40);
	for (unsigned int i = PFN_DATA; i < 40; i++)
		memset(host_frame(g.mfn[i]), 0xcc, PAGE_SIZE);
	domain_kill(g.d, SHUTDOWN_crash, 0);
	reap_all();
	g.d = domain_open("new", 50);
	for (unsigned int i = 0; i < 40; i++) {
		mfn_t mfn = frame_pool_alloc(g.d);
		const uint8_t *bytes = host_frame(mfn.n);

		for (unsigned int b = 0; b < PAGE_SIZE; b++)
			if (bytes[b] != 0) {
				EXPECT(!"scrubbed", "frame %u byte %u", mfn.n, b);
				return;
			}
	}
}

static int map_foreign(struct guest *zero, const struct guest *g, uint32_t pfn, uint32_t bits)
{
	struct mmu_request r = { zero->mfn[PFN_TABLE] << PAGE_SHIFT | 4 * (100 + pfn),
				 bits ? g->mfn[pfn] << PAGE_SHIFT | bits : 0 };

	return CALL(zero, mmu_update, ARG(r), 1, 0, g->d->life == LIFE_OPEN ? g->d->id : DOMID_SELF);
}

TEST(what_domain_0_still_maps_of_the_dead_stays_until_it_lets_go)
{
	struct guest zero, g;
	uint32_t free_before;

	host_start(64);
	zero = host_domain(6);
	free_before = frame_pool_free_count();
	g = host_domain(8);
	host_enter(&zero);
	EXPECT_EQ(map_foreign(&zero, &g, 5, PTE_P | PTE_RW), 0);
	EXPECT_EQ(map_foreign(&zero, &g, 6, PTE_P), 0);
	EXPECT_EQ(map_foreign(&zero, &g, PFN_TABLE, PTE_P), 0);
	domain_kill(g.d, SHUTDOWN_crash, 0);
	for (unsigned int i = 0; i < 50; i++)
		sched_return();
	audit_all();
	EXPECT_EQ(frame_record(MFN(g.mfn[5]))->owner, g.d->id);
	EXPECT_EQ(g.d->life, LIFE_DYING);
	EXPECT_EQ(map_foreign(&zero, &g, 5, 0), 0);
	EXPECT_EQ(map_foreign(&zero, &g, 6, 0), 0);
	EXPECT_EQ(map_foreign(&zero, &g, PFN_TABLE, 0), 0);
	for (unsigned int i = 0; i < 50; i++)
		sched_return();
	audit_all();
	EXPECT_EQ(g.d->life, LIFE_FREE);
	EXPECT_EQ(frame_pool_free_count(), free_before);
}

TEST(a_dead_domain_that_waits_for_domain_0_keeps_nobody_from_running)
{
	struct guest zero, g, third;

	host_start(64);
	zero = host_domain(6);
	g = host_domain(8);
	third = host_domain(8);
	host_enter(&zero);
	EXPECT_EQ(map_foreign(&zero, &g, 5, PTE_P), 0);
	domain_kill(g.d, SHUTDOWN_crash, 0);
	domain_kill(third.d, SHUTDOWN_crash, 0);
	for (unsigned int i = 0; i < 100 && domain_reap(); i++)
		EXPECT(i < 99, "there is always something to do");
	EXPECT_EQ(third.d->life, LIFE_FREE, "it waits for nobody");
}

TEST(death_in_the_middle_of_a_build_gives_everything_back)
{
	uint32_t free_before;

	host_start(64);
	host_domain(4);
	free_before = frame_pool_free_count();
	for (unsigned int frames = 0; frames < 6; frames++) {
		struct domain *d = domain_open("half", 10);

		for (unsigned int i = 0; i < frames; i++)
			frame_pool_alloc(d);
		domain_kill(d, SHUTDOWN_crash, 0);
		reap_all();
		EXPECT_EQ(frame_pool_free_count(), free_before, "%u frames", frames);
	}
}

TEST(a_large_domain_dies_in_steps)
{
	uint32_t free_before;
	struct domain *d;
	unsigned int steps;

	host_start(900);
	host_domain(4);
	free_before = frame_pool_free_count();
	d = domain_open("large", 800);
	for (unsigned int i = 0; i < 800; i++)
		frame_pool_alloc(d);
	domain_kill(d, SHUTDOWN_crash, 0);
	for (steps = 0; domain_reap(); steps++)
		audit_all();
	EXPECT(steps > 800 / 256 + 800 / 64, "%u steps", steps);
	EXPECT(steps < 2 * (800 / 256 + 800 / 64), "%u steps: a frame is looked at once", steps);
	EXPECT_EQ(frame_pool_free_count(), free_before);
}

TEST(many_pins_are_taken_in_steps_and_none_is_left)
{
	struct domain *d;

	host_start(64);
	host_domain(4);
	d = domain_open("pins", 3 * MMU_TABLES_A_CALL);
	for (unsigned int i = 0; i < 3 * MMU_TABLES_A_CALL; i++)
		EXPECT_EQ(paging_pin(d, frame_pool_alloc(d), FRAME_TABLE), 0);
	domain_kill(d, SHUTDOWN_crash, 0);
	EXPECT(domain_reap() && domain_reap());
	EXPECT_EQ(d->life, LIFE_DYING, "two steps take no more than two times what one may");
	reap_all();
	EXPECT_EQ(d->life, LIFE_FREE);
}

TEST(dying_twice_is_dying_once)
{
	struct guest g;

	host_start(64);
	host_domain(4);
	g = host_domain(6);
	CALL(&g, shutdown, SHUTDOWN_poweroff, 0);
	CALL(&g, shutdown, SHUTDOWN_crash, 0);
	EXPECT_EQ(g.d->reason, SHUTDOWN_poweroff);
	reap_all();
}

TEST(the_shared_page_starts_masked_and_empty_and_is_held_writable)
{
	struct guest g;

	host_start(64);
	g = host_domain(6);
	EXPECT_EQ(g.d->shared->upcall_mask, 1);
	EXPECT_EQ(g.d->shared->upcall_pending, 0);
	EXPECT(g.d->shared == host_frame(g.mfn[PFN_SHARED]));
	EXPECT_EQ(frame_record(MFN(g.mfn[PFN_SHARED]))->type, FRAME_WRITABLE);
	EXPECT(frame_record(MFN(g.mfn[PFN_SHARED]))->uses >= 1);
}
