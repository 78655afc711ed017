// SPDX-License-Identifier: MIT
#include "frame_pool.h"
#include <string.h>
#include "frame.h"
#include "host/audit.h"
#include "host/domains.h"
#include "start.h"
#include "unit/test.h"

TEST(the_pool_has_all_usable_frames_and_no_others)
{
	host_setup(64);
	memset(host.usable, false, 10);
	host.usable[30] = false;
	start_subsystems();
	EXPECT_EQ(frame_pool_free_count(), 53);
	for (uint32_t i = 0; i < 53; i++) {
		mfn_t mfn = frame_pool_alloc(NULL);

		EXPECT(mfn.n >= 10 && mfn.n < 64 && mfn.n != 30, "frame %u", mfn.n);
	}
	EXPECT_EQ(frame_pool_alloc(NULL).n, MFN_NONE.n);
	EXPECT_EQ(frame_pool_free_count(), 0);
}

TEST(a_domain_gets_frames_up_to_its_limit)
{
	struct domain *d;

	host_start(64);
	d = domain_open("x", 3);
	for (unsigned int i = 0; i < 3; i++) {
		mfn_t mfn = frame_pool_alloc(d);

		EXPECT_EQ(frame_record(mfn)->owner, d->id);
		EXPECT_EQ(frame_record(mfn)->refs, 1);
		EXPECT(frame_record(mfn)->reserved);
	}
	EXPECT_EQ(frame_pool_alloc(d).n, MFN_NONE.n);
	EXPECT_EQ(d->memory.owned.count, 3);
	audit_all();
}

TEST(a_run_of_frames_ends_at_the_limit_or_with_the_memory)
{
	struct domain *d, *greedy;
	uint32_t mfns[64], left;

	host_start(64);
	d = domain_open("x", 7);
	greedy = domain_open("y", 1000);
	EXPECT_EQ(frame_pool_take(d, mfns, 0), 0);
	EXPECT_EQ(frame_pool_take(d, mfns, 3), 3);
	EXPECT_EQ(frame_pool_take(d, mfns + 3, 60), 4);
	for (unsigned int i = 0; i < 7; i++) {
		EXPECT_EQ(frame_record(MFN(mfns[i]))->owner, d->id);
		EXPECT_EQ(frame_record(MFN(mfns[i]))->refs, 1);
		EXPECT(frame_record(MFN(mfns[i]))->reserved);
	}
	EXPECT_EQ(frame_pool_take(d, mfns, 1), 0);
	EXPECT_EQ(d->memory.owned.count, 7);
	left = frame_pool_free_count();
	EXPECT_EQ(frame_pool_take(greedy, mfns, 64), left);
	EXPECT_EQ(frame_pool_free_count(), 0);
	audit_all();
	frame_pool_give_up(MFN(mfns[left / 2]));
	EXPECT_EQ(frame_pool_free_count(), 1);
	audit_all();
}

TEST(frames_for_the_hypervisor_are_zero_always_and_for_domains_once_scrubbing_is_on)
{
	struct domain *d;

	host_setup(64);
	for (uint32_t i = 0; i < 64; i++)
		memset(host_frame(i), 0xee, PAGE_SIZE);
	start_subsystems();
	d = domain_open("x", 60);
	EXPECT_EQ(*(uint8_t *)host_frame(frame_pool_alloc(NULL).n), 0);
	frame_pool_scrub();
	for (unsigned int i = 0; i < 30; i++) {
		const uint8_t *bytes = host_frame(frame_pool_alloc(d).n);

		for (unsigned int b = 0; b < PAGE_SIZE; b++)
			if (bytes[b] != 0) {
				EXPECT(!"scrubbed", "byte %u", b);
				return;
			}
	}
}

static bool all_zero(uint32_t mfn)
{
	const uint8_t *bytes = host_frame(mfn);

	return bytes[0] == 0 && memcmp(bytes, bytes + 1, PAGE_SIZE - 1) == 0;
}

TEST(free_frames_are_scrubbed_ahead_of_time_and_then_as_good_as_others)
{
	uint32_t mfns[64], n = 0, count;
	struct domain *d;

	host_setup(64);
	for (uint32_t i = 0; i < 64; i++)
		memset(host_frame(i), 0xee, PAGE_SIZE);
	start_subsystems();
	d = domain_open("x", 60);
	EXPECT(!frame_pool_scrub_one(), "not before domains run");
	frame_pool_scrub();
	count = frame_pool_free_count();
	for (unsigned int i = 0; i < 20; i++)
		EXPECT(frame_pool_scrub_one());
	EXPECT_EQ(frame_pool_free_count(), count);
	EXPECT_EQ(frame_pool_take(d, mfns, 30), 30);
	for (unsigned int i = 0; i < 30; i++)
		EXPECT(all_zero(mfns[i]), "frame %u", i);
	memset(host_frame(mfns[3]), 0x77, PAGE_SIZE);
	frame_pool_give_up(MFN(mfns[3]));
	while (frame_pool_scrub_one())
		n++;
	EXPECT_EQ(n, count - 30 + 1);
	EXPECT_EQ(frame_pool_free_count(), n);
	EXPECT(all_zero(frame_pool_alloc(NULL).n));
	EXPECT_EQ(frame_pool_take(d, mfns, 10), 10);
	for (unsigned int i = 0; i < 10; i++)
		EXPECT(all_zero(mfns[i]), "frame %u", i);
	audit_all();
}

TEST(a_frame_given_up_while_it_is_mapped_stays_its_owners_until_it_is_not)
{
	struct guest g;
	struct mmu_request unmap;
	uint32_t free_before;
	mfn_t mfn;

	host_start(64);
	g = host_domain(8);
	host_enter(&g);
	mfn = MFN(g.mfn[5]);
	free_before = frame_pool_free_count();
	frame_pool_give_up(mfn);
	EXPECT_EQ(frame_pool_free_count(), free_before);
	EXPECT_EQ(frame_record(mfn)->owner, g.d->id);
	audit_all();
	unmap = (struct mmu_request){ g.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * 5, 0 };
	EXPECT_EQ(CALL(&g, mmu_update, ARG(unmap), 1, 0, DOMID_SELF), 0);
	EXPECT_EQ(frame_pool_free_count(), free_before + 1);
	EXPECT_EQ(frame_record(mfn)->owner, OWNER_NONE);
	audit_all();
}

TEST(a_freed_frame_cannot_be_reached_through_what_the_processor_remembers)
{
	struct guest g;
	struct mmu_request unmap;

	host_start(64);
	g = host_domain(8);
	host_enter(&g);
	frame_pool_give_up(MFN(g.mfn[5]));
	unmap = (struct mmu_request){ g.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * 5, 0 };
	CALL(&g, mmu_update, ARG(unmap), 1, 0, DOMID_SELF);
	EXPECT(!audit());
	EXPECT(host.flushes > 0);
}

TEST(the_pools_auditor_sees_a_list_that_does_not_fit)
{
	struct guest g;

	host_start(64);
	g = host_domain(8);
	EXPECT(frame_pool_check());
	frame_record(MFN(g.mfn[4]))->owner = DOMID_NONE;
	EXPECT(!frame_pool_check());
	frame_record(MFN(g.mfn[4]))->owner = g.d->id;
	g.d->memory.owned.count++;
	EXPECT(!frame_pool_check());
}
