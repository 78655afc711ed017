// SPDX-License-Identifier: MIT
#include "tlb.h"
#include "host/domains.h"
#include "host/tlb_model.h"
#include "unit/test.h"

static void start(void)
{
	host_start(64);
	host_domain(4);
	host.flushes = 0;
}

#define A	MFN(5)
#define B	MFN(6)

TEST(a_frame_whose_mapping_went_is_flushed_for_once)
{
	start();
	tlb_settle(A);
	EXPECT_EQ(host.flushes, 0, "nothing was ever mapped");
	tlb_note(A);
	tlb_settle(B);
	EXPECT_EQ(host.flushes, 0, "another frame's");
	tlb_settle(A);
	EXPECT_EQ(host.flushes, 1);
	tlb_settle(A);
	EXPECT_EQ(host.flushes, 1);
}

TEST(one_flush_pays_for_all)
{
	start();
	tlb_note(A);
	tlb_note(B);
	tlb_settle(A);
	tlb_settle(B);
	EXPECT_EQ(host.flushes, 1);
}

TEST(a_mapping_that_goes_after_a_flush_owes_a_new_one)
{
	start();
	tlb_note(A);
	tlb_settle(A);
	tlb_note(A);
	tlb_settle(A);
	EXPECT_EQ(host.flushes, 2);
}

TEST(a_flush_that_the_guest_wants_is_done_once_at_the_end_of_the_call)
{
	start();
	tlb_want_flush();
	tlb_want_flush();
	EXPECT_EQ(host.flushes, 0);
	tlb_end_of_call();
	EXPECT_EQ(host.flushes, 1);
	tlb_end_of_call();
	EXPECT_EQ(host.flushes, 1);
}

TEST(loading_a_base_is_a_flush)
{
	start();
	tlb_note(A);
	tlb_want_flush();
	tlb_load_base(MFN_NONE);
	tlb_settle(A);
	tlb_end_of_call();
	EXPECT_EQ(host.flushes, 0);
	EXPECT_EQ(host.base_loads, 1);
}

TEST(a_clock_that_wraps_forgets_no_debt)
{
	start();	/* tests/build.mk starts the clock three flushes before its wrap */
	for (unsigned int i = 0; i < 8; i++) {
		tlb_note(A);
		tlb_settle(A);
		EXPECT_EQ(host.flushes, i + 1, "round %u", i);
	}
}

TEST(a_settled_flush_is_also_the_one_that_the_guest_wanted)
{
	start();
	tlb_want_flush();
	tlb_note(A);
	tlb_settle(A);
	tlb_end_of_call();
	EXPECT_EQ(host.flushes, 1);
}

/* ---- the model of the processor that the other tests rely on ---- */

TEST(the_model_remembers_what_was_reachable_until_it_is_flushed)
{
	struct guest g;
	uint32_t *table;
	unsigned int n;

	host_start(64);
	g = host_domain(6);
	host_enter(&g);
	n = tlb_model_count();
	EXPECT_EQ(n, 6);
	table = host_frame(g.mfn[PFN_TABLE]);
	table[PFN_DATA] = 0;	/* behind the hypervisor's back */
	tlb_model_fill();
	EXPECT_EQ(tlb_model_count(), n);
	EXPECT(tlb_model_store(host_va(PFN_DATA), 77));
	EXPECT_EQ(*(uint32_t *)host_frame(g.mfn[PFN_DATA]), 77);
	machine_flush_page(GUEST_ADDR(host_va(PFN_DATA)));
	EXPECT_EQ(tlb_model_count(), n - 1);
	EXPECT(!tlb_model_store(host_va(PFN_DATA), 78));
	machine_flush_tlb();
	EXPECT_EQ(tlb_model_count(), n - 1);
}

TEST(the_model_goes_on_walking_a_table_whose_entry_is_gone)
{
	struct guest g;
	uint32_t *directory, *table;

	host_start(64);
	g = host_domain(6);
	host_enter(&g);
	directory = host_frame(g.mfn[PFN_DIRECTORY]);
	table = host_frame(g.mfn[PFN_TABLE]);
	directory[HOST_VA >> 22] = 0;
	table[40] = 33 << PAGE_SHIFT | PTE_P;
	tlb_model_fill();
	EXPECT_EQ(tlb_model_get(tlb_model_count() - 1).mfn, 33);
	machine_flush_page(GUEST_ADDR(0));	/* any INVLPG ends that */
	EXPECT_EQ(tlb_model_walks(), 0);
}
