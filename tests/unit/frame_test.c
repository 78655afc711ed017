// SPDX-License-Identifier: MIT
#include "frame.h"
#include <string.h>
#include "host/audit.h"
#include "host/domains.h"
#include "unit/test.h"

static struct guest zero, g;

static void start(void)
{
	host_start(64);
	zero = host_domain(4);
	g = host_domain(20);
	host_enter(&g);
}

static mfn_t data(unsigned int i)
{
	return MFN(g.mfn[PFN_DATA + i]);
}

/* A frame that nothing maps. */
static mfn_t loose(unsigned int i)
{
	const struct mmu_request r = { g.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * (PFN_DATA + i), 0 };

	EXPECT_EQ(CALL(&g, mmu_update, ARG(r), 1, 0, DOMID_SELF), 0);
	return data(i);
}

/* ---- references ---- */

TEST(only_existing_frames_of_ones_own_can_be_referred_to)
{
	struct { uint32_t mfn; int error; } rows[] = {
		{ 0, 0 }, { 0, -EPERM }, { 0, -EPERM }, { 64, -EINVAL }, { 65, -EINVAL },
		{ 0xfffff, -EINVAL }, { 0x40000000, -EINVAL }, { UINT32_MAX, -EINVAL },
	};
	struct frame *free_frame = NULL;

	start();
	rows[0].mfn = data(0).n;
	rows[1].mfn = zero.mfn[PFN_DATA];
	for (uint32_t i = 0; i < 64; i++)
		if (frame_record(MFN(i))->owner == OWNER_NONE) {
			free_frame = frame_record(MFN(i));
			rows[2].mfn = i;
		}
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(frame_get(g.d, MFN(rows[i].mfn)), rows[i].error, "row %u", i);
		EXPECT_EQ(frame_get_type(g.d, MFN(rows[i].mfn), FRAME_WRITABLE), rows[i].error, "row %u", i);
	}
	EXPECT_EQ(free_frame->refs, 0);
	EXPECT(!frame_record(MFN(64)));
	frame_put(data(0));
	frame_put_type(data(0));
	audit_all();
}

TEST(a_frame_of_the_hypervisors_is_nobodys)
{
	start();
	EXPECT_EQ(frame_get(g.d, g.d->slot_frame), -EPERM);
	EXPECT_EQ(frame_get(zero.d, g.d->slot_frame), -EPERM);
}

TEST(a_count_that_is_full_refuses_and_stays)
{
	struct frame *f;

	start();
	f = frame_record(data(0));
	while (frame_get(g.d, data(0)) == 0)
		if (f->refs > FRAME_COUNT_MAX)
			break;
	EXPECT_EQ(f->refs, FRAME_COUNT_MAX);
	EXPECT_EQ(frame_get(g.d, data(0)), -EBUSY);
	EXPECT_EQ(frame_get_type(g.d, data(0), FRAME_WRITABLE), -EBUSY);
	EXPECT_EQ(f->refs, FRAME_COUNT_MAX);
	EXPECT_EQ(f->uses, 1);
}

TEST(the_last_reference_frees_the_frame)
{
	uint32_t free_before;
	mfn_t mfn;

	start();
	mfn = loose(0);
	free_before = frame_pool_free_count();
	EXPECT_EQ(frame_get(g.d, mfn), 0);
	frame_pool_give_up(mfn);
	EXPECT_EQ(frame_record(mfn)->owner, g.d->id);
	EXPECT_EQ(frame_pool_free_count(), free_before);
	frame_put(mfn);
	EXPECT_EQ(frame_record(mfn)->owner, OWNER_NONE);
	EXPECT_EQ(frame_pool_free_count(), free_before + 1);
	EXPECT_EQ(machine_m2p_get(mfn), ATELIER_NO_PFN);
	audit_all();
}

/* ---- types ---- */

/* A class that does what a test wants. */
static struct {
	int answer;
	unsigned int validated, released;
	void (*meanwhile)(mfn_t mfn), (*in_release)(mfn_t mfn);
} class;

static int validate(struct domain *d, mfn_t mfn)
{
	class.validated++;
	if (class.meanwhile)
		class.meanwhile(mfn);
	return class.answer;
}

static void release(mfn_t mfn)
{
	class.released++;
	if (class.in_release)
		class.in_release(mfn);
}

static void use_own_class(enum frame_type type)
{
	static const struct frame_class own = { validate, release };

	memset(&class, 0, sizeof(class));
	frame_register_class(type, &own);
}

TEST(contents_are_validated_at_the_first_use_and_released_after_the_last)
{
	start();
	use_own_class(FRAME_LDT);
	EXPECT_EQ(frame_get_type(g.d, loose(0), FRAME_LDT), 0);
	EXPECT_EQ(frame_get_type(g.d, data(0), FRAME_LDT), 0);
	EXPECT_EQ(class.validated, 1);
	EXPECT(frame_is(data(0), FRAME_LDT));
	frame_put_type(data(0));
	EXPECT_EQ(class.released, 0);
	EXPECT(frame_is(data(0), FRAME_LDT));
	frame_put_type(data(0));
	EXPECT_EQ(class.released, 1);
	EXPECT(!frame_is(data(0), FRAME_LDT));
	EXPECT_EQ(frame_get_type(g.d, data(0), FRAME_LDT), 0);
	EXPECT_EQ(class.validated, 2, "trusted contents end with the last use");
	frame_put_type(data(0));
	audit_all();
}

TEST(a_type_lingers_but_only_uses_forbid_another_one)
{
	start();
	use_own_class(FRAME_LDT);
	EXPECT_EQ(frame_get_type(g.d, loose(0), FRAME_LDT), 0);
	EXPECT_EQ(frame_get_type(g.d, data(0), FRAME_WRITABLE), -EBUSY);
	frame_put_type(data(0));
	EXPECT_EQ(frame_get_type(g.d, data(0), FRAME_WRITABLE), 0);
	EXPECT_EQ(frame_get_type(g.d, data(0), FRAME_LDT), -EBUSY);
	frame_put_type(data(0));
	audit_all();
}

TEST(every_type_excludes_every_other_one_in_use)
{
	for (enum frame_type a = FRAME_WRITABLE; a < FRAME_TYPES; a++)
		for (enum frame_type b = FRAME_WRITABLE; b < FRAME_TYPES; b++) {
			mfn_t mfn;

			start();
			mfn = loose(0);
			EXPECT_EQ(frame_get_type(g.d, mfn, a), 0, "type %d", a);
			EXPECT_EQ(frame_get_type(g.d, mfn, b), a == b ? 0 : -EBUSY, "type %d after %d", b, a);
			EXPECT_EQ(frame_record(mfn)->uses, a == b ? 2 : 1, "type %d after %d", b, a);
			EXPECT_EQ(frame_record(mfn)->type, a, "type %d after %d", b, a);
		}
}

TEST(a_refusal_leaves_all_counts_as_they_were)
{
	struct frame before, after;

	start();
	use_own_class(FRAME_LDT);
	class.answer = -EACCES;
	loose(0);
	before = *frame_record(data(0));
	EXPECT_EQ(frame_get_type(g.d, data(0), FRAME_LDT), -EACCES);
	after = *frame_record(data(0));
	EXPECT_EQ(after.refs, before.refs);
	EXPECT_EQ(after.uses, before.uses);
	EXPECT_EQ(after.valid, 0);
	EXPECT_EQ(after.busy, 0);
	EXPECT_EQ(class.released, 0);
	EXPECT_EQ(frame_get_type(g.d, data(0), FRAME_WRITABLE), 0);
}

static int answers[FRAME_TYPES];

static void take_as_anything(mfn_t mfn)
{
	for (enum frame_type t = FRAME_WRITABLE; t < FRAME_TYPES; t++)
		answers[t] = frame_get_type(g.d, mfn, t);
}

TEST(a_frame_that_is_being_released_is_of_no_use_to_anybody)
{
	start();
	use_own_class(FRAME_LDT);
	EXPECT_EQ(frame_get_type(g.d, loose(0), FRAME_LDT), 0);
	class.in_release = take_as_anything;
	frame_put_type(data(0));
	for (enum frame_type t = FRAME_WRITABLE; t < FRAME_TYPES; t++)
		EXPECT_EQ(answers[t], -EBUSY, "as type %d", t);
	audit_all();
}

TEST(a_type_without_a_class_is_refused)
{
	start();
	frame_register_class(FRAME_LDT, NULL);
	EXPECT_EQ(frame_get_type(g.d, loose(0), FRAME_LDT), -EINVAL);
	EXPECT_EQ(frame_get_type(g.d, data(0), FRAME_NONE), -EINVAL);
	EXPECT_EQ(frame_record(data(0))->refs, 1);
}

static int inside[3];

static void try_again(mfn_t mfn)
{
	if (class.validated > 1)
		return;
	inside[0] = frame_get_type(g.d, mfn, FRAME_LDT);
	inside[1] = frame_get_type(g.d, mfn, FRAME_WRITABLE);
	inside[2] = frame_is(mfn, FRAME_LDT);
}

TEST(a_frame_that_is_being_validated_is_of_no_use_yet)
{
	start();
	use_own_class(FRAME_LDT);
	class.meanwhile = try_again;
	EXPECT_EQ(frame_get_type(g.d, loose(0), FRAME_LDT), 0);
	EXPECT_EQ(inside[0], -EBUSY);
	EXPECT_EQ(inside[1], -EBUSY);
	EXPECT_EQ(inside[2], false);
	EXPECT_EQ(frame_record(data(0))->uses, 1);
	EXPECT_EQ(class.validated, 1);
}

static void drop_reservation(mfn_t mfn)
{
	frame_pool_give_up(mfn);
}

TEST(a_frame_given_up_while_it_is_validated_goes_when_its_last_use_does)
{
	for (int answer = 0; answer >= -1; answer--) {
		uint32_t free_before;
		mfn_t mfn;

		start();
		use_own_class(FRAME_LDT);
		mfn = loose(0);
		free_before = frame_pool_free_count();
		class.meanwhile = drop_reservation;
		class.answer = answer;
		EXPECT_EQ(frame_get_type(g.d, mfn, FRAME_LDT), answer);
		if (answer == 0) {
			EXPECT_EQ(frame_pool_free_count(), free_before);
			frame_put_type(mfn);
		}
		EXPECT_EQ(frame_pool_free_count(), free_before + 1, "answer %d", answer);
		audit_all();
	}
}

/* ---- the flush before a type changes ---- */

TEST(a_type_change_settles_what_the_old_mapping_left_and_nothing_is_flushed_twice)
{
	unsigned int flushes;

	start();
	loose(0);
	loose(1);
	flushes = host.flushes;
	EXPECT_EQ(frame_get_type(g.d, data(0), FRAME_TABLE), 0);
	EXPECT_EQ(host.flushes, flushes + 1);
	EXPECT_EQ(frame_get_type(g.d, data(1), FRAME_TABLE), 0);
	EXPECT_EQ(host.flushes, flushes + 1, "one flush served both");
}

TEST(a_table_that_becomes_writable_is_flushed_because_it_may_still_be_walked)
{
	unsigned int flushes;

	start();
	loose(0);
	EXPECT_EQ(frame_get_type(g.d, data(0), FRAME_TABLE), 0);
	frame_put_type(data(0));
	flushes = host.flushes;
	EXPECT_EQ(frame_get_type(g.d, data(0), FRAME_WRITABLE), 0);
	EXPECT_EQ(host.flushes, flushes + 1);
}

/* ---- the auditor itself ---- */

TEST(the_auditor_sees_each_kind_of_wrong_count)
{
	static const struct { const char *what; size_t offset; int change; } rows[] = {
		{ "one reference too many", offsetof(struct frame, refs), 1 },
		{ "one too few", offsetof(struct frame, refs), -1 },
		{ "one use too many", offsetof(struct frame, uses), 1 },
		{ "one too few", offsetof(struct frame, uses), -1 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t *count;

		start();
		EXPECT(frame_check());
		EXPECT(!audit());
		count = (uint32_t *)((char *)frame_record(data(2)) + rows[i].offset);
		*count += rows[i].change;
		EXPECT(!frame_check(), "%s", rows[i].what);
		EXPECT(audit(), "%s", rows[i].what);
	}
}

TEST(the_auditor_leaves_the_counts_as_they_were)
{
	struct frame before[64];

	start();
	memcpy(before, frame_record(MFN(0)), sizeof(before));
	EXPECT(frame_check());
	EXPECT_EQ(memcmp(before, frame_record(MFN(0)), sizeof(before)), 0);
}
