// SPDX-License-Identifier: MIT
#include "paging.h"
#include <stdlib.h>
#include <string.h>
#include "frame.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/state.h"
#include "host/tlb_model.h"
#include "unit/test.h"

#define FRAMES	60u

static struct guest zero, g;

/*
 * Domain 1 with 40 frames; those from LOOSE on are mapped nowhere. Every call is followed by all auditors, and one that is refused
 * must have changed nothing.
 */
#define LOOSE	20u

static struct state *before, *after;

static void check(struct guest *who, uint32_t number, int result)
{
	audit_all();
	state_take(after);
	if (result < 0 && state_differs(before, after))
		EXPECT(!"a refused call changes nothing", "call %u, error %d: %s", number, result,
		       state_differs(before, after));
	state_take(before);
}

static int command(uint32_t what, uint32_t operand)
{
	const struct mmu_request r = { operand | MMU_COMMAND, what };

	return CALL(&g, mmu_update, ARG(r), 1, 0, DOMID_SELF);
}

static uint32_t entry_address(uint32_t mfn, uint32_t i)
{
	return mfn << PAGE_SHIFT | 4 * i;
}

static int write(uint32_t mfn, uint32_t i, uint32_t value)
{
	const struct mmu_request r = { entry_address(mfn, i), value };

	return CALL(&g, mmu_update, ARG(r), 1, 0, DOMID_SELF);
}

/* The entry for the domain's frame @pfn. */
static uint32_t pte(uint32_t pfn, uint32_t bits)
{
	return g.mfn[pfn] << PAGE_SHIFT | PTE_P | bits;
}

static uint32_t *words(uint32_t pfn)
{
	return host_frame(g.mfn[pfn]);
}

static void start(void)
{
	host_start(120);
	zero = host_domain(20);
	g = host_domain(FRAMES);
	host_enter(&g);
	for (uint32_t pfn = LOOSE; pfn < FRAMES; pfn++)
		write(g.mfn[PFN_TABLE], pfn, 0);
	if (!before) {
		before = state_new(PAGE_SIZE);
		after = state_new(PAGE_SIZE);
	}
	state_take(before);
	host_after_call = check;
}

/* Fills frame @pfn as memory, before it is a table; state is taken anew. */
static void prepare(uint32_t pfn, uint32_t i, uint32_t value)
{
	words(pfn)[i] = value;
	state_take(before);
}

static const struct frame *record(uint32_t pfn)
{
	return frame_record(MFN(g.mfn[pfn]));
}

/* ---- entries ---- */

TEST(only_bits_that_the_interface_names_are_accepted)
{
	start();
	for (unsigned int bit = 1; bit < 12; bit++) {
		bool ok = (1u << bit) & (PTE_RW | PTE_US | PTE_A | PTE_D | PTE_AVL);

		EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, pte(LOOSE, 1u << bit)), ok ? 0 : -EINVAL, "bit %u", bit);
		EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, pte(LOOSE, PTE_RW | 1u << bit)), ok ? 0 : -EINVAL, "RW and bit %u", bit);
	}
}

TEST(an_absent_entry_is_kept_whatever_it_says)
{
	start();
	EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, 0xfffffffe), 0);
	EXPECT_EQ(words(PFN_TABLE)[100], 0xfffffffe);
	EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], 3, 0xfffffffe), 0);
	EXPECT_EQ(words(PFN_DIRECTORY)[3], 0xfffffffe);
}

TEST(a_frame_that_is_not_the_domains_is_not_mapped_even_for_reading)
{
	uint32_t free_frame = 0;

	start();
	while (frame_record(MFN(free_frame))->owner != OWNER_NONE)
		free_frame++;
	for (unsigned int rw = 0; rw <= PTE_RW; rw += PTE_RW) {
		const struct { uint32_t mfn; int error; } bad[] = {
			{ zero.mfn[PFN_DATA], -EPERM }, { zero.d->slot_frame.n, -EPERM }, { free_frame, -EPERM },
			{ 120, -EINVAL }, { 121, -EINVAL }, { 0xfc000, -EINVAL }, { 0xfffff, -EINVAL },
		};

		for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
			EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, bad[i].mfn << PAGE_SHIFT | PTE_P | rw), bad[i].error,
				  "row %u, rw %u", i, rw);
	}
}

TEST(a_table_or_directory_is_never_mapped_writable)
{
	start();
	EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, pte(PFN_TABLE, PTE_RW)), -EBUSY);
	EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, pte(PFN_DIRECTORY, PTE_RW)), -EBUSY);
	EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, pte(PFN_TABLE, 0)), 0);
	EXPECT_EQ(write(g.mfn[PFN_TABLE], 101, pte(PFN_DIRECTORY, 0)), 0);
}

TEST(each_flag_alone_on_each_kind_of_entry_recounts_exactly_if_rw_or_the_frame_changes)
{
	static const uint32_t flags[] = { PTE_US, PTE_A, PTE_D, 0x200, 0x400, 0x800 };

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, pte(PFN_TABLE, 0)), 0);
		EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, pte(PFN_TABLE, flags[i])), 0, "flag %u", i);
		EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, pte(PFN_TABLE, flags[i] | PTE_RW)), -EBUSY, "flag %u", i);
		EXPECT_EQ(words(PFN_TABLE)[100], pte(PFN_TABLE, flags[i]), "flag %u", i);
		EXPECT_EQ(write(g.mfn[PFN_TABLE], 101, pte(LOOSE, 0)), 0);
		EXPECT_EQ(write(g.mfn[PFN_TABLE], 101, pte(LOOSE, PTE_RW | flags[i])), 0, "flag %u", i);
		EXPECT_EQ(record(LOOSE)->uses, 1);
		EXPECT_EQ(write(g.mfn[PFN_TABLE], 101, pte(LOOSE, PTE_RW)), 0, "flag %u", i);
		EXPECT_EQ(write(g.mfn[PFN_TABLE], 101, pte(LOOSE, 0)), 0, "flag %u", i);
		EXPECT_EQ(record(LOOSE)->uses, 0);
	}
	EXPECT_EQ(record(LOOSE)->refs, 2);
}

TEST(a_refused_entry_leaves_the_old_one)
{
	start();
	EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, pte(LOOSE, PTE_RW)), 0);
	EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, pte(PFN_TABLE, PTE_RW)), -EBUSY);
	EXPECT_EQ(write(g.mfn[PFN_TABLE], 100, zero.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P), -EPERM);
	EXPECT_EQ(words(PFN_TABLE)[100], pte(LOOSE, PTE_RW));
}

/* ---- tables ---- */

TEST(a_table_is_refused_for_its_first_its_last_and_any_bad_entry_and_can_then_be_given_up)
{
	static const uint32_t at[] = { 0, 1, 511, 1022, 1023 };

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++)
		for (unsigned int round = 0; round < 10; round++) {
			memset(words(LOOSE), 0, PAGE_SIZE);
			for (uint32_t k = 0; k < 1024; k += 32)
				words(LOOSE)[k] = pte(LOOSE + 1, k & 64 ? PTE_RW : 0);
			prepare(LOOSE, at[i], zero.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P);
			EXPECT_EQ(command(MMU_PIN_TABLE, g.mfn[LOOSE] << PAGE_SHIFT), -EPERM, "entry %u", at[i]);
			EXPECT_EQ(record(LOOSE)->refs, 1, "entry %u", at[i]);
			EXPECT_EQ(record(LOOSE + 1)->refs, 1, "entry %u", at[i]);
		}
	frame_pool_give_up(MFN(g.mfn[LOOSE]));
	EXPECT_EQ(record(LOOSE)->owner, OWNER_NONE);
}

TEST(a_directory_is_refused_for_its_first_its_last_and_any_bad_entry)
{
	static const struct { uint32_t at; int error; } rows[] = {
		{ 0, -EINVAL }, { 1, -EINVAL }, { 500, -EINVAL }, { 1007, -EINVAL },
		{ 1008, 0 }, { 1023, 0 },	/* the hypervisor's: it fills them */
	};

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(words(LOOSE), 0, PAGE_SIZE);
		words(LOOSE)[2] = pte(PFN_TABLE, PTE_RW);
		words(LOOSE)[1006] = pte(PFN_TABLE, 0);
		prepare(LOOSE, rows[i].at, pte(LOOSE + 1, PTE_RW | PTE_PS));
		EXPECT_EQ(command(MMU_PIN_DIRECTORY, g.mfn[LOOSE] << PAGE_SHIFT), rows[i].error, "row %u", i);
		if (rows[i].error == 0)
			EXPECT_EQ(command(MMU_UNPIN, g.mfn[LOOSE] << PAGE_SHIFT), 0, "row %u", i);
		EXPECT_EQ(record(LOOSE)->refs, 1, "row %u", i);
	}
}

TEST(a_directory_names_tables_of_any_number_of_directories)
{
	start();
	prepare(LOOSE, 7, pte(PFN_TABLE, PTE_RW));
	EXPECT_EQ(command(MMU_PIN_DIRECTORY, g.mfn[LOOSE] << PAGE_SHIFT), 0);
	EXPECT_EQ(write(g.mfn[LOOSE], 8, pte(LOOSE + 1, PTE_RW)), 0);
	EXPECT_EQ(record(LOOSE + 1)->type, FRAME_TABLE);
	EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], 8, pte(LOOSE + 1, PTE_RW)), 0);
	EXPECT_EQ(record(LOOSE + 1)->uses, 2);
	EXPECT_EQ(write(g.mfn[LOOSE], 8, 0), 0);
	EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], 8, 0), 0);
	EXPECT_EQ(record(LOOSE + 1)->refs, 1);
}

TEST(a_directory_entry_never_names_a_page)
{
	start();
	EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], 9, pte(PFN_DATA, PTE_RW)), -EBUSY);	/* it is mapped writable */
	EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], 9, zero.mfn[PFN_TABLE] << PAGE_SHIFT | PTE_P), -EPERM);
}

/* XSA-148: the same frame, the same right to write, and one bit more. */
TEST(a_directory_entry_that_stays_is_judged_for_its_other_bits)
{
	uint32_t stays;

	start();
	stays = words(PFN_DIRECTORY)[HOST_VA >> 22];
	for (unsigned int bit = 2; bit < 12; bit++) {
		bool ok = (1u << bit) & (PTE_US | PTE_A | PTE_D | PTE_AVL);

		EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], HOST_VA >> 22, stays | 1u << bit), ok ? 0 : -EINVAL, "bit %u", bit);
	}
	EXPECT_EQ(words(PFN_DIRECTORY)[HOST_VA >> 22] & (PTE_PS | PTE_G), 0);
}

TEST(the_hypervisors_slots_are_its_own)
{
	start();
	for (uint32_t slot = 1008; slot < 1024; slot++) {
		EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], slot, 0), -EPERM, "slot %u", slot);
		EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], slot, pte(PFN_TABLE, PTE_RW)), -EPERM, "slot %u", slot);
	}
	EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], 1007, pte(PFN_TABLE, PTE_RW)), 0);
	EXPECT_EQ(write(g.mfn[PFN_TABLE], 1008, pte(LOOSE, 0)), 0);	/* of a table, it is one like others */
}

/* ---- linear page tables ---- */

TEST(a_directory_may_name_itself_for_reading_in_any_slot)
{
	static const uint32_t slots[] = { 0, 1, 700, 1007 };

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(slots); i++) {
		EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], slots[i], pte(PFN_DIRECTORY, PTE_RW)), -EINVAL, "slot %u", slots[i]);
		EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], slots[i], pte(PFN_DIRECTORY, PTE_US)), 0, "slot %u", slots[i]);
		EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], slots[i], pte(PFN_DIRECTORY, PTE_US | PTE_RW)), -EINVAL, "slot %u", slots[i]);
		EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], slots[i], 0), 0, "slot %u", slots[i]);
	}
}

TEST(a_directory_that_names_itself_can_be_validated_and_released)
{
	start();
	prepare(LOOSE, 5, pte(LOOSE, 0));
	EXPECT_EQ(command(MMU_PIN_DIRECTORY, g.mfn[LOOSE] << PAGE_SHIFT), 0);
	EXPECT_EQ(record(LOOSE)->refs, 3);
	EXPECT_EQ(record(LOOSE)->uses, 1);
	EXPECT_EQ(command(MMU_UNPIN, g.mfn[LOOSE] << PAGE_SHIFT), 0);
	EXPECT_EQ(record(LOOSE)->refs, 1);
	prepare(LOOSE, 5, pte(LOOSE, PTE_RW));
	EXPECT_EQ(command(MMU_PIN_DIRECTORY, g.mfn[LOOSE] << PAGE_SHIFT), -EINVAL);
	EXPECT_EQ(command(MMU_PIN_TABLE, g.mfn[LOOSE] << PAGE_SHIFT), -EBUSY);	/* a table that maps itself writable */
}

static void pin_directory(uint32_t pfn)
{
	EXPECT_EQ(command(MMU_PIN_DIRECTORY, g.mfn[pfn] << PAGE_SHIFT), 0);
}

TEST(directories_may_map_each_other_one_step_deep)
{
	start();
	pin_directory(LOOSE);
	pin_directory(LOOSE + 1);
	pin_directory(LOOSE + 2);
	EXPECT_EQ(write(g.mfn[LOOSE], 5, pte(LOOSE + 1, PTE_RW)), -EINVAL);
	EXPECT_EQ(write(g.mfn[LOOSE], 5, pte(LOOSE + 1, 0)), 0);
	EXPECT_EQ(write(g.mfn[LOOSE + 1], 5, pte(LOOSE + 2, 0)), -EBUSY, "it is mapped itself");
	EXPECT_EQ(write(g.mfn[LOOSE + 2], 5, pte(LOOSE, 0)), -EBUSY, "that one maps others");
	EXPECT_EQ(write(g.mfn[LOOSE + 1], 5, pte(LOOSE, 0)), -EBUSY, "a loop of two");
	EXPECT_EQ(write(g.mfn[LOOSE + 2], 5, pte(LOOSE + 1, 0)), 0, "mapped by two");
	EXPECT_EQ(write(g.mfn[LOOSE], 6, pte(LOOSE + 1, 0)), 0, "twice by one");
	EXPECT_EQ(command(MMU_UNPIN, g.mfn[LOOSE + 1] << PAGE_SHIFT), 0, "still mapped");
	EXPECT_EQ(record(LOOSE + 1)->type, FRAME_DIRECTORY);
	EXPECT_EQ(record(LOOSE + 1)->uses, 3);
	EXPECT_EQ(write(g.mfn[LOOSE], 5, 0), 0);
	EXPECT_EQ(write(g.mfn[LOOSE], 6, 0), 0);
	EXPECT_EQ(write(g.mfn[LOOSE + 2], 5, 0), 0, "its last use");
	EXPECT_EQ(record(LOOSE + 1)->refs, 1);
	EXPECT_EQ(record(LOOSE)->linear, 0);
	EXPECT_EQ(record(LOOSE + 1)->linear, 0);
}

TEST(a_linear_entry_stays_read_only)
{
	start();
	pin_directory(LOOSE);
	pin_directory(LOOSE + 1);
	EXPECT_EQ(write(g.mfn[LOOSE], 5, pte(LOOSE + 1, 0)), 0);
	EXPECT_EQ(write(g.mfn[LOOSE], 5, pte(LOOSE + 1, PTE_RW)), -EINVAL);
	EXPECT_EQ(write(g.mfn[LOOSE], 5, pte(LOOSE + 1, PTE_US | PTE_A)), 0);
	EXPECT_EQ(record(LOOSE + 1)->uses, 2);
}

/* ---- batches ---- */

static int batch(const struct mmu_request *list, unsigned int n, uint32_t *done)
{
	uint32_t out = 0xffff, at = host_arg(list, n * sizeof(*list)), done_at = ARG(out);
	int err = CALL(&g, mmu_update, at, n, done_at, DOMID_SELF);

	*done = *(uint32_t *)host_arg_bytes(done_at);
	return err;
}

TEST(a_batch_says_exactly_how_many_requests_were_done)
{
	struct mmu_request list[40];
	uint32_t done;

	for (unsigned int bad = 0; bad <= 40; bad++) {
		start();
		host_after_call = NULL;
		for (unsigned int i = 0; i < 40; i++)
			list[i] = (struct mmu_request){ entry_address(g.mfn[PFN_TABLE], 100 + i), pte(LOOSE + i % 5, PTE_RW) };
		if (bad < 40)
			list[bad].value |= PTE_PS;
		EXPECT_EQ(batch(list, 40, &done), bad < 40 ? -EINVAL : 0, "bad %u", bad);
		EXPECT_EQ(done, bad, "bad %u", bad);
		for (unsigned int i = 0; i < 40; i++)
			EXPECT_EQ(words(PFN_TABLE)[100 + i] != 0, i < bad, "entry %u, bad %u", i, bad);
		audit_all();
	}
}

TEST(a_request_may_undo_what_the_next_one_relies_on)
{
	struct mmu_request list[3];
	uint32_t done;

	start();
	host_after_call = NULL;
	EXPECT_EQ(command(MMU_PIN_TABLE, g.mfn[LOOSE] << PAGE_SHIFT), 0);
	/* Unpinned, the frame is plain memory: the store goes there, and proves nothing. */
	list[0] = (struct mmu_request){ g.mfn[LOOSE] << PAGE_SHIFT | MMU_COMMAND, MMU_UNPIN };
	list[1] = (struct mmu_request){ entry_address(g.mfn[LOOSE], 3), zero.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P | PTE_RW };
	list[2] = (struct mmu_request){ g.mfn[LOOSE] << PAGE_SHIFT | MMU_COMMAND, MMU_PIN_TABLE };
	EXPECT_EQ(batch(list, 3, &done), -EPERM);
	EXPECT_EQ(done, 2);
	audit_all();
}

TEST(a_list_that_cannot_be_one_is_refused_unread)
{
	start();
	EXPECT_EQ(CALL(&g, mmu_update, 0x1000, 0x20000000, 0, DOMID_SELF), -EFAULT);	/* 2^32 bytes */
	EXPECT_EQ(CALL(&g, mmu_update, 0x1000, UINT32_MAX, 0, DOMID_SELF), -EFAULT);
	EXPECT_EQ(CALL(&g, mmu_update, 0xfbfffffc, 1, 0, DOMID_SELF), -EFAULT);
	EXPECT_EQ(CALL(&g, mmu_update, 0xfc000000, 0, 0, DOMID_SELF), 0);
	EXPECT_EQ(CALL(&g, mmu_update, 0x1000, 1, 0, DOMID_SELF), -EFAULT);
}

TEST(a_list_that_ends_in_a_hole_is_done_up_to_a_chunk_before_it_and_says_so)
{
	struct mmu_request r = { entry_address(g.mfn[PFN_TABLE], 100), 0 };
	uint32_t out = 0xffff, done_at, hole;

	start();
	host_after_call = NULL;
	done_at = ARG(out);
	r.where = entry_address(g.mfn[PFN_TABLE], 100);
	hole = host_va(LOOSE);
	for (unsigned int i = 1; i <= 34; i++)
		host_store(hole - i * sizeof(r), &r, sizeof(r));
	EXPECT_EQ(CALL(&g, mmu_update, hole - 34 * sizeof(r), 40, done_at, DOMID_SELF), -EFAULT);
	EXPECT(*(uint32_t *)host_arg_bytes(done_at) <= 34);
	audit_all();
}

TEST(a_batch_stops_when_an_interrupt_is_due_and_the_rest_can_be_asked_again)
{
	struct mmu_request list[100];
	uint32_t done;

	start();
	host_after_call = NULL;
	for (unsigned int i = 0; i < 100; i++)
		list[i] = (struct mmu_request){ entry_address(g.mfn[PFN_TABLE], 100 + i), pte(LOOSE, 0) };
	host.interrupt = true;
	EXPECT_EQ(batch(list, 100, &done), -EAGAIN);
	EXPECT(done > 0 && done < 100, "%u", done);
	EXPECT_EQ(words(PFN_TABLE)[100 + done - 1], pte(LOOSE, 0));
	EXPECT_EQ(words(PFN_TABLE)[100 + done], 0);
}

TEST(a_done_count_that_cannot_be_written_is_an_error)
{
	start();
	host_after_call = NULL;
	EXPECT_EQ(CALL(&g, mmu_update, HOST_ARGS, 0, 0xfc000000, DOMID_SELF), -EFAULT);
	EXPECT_EQ(CALL(&g, mmu_update, HOST_ARGS, 0, HOST_VA, DOMID_SELF), -EFAULT);	/* its page directory */
}

TEST(addresses_and_commands_that_do_not_exist_are_refused)
{
	start();
	EXPECT_EQ(write(120, 0, 0), -EINVAL);
	EXPECT_EQ(write(0xfffff, 1023, 0), -EINVAL);
	EXPECT_EQ(write(zero.mfn[PFN_TABLE], 0, 0), -EPERM);
	EXPECT_EQ(write(zero.d->slot_frame.n, 0, 0), -EPERM);
	EXPECT_EQ(command(6, 0), -EINVAL);
	EXPECT_EQ(command(UINT32_MAX, 0), -EINVAL);
	EXPECT_EQ(CALL(&g, mmu_update, ARG(((struct mmu_request){ 3, 0 })), 1, 0, DOMID_SELF), -EINVAL);
}

TEST(a_frame_that_is_no_table_is_written_exactly_if_the_guest_could_write_it_itself)
{
	start();
	EXPECT_EQ(write(g.mfn[LOOSE], 17, 0x00008200), 0);	/* as half of a descriptor: a system segment */
	EXPECT_EQ(words(LOOSE)[17], 0x00008200);
	EXPECT_EQ(write(g.mfn[PFN_DATA], 1023, 0x87654321), 0);
	EXPECT_EQ(frame_get_type(g.d, MFN(g.mfn[LOOSE]), FRAME_GDT), -EACCES);
	words(LOOSE)[17] = 0;
	EXPECT_EQ(frame_get_type(g.d, MFN(g.mfn[LOOSE]), FRAME_GDT), 0);
	host_after_call = NULL;
	EXPECT_EQ(write(g.mfn[LOOSE], 17, 1), -EBUSY);
	EXPECT_EQ(words(LOOSE)[17], 0);
	frame_put_type(MFN(g.mfn[LOOSE]));
}

/* ---- the M2P ---- */

static int m2p(uint32_t mfn, uint32_t pfn)
{
	const struct mmu_request r = { mfn << PAGE_SHIFT | MMU_M2P, pfn };

	return CALL(&g, mmu_update, ARG(r), 1, 0, DOMID_SELF);
}

TEST(the_m2p_is_written_for_ones_own_frames_only)
{
	start();
	EXPECT_EQ(m2p(g.mfn[LOOSE], 77), 0);
	EXPECT_EQ(machine_m2p_get(MFN(g.mfn[LOOSE])), 77);
	EXPECT_EQ(m2p(g.mfn[LOOSE], ATELIER_NO_PFN), 0);
	EXPECT_EQ(m2p(zero.mfn[PFN_DATA], 1), -EPERM);
	EXPECT_EQ(m2p(120, 1), -EINVAL);
	EXPECT_EQ(m2p(0xfffff, 1), -EINVAL);
	EXPECT_EQ(machine_m2p_get(MFN(zero.mfn[PFN_DATA])), PFN_DATA);
	for (unsigned int i = 0; i < 100; i++)		/* XSA-113: each failure must not keep a reference */
		m2p(zero.mfn[PFN_DATA], i);
	EXPECT_EQ(frame_record(MFN(zero.mfn[PFN_DATA]))->refs, 2);
}

/* ---- naming another domain ---- */

static int as(struct guest *who, uint32_t where, uint32_t value, uint32_t domain)
{
	const struct mmu_request r = { where, value };

	return CALL(who, mmu_update, ARG(r), 1, 0, domain);
}

TEST(only_domain_0_names_another_domain)
{
	uint32_t foreign = g.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P | PTE_RW;

	start();
	foreign = pte(PFN_DATA, PTE_RW);
	EXPECT_EQ(as(&g, entry_address(g.mfn[PFN_TABLE], 100), zero.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P, 0), -EPERM);
	EXPECT_EQ(as(&g, entry_address(zero.mfn[PFN_TABLE], 100), 0, 0), -EPERM);
	EXPECT_EQ(as(&g, entry_address(g.mfn[PFN_TABLE], 100), pte(LOOSE, 0), 1), 0);	/* oneself, by number */

	EXPECT_EQ(as(&zero, entry_address(zero.mfn[PFN_TABLE], 100), foreign, DOMID_SELF), -EPERM);
	EXPECT_EQ(as(&zero, entry_address(zero.mfn[PFN_TABLE], 100), foreign, 1), 0);
	EXPECT_EQ(record(PFN_DATA)->refs, 3);
	EXPECT_EQ(as(&zero, entry_address(zero.mfn[PFN_TABLE], 100), 0, DOMID_SELF), 0);
	EXPECT_EQ(as(&zero, entry_address(zero.mfn[PFN_TABLE], 100), zero.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P, 1), -EPERM);
	EXPECT_EQ(as(&zero, entry_address(zero.mfn[PFN_TABLE], 100), 0, 2), -ESRCH);
	EXPECT_EQ(as(&zero, entry_address(zero.mfn[PFN_TABLE], 100), 0, 0x80000000), -ESRCH);
}

TEST(domain_0_builds_the_tables_of_another_one)
{
	start();
	EXPECT_EQ(as(&zero, entry_address(g.mfn[LOOSE], 4), pte(LOOSE + 1, PTE_RW), 1), 0);
	EXPECT_EQ(as(&zero, g.mfn[LOOSE] << PAGE_SHIFT | MMU_COMMAND, MMU_PIN_TABLE, 1), 0);
	EXPECT_EQ(record(LOOSE + 1)->type, FRAME_WRITABLE);
	EXPECT_EQ(as(&zero, g.mfn[LOOSE] << PAGE_SHIFT | MMU_M2P, 99, 1), 0);
	EXPECT_EQ(as(&zero, g.mfn[PFN_DIRECTORY] << PAGE_SHIFT | MMU_COMMAND, MMU_NEW_BASE, 1), -EINVAL);
	EXPECT_EQ(as(&zero, g.mfn[LOOSE] << PAGE_SHIFT | MMU_COMMAND, MMU_UNPIN, 1), 0);
}

TEST(a_dying_domain_cannot_be_named)
{
	start();
	host_after_call = NULL;
	domain_kill(g.d, SHUTDOWN_crash, 0);
	EXPECT_EQ(as(&zero, entry_address(zero.mfn[PFN_TABLE], 100), pte(PFN_DATA, 0), 1), -ESRCH);
}

/* ---- pins and bases ---- */

TEST(a_pin_holds_once_and_goes_once)
{
	uint32_t address;

	start();
	address = g.mfn[LOOSE] << PAGE_SHIFT;
	EXPECT_EQ(command(MMU_UNPIN, address), -EINVAL);
	EXPECT_EQ(command(MMU_PIN_TABLE, address), 0);
	EXPECT_EQ(command(MMU_PIN_TABLE, address), -EBUSY);
	EXPECT_EQ(command(MMU_PIN_DIRECTORY, address), -EBUSY);
	EXPECT_EQ(command(MMU_UNPIN, address), 0);
	EXPECT_EQ(command(MMU_UNPIN, address), -EINVAL);
	EXPECT_EQ(record(LOOSE)->refs, 1);
}

TEST(each_error_of_a_pin_ten_times_leaves_the_frame_as_it_was)
{
	start();
	for (unsigned int i = 0; i < 10; i++) {
		EXPECT_EQ(command(MMU_PIN_TABLE, g.mfn[PFN_DATA] << PAGE_SHIFT), -EBUSY);	/* mapped writable */
		EXPECT_EQ(command(MMU_PIN_DIRECTORY, g.mfn[PFN_TABLE] << PAGE_SHIFT), -EBUSY);
		EXPECT_EQ(command(MMU_PIN_TABLE, zero.mfn[PFN_TABLE] << PAGE_SHIFT), -EPERM);
		EXPECT_EQ(command(MMU_UNPIN, zero.mfn[PFN_DIRECTORY] << PAGE_SHIFT), -EPERM);
		EXPECT_EQ(command(MMU_PIN_TABLE, 120u << PAGE_SHIFT), -EINVAL);
		EXPECT_EQ(command(MMU_UNPIN, 120u << PAGE_SHIFT), -EINVAL);
		EXPECT_EQ(command(MMU_NEW_BASE, g.mfn[PFN_TABLE] << PAGE_SHIFT), -EBUSY);
		EXPECT_EQ(command(MMU_NEW_BASE, zero.mfn[PFN_DIRECTORY] << PAGE_SHIFT), -EPERM);
	}
}

/* M8 at each seam call: the loaded directory is one in use. */
static void base_is_sound(const char *call)
{
	const struct frame *f = host.base.n == MFN_NONE.n ? NULL : frame_record(host.base);

	if (f && (f->owner == OWNER_NONE || f->type != FRAME_DIRECTORY || f->uses == 0))
		EXPECT(!"the processor runs on a directory in use", "at %s", call);
}

TEST(a_new_base_is_taken_before_the_old_one_is_left)
{
	start();
	prepare(LOOSE, HOST_VA >> 22, pte(PFN_TABLE, PTE_RW));
	prepare(LOOSE + 1, HOST_VA >> 22, pte(PFN_TABLE, PTE_RW));
	EXPECT_EQ(command(MMU_UNPIN, g.mfn[PFN_DIRECTORY] << PAGE_SHIFT), 0);
	host_after_call = NULL;		/* the auditors play with the counts */
	host.at_seam = base_is_sound;
	EXPECT_EQ(command(MMU_NEW_BASE, g.mfn[LOOSE] << PAGE_SHIFT), 0);
	EXPECT_EQ(host.base.n, g.mfn[LOOSE]);
	EXPECT_EQ(record(PFN_DIRECTORY)->uses, 0);
	EXPECT_EQ(command(MMU_NEW_BASE, g.mfn[LOOSE + 1] << PAGE_SHIFT), 0);
	EXPECT_EQ(command(MMU_NEW_BASE, g.mfn[LOOSE + 1] << PAGE_SHIFT), 0);	/* the same again */
	EXPECT_EQ(record(LOOSE + 1)->uses, 1);
	EXPECT_EQ(command(MMU_NEW_BASE, zero.mfn[PFN_DIRECTORY] << PAGE_SHIFT), -EPERM);
	EXPECT_EQ(host.base.n, g.mfn[LOOSE + 1]);
	host.at_seam = NULL;
	audit_all();
}

TEST(death_leaves_no_loaded_directory_that_is_free)
{
	start();
	host_after_call = NULL;
	host.at_seam = base_is_sound;
	domain_kill(g.d, SHUTDOWN_crash, 0);
	while (domain_reap())
		;
	EXPECT(host.base.n == MFN_NONE.n);
	EXPECT_EQ(g.d->life, LIFE_FREE);
}

TEST(death_takes_directories_that_map_each_other_and_themselves)
{
	uint32_t free_before;

	start();
	host_after_call = NULL;
	free_before = frame_pool_free_count() + FRAMES + 1;
	pin_directory(LOOSE);
	pin_directory(LOOSE + 1);
	EXPECT_EQ(write(g.mfn[LOOSE], 5, pte(LOOSE + 1, 0)), 0);
	EXPECT_EQ(write(g.mfn[LOOSE], 6, pte(LOOSE, 0)), 0);
	EXPECT_EQ(write(g.mfn[LOOSE + 1], 6, pte(LOOSE + 1, 0)), 0);
	for (uint32_t i = 0; i < 30; i++)
		EXPECT_EQ(write(g.mfn[LOOSE + 1], 20 + i, pte(LOOSE + 2 + i, PTE_RW)), 0);
	EXPECT_EQ(command(MMU_UNPIN, g.mfn[LOOSE + 1] << PAGE_SHIFT), 0);
	domain_kill(g.d, SHUTDOWN_crash, 0);
	while (domain_reap())
		audit_all();
	EXPECT_EQ(frame_pool_free_count(), free_before);
}

/* ---- bounded work ---- */

TEST(a_directory_over_too_many_new_tables_says_try_again_and_can_be_done_in_pieces)
{
	start();
	for (uint32_t i = 0; i < MMU_TABLES_A_CALL + 1; i++)
		prepare(LOOSE, 10 + i, pte(LOOSE + 1 + i, PTE_RW));
	EXPECT_EQ(command(MMU_PIN_DIRECTORY, g.mfn[LOOSE] << PAGE_SHIFT), -EAGAIN);
	EXPECT_EQ(record(LOOSE + 1)->refs, 1);
	EXPECT_EQ(command(MMU_PIN_TABLE, g.mfn[LOOSE + 1] << PAGE_SHIFT), 0);
	EXPECT_EQ(command(MMU_PIN_DIRECTORY, g.mfn[LOOSE] << PAGE_SHIFT), 0);
	EXPECT_EQ(command(MMU_UNPIN, g.mfn[LOOSE + 1] << PAGE_SHIFT), 0);
	EXPECT_EQ(command(MMU_UNPIN, g.mfn[LOOSE] << PAGE_SHIFT), -EAGAIN);
	EXPECT_EQ(write(g.mfn[LOOSE], 10, 0), 0);
	EXPECT_EQ(command(MMU_UNPIN, g.mfn[LOOSE] << PAGE_SHIFT), 0);
	EXPECT_EQ(record(LOOSE + 5)->refs, 1);
}

TEST(an_entry_whose_directory_holds_too_many_tables_is_cleared_in_pieces)
{
	start();
	pin_directory(LOOSE);
	pin_directory(LOOSE + 1);
	for (uint32_t i = 0; i < MMU_TABLES_A_CALL + 1; i++)
		EXPECT_EQ(write(g.mfn[LOOSE + 1], 10 + i, pte(LOOSE + 2 + i, PTE_RW)), 0);
	EXPECT_EQ(write(g.mfn[LOOSE], 5, pte(LOOSE + 1, 0)), 0);
	EXPECT_EQ(command(MMU_UNPIN, g.mfn[LOOSE + 1] << PAGE_SHIFT), 0);
	EXPECT_EQ(write(g.mfn[LOOSE], 5, 0), -EAGAIN);
	EXPECT_EQ(write(g.mfn[LOOSE + 1], 10, 0), 0);
	EXPECT_EQ(write(g.mfn[LOOSE], 5, 0), 0);
	EXPECT_EQ(record(LOOSE + 1)->refs, 1);
}

TEST(a_base_that_holds_too_many_tables_is_left_in_pieces)
{
	uint32_t first;

	start();
	first = g.mfn[PFN_DIRECTORY] << PAGE_SHIFT;
	prepare(LOOSE, HOST_VA >> 22, pte(PFN_TABLE, PTE_RW));
	pin_directory(LOOSE);
	for (uint32_t i = 0; i < MMU_TABLES_A_CALL + 1; i++)
		EXPECT_EQ(write(g.mfn[LOOSE], 10 + i, pte(LOOSE + 2 + i, PTE_RW)), 0);
	EXPECT_EQ(command(MMU_NEW_BASE, g.mfn[LOOSE] << PAGE_SHIFT), 0);
	EXPECT_EQ(command(MMU_UNPIN, g.mfn[LOOSE] << PAGE_SHIFT), 0);
	EXPECT_EQ(command(MMU_NEW_BASE, first), -EAGAIN);
	EXPECT_EQ(command(MMU_NEW_BASE, g.mfn[LOOSE] << PAGE_SHIFT), 0, "the same again releases nothing");
	EXPECT_EQ(write(g.mfn[LOOSE], 10, 0), 0);
	EXPECT_EQ(command(MMU_NEW_BASE, first), 0);
	EXPECT_EQ(record(LOOSE)->refs, 1);
}

/* Tables that are mapped to be read, between two looks for interrupts. */
static struct {
	unsigned int now, most;
} reads;

static void count_reads(const char *call)
{
	if (strcmp(call, "machine_interrupt_due") == 0)
		reads.now = 0;
	else if (strcmp(call, "machine_map_frame") == 0)
		reads.most = MAX(reads.most, ++reads.now);
}

TEST(a_batch_looks_for_interrupts_before_it_has_read_many_tables)
{
	const uint32_t one = LOOSE, other = LOOSE + 1, tables = LOOSE + 2;
	struct mmu_request list[40];
	uint32_t done;

	start();
	words(one)[HOST_VA >> 22] = words(other)[HOST_VA >> 22] = pte(PFN_TABLE, PTE_RW);
	for (uint32_t i = 0; i < MMU_TABLES_A_CALL; i++) {
		words(one)[10 + i] = pte(tables + i, PTE_RW);
		words(other)[10 + i] = pte(tables + MMU_TABLES_A_CALL + i, PTE_RW);
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = (struct mmu_request){ g.mfn[i % 2 ? other : one] << PAGE_SHIFT | MMU_COMMAND, MMU_NEW_BASE };
	host_after_call = NULL;
	host.at_seam = count_reads;
	EXPECT_EQ(batch(list, ARRAY_SIZE(list), &done), 0);
	host.at_seam = NULL;
	EXPECT_EQ(done, ARRAY_SIZE(list));
	/* Of one request: each table once, the directory beside each that is released, and the two directories' own. */
	EXPECT(reads.most <= 4 * MMU_TABLES_A_CALL + 8 + 8, "%u tables", reads.most);
	host.interrupt = true;
	EXPECT_EQ(batch(list, ARRAY_SIZE(list), &done), -EAGAIN);
	EXPECT_EQ(done, 1);
	audit_all();
}

TEST(the_auditor_sees_an_entry_that_no_guest_may_have)
{
	start();
	EXPECT(paging_check());
	words(PFN_TABLE)[900] = pte(LOOSE, PTE_G);
	EXPECT(!paging_check());
	words(PFN_TABLE)[900] = 0;
	words(PFN_DIRECTORY)[1010] ^= 0x1000;
	EXPECT(!paging_check());
	EXPECT(audit());
}

TEST(the_same_table_in_two_slots_is_one_table_of_work)
{
	start();
	for (uint32_t i = 0; i < 2 * MMU_TABLES_A_CALL; i++)
		prepare(LOOSE, 10 + i, pte(LOOSE + 1 + i / 2, PTE_RW));
	EXPECT_EQ(command(MMU_PIN_DIRECTORY, g.mfn[LOOSE] << PAGE_SHIFT), 0);
	EXPECT_EQ(command(MMU_UNPIN, g.mfn[LOOSE] << PAGE_SHIFT), 0);
	EXPECT_EQ(record(LOOSE + 1)->refs, 1);
}

/* ---- update_va_mapping ---- */

static int update_va(uint32_t va, uint32_t value, uint32_t flags)
{
	return CALL(&g, update_va_mapping, va, value, flags, DOMID_SELF);
}

TEST(update_va_mapping_writes_the_entry_and_flushes_as_asked)
{
	start();
	host.flushes = host.page_flushes = 0;
	EXPECT_EQ(update_va(host_va(200) + 0x123, pte(LOOSE, PTE_RW), UVM_NONE), 0);
	EXPECT_EQ(words(PFN_TABLE)[200], pte(LOOSE, PTE_RW));
	EXPECT_EQ(host.flushes + host.page_flushes, 0);
	EXPECT_EQ(update_va(host_va(200), pte(LOOSE, 0), UVM_INVLPG), 0);
	EXPECT_EQ(host.page_flushes, 1);
	EXPECT_EQ(host.last_flushed_page, host_va(200));
	EXPECT_EQ(update_va(host_va(200), 0, UVM_FLUSH), 0);
	EXPECT_EQ(host.flushes, 1);
	EXPECT_EQ(update_va(host_va(200), 0, UVM_FLUSH | UVM_INVLPG), 0);
	EXPECT_EQ(host.flushes, 2);
}

TEST(update_va_mapping_refuses_what_has_no_table_or_no_right)
{
	start();
	EXPECT_EQ(update_va(0xfc000000, 0, 0), -EINVAL);
	EXPECT_EQ(update_va(0xffffffff, 0, 0), -EINVAL);
	EXPECT_EQ(update_va(host_va(5), 0, 4), -EINVAL);
	EXPECT_EQ(update_va(host_va(5), 0, UINT32_MAX), -EINVAL);
	EXPECT_EQ(update_va(0x1000, 0, 0), -EFAULT);
	EXPECT_EQ(update_va(0xfbfff000, 0, 0), -EFAULT);
	EXPECT_EQ(update_va(host_va(200), pte(PFN_TABLE, PTE_RW), 0), -EBUSY);
	EXPECT_EQ(update_va(host_va(200), zero.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P, 0), -EPERM);
	EXPECT_EQ(update_va(host_va(200), pte(LOOSE, PTE_G), 0), -EINVAL);
	EXPECT_EQ(CALL(&g, update_va_mapping, host_va(200), 0, 0, 0), -EPERM);
}

/* Domain 0 may map another's table whole; that one's own directory may name it, too. */
TEST(update_va_mapping_keeps_domain_0s_frames_out_of_anothers_table)
{
	uint32_t slot = host_va(0) / (PAGE_SIZE * TABLE_ENTRIES) + 1, va = slot * PAGE_SIZE * TABLE_ENTRIES + 200 * PAGE_SIZE, own;

	start();
	own = zero.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P;
	EXPECT_EQ(as(&zero, entry_address(zero.mfn[PFN_DIRECTORY], slot), pte(PFN_TABLE, PTE_RW), 1), 0);
	EXPECT_EQ(CALL(&zero, update_va_mapping, va, own, 0, DOMID_SELF), -EPERM);
	EXPECT_EQ(words(PFN_TABLE)[200], 0);
	EXPECT_EQ(CALL(&zero, update_va_mapping, va, own, 0, 1), -EPERM);
	EXPECT_EQ(CALL(&zero, update_va_mapping, va, pte(LOOSE, 0), 0, 1), 0);
	EXPECT_EQ(words(PFN_TABLE)[200], pte(LOOSE, 0));
}

TEST(update_va_mapping_does_not_write_a_directory_through_a_linear_map)
{
	start();
	EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], 5, pte(PFN_DIRECTORY, 0)), 0);
	EXPECT_EQ(update_va(5u << 22 | 7u << 12, pte(LOOSE, PTE_RW), 0), -EFAULT);
}

/* ---- the TLB ---- */

TEST(a_flush_that_is_asked_for_is_done_once_a_batch)
{
	struct mmu_request list[3] = {
		{ MMU_COMMAND, MMU_FLUSH }, { MMU_COMMAND, MMU_FLUSH }, { host_va(4) | MMU_COMMAND, MMU_INVLPG },
	};
	uint32_t done;

	start();
	host.flushes = 0;
	EXPECT_EQ(batch(list, 3, &done), 0);
	EXPECT_EQ(host.flushes, 1);
	EXPECT_EQ(host.page_flushes, 1);
	EXPECT_EQ(host.last_flushed_page, host_va(4));
	EXPECT_EQ(command(MMU_INVLPG, 0xfc000000), -EINVAL);
}

TEST(a_flush_that_is_asked_for_is_done_though_the_batch_stops_early)
{
	struct mmu_request list[40];
	uint32_t done;

	start();
	host_after_call = NULL;
	for (unsigned int i = 0; i < ARRAY_SIZE(list); i++)
		list[i] = (struct mmu_request){ entry_address(g.mfn[PFN_TABLE], 100 + i), 0 };
	list[0] = (struct mmu_request){ MMU_COMMAND, MMU_FLUSH };
	host.flushes = 0;
	host.interrupt = true;
	EXPECT_EQ(batch(list, ARRAY_SIZE(list), &done), -EAGAIN);
	EXPECT_EQ(host.flushes, 1);
	list[1].where = 3;
	EXPECT_EQ(batch(list, ARRAY_SIZE(list), &done), -EINVAL);
	EXPECT_EQ(host.flushes, 2);
}

TEST(a_stale_address_cannot_write_what_has_become_a_table)
{
	start();
	EXPECT_EQ(update_va(host_va(200), pte(LOOSE, PTE_RW), 0), 0);
	EXPECT_EQ(update_va(host_va(200), 0, UVM_NONE), 0);
	EXPECT(tlb_model_store(host_va(200), 0), "the processor still remembers it");
	EXPECT_EQ(command(MMU_PIN_TABLE, g.mfn[LOOSE] << PAGE_SHIFT), 0);
	EXPECT(!tlb_model_store(host_va(200), zero.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P | PTE_RW));
}

TEST(a_stale_walk_cannot_use_what_has_become_writable)
{
	uint32_t slot = 300;

	start();
	EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], slot, pte(LOOSE, PTE_RW)), 0);
	EXPECT_EQ(write(g.mfn[PFN_DIRECTORY], slot, 0), 0);
	EXPECT_EQ(update_va(host_va(200), pte(LOOSE, PTE_RW), 0), 0);
	words(LOOSE)[9] = zero.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P | PTE_RW;
	tlb_model_fill();
	EXPECT(!tlb_model_store(slot << 22 | 9u << 12, 0xdead));
	EXPECT(!audit());
}

/* ---- in general ---- */

static uint32_t pick(void)
{
	return random();
}

static uint32_t random_value(void)
{
	static const uint32_t flags[] = { 0, PTE_RW, PTE_RW | PTE_US, PTE_US, PTE_A | PTE_D, PTE_PS, PTE_G, PTE_PCD };

	if (pick() % 4 == 0)
		return 0;
	if (pick() % 16 == 0)
		return zero.mfn[pick() % 20] << PAGE_SHIFT | PTE_P | (pick() % 2 ? PTE_RW : 0);
	return pte(pick() % 2 ? LOOSE + pick() % 6 : pick() % 8, flags[pick() % 8]);
}

static void random_request(void)
{
	uint32_t pfn = pick() % 3 ? LOOSE + pick() % 6 : pick() % 8, mfn = g.mfn[pfn];
	uint32_t slot = pick() % 3 + (pick() % 4 ? 0 : 1006);

	switch (pick() % 8) {
	case 0 ... 3:
		write(mfn, slot, random_value());
		break;
	case 4:
		command(pick() % 4, mfn << PAGE_SHIFT);
		break;
	case 5:
		update_va((slot << 22) | (pick() % 4) << 12, random_value(), pick() % 3);
		break;
	case 6:
		tlb_model_store((slot << 22) | (pick() % 4) << 12 | 4 * (pick() % 4), random_value());
		audit_all();
		state_take(before);
		break;
	case 7:
		command(pick() % 6, host_va(pick() % 10));
		break;
	}
}

TEST(after_any_requests_the_counts_are_those_of_the_tables)
{
	for (unsigned int seed = 1; seed <= 5; seed++) {
		srandom(seed);
		start();
		for (unsigned int i = 0; i < 2000; i++)
			random_request();
	}
}
