// SPDX-License-Identifier: MIT
#include "extent.h"
#include "unit/test.h"

#define RW	(DISK_READ | DISK_WRITE)

/* Virtual 0-9 and 10-19 lie apart on disk 1, the second read-only; 20-29 is a hole. */
static const struct extent_table table = { 3, {
	{ { 0 },  { 1, { 500 }, 10 }, RW },
	{ { 10 }, { 1, { 100 }, 10 }, DISK_READ },
	{ { 30 }, { 2, { 0 },   10 }, RW },
} };

static int resolve(const struct extent_table *t, uint32_t first, uint32_t count, unsigned int need,
		   struct rrun *out, unsigned int max)
{
	return extent_resolve(t, (struct vrun){ { first }, count }, need, out, max);
}

static void expect_run(struct rrun seen, uint32_t disk, uint32_t first, uint32_t count)
{
	EXPECT_EQ(seen.disk, disk);
	EXPECT_EQ(seen.first.n, first);
	EXPECT_EQ(seen.count, count);
}

/* ---- extent_resolve() ---- */

TEST(a_run_within_an_extent_is_moved_as_it_is)
{
	struct rrun out[4];

	EXPECT_EQ(resolve(&table, 0, 10, RW, out, 4), 1);
	expect_run(out[0], 1, 500, 10);
	EXPECT_EQ(resolve(&table, 3, 5, DISK_WRITE, out, 4), 1);
	expect_run(out[0], 1, 503, 5);
	EXPECT_EQ(resolve(&table, 39, 1, DISK_WRITE, out, 1), 1);
	expect_run(out[0], 2, 9, 1);
}

TEST(a_run_over_a_border_becomes_two_in_order)
{
	struct rrun out[4];

	EXPECT_EQ(resolve(&table, 7, 8, DISK_READ, out, 2), 2);
	expect_run(out[0], 1, 507, 3);
	expect_run(out[1], 1, 100, 5);
}

TEST(any_number_of_extents_may_lie_under_one_run)
{
	struct extent_table t = { 0 };
	struct rrun out[EXTENTS];

	for (uint32_t i = 0; i < EXTENTS; i++)
		EXPECT_EQ(extent_add(&t, (struct rrun){ i % 3, { 1000 - 10 * i }, 1 }, DISK_READ), 0);
	EXPECT_EQ(resolve(&t, 0, EXTENTS, DISK_READ, out, EXTENTS), EXTENTS);
	for (uint32_t i = 0; i < EXTENTS; i++)
		expect_run(out[i], i % 3, 1000 - 10 * i, 1);
}

TEST(what_the_table_forbids_is_refused)
{
	static const struct { uint32_t first, count; unsigned int need, max; int error; } bad[] = {
		{ 0,          0,          DISK_READ,  4, -EINVAL },	/* nothing asked */
		{ UINT32_MAX, 2,          DISK_READ,  4, -EINVAL },	/* end wraps to 1 */
		{ 5,          UINT32_MAX, DISK_READ,  4, -EINVAL },	/* end wraps to 4 */
		{ 1,          UINT32_MAX, DISK_READ,  4, -EINVAL },	/* end wraps to 0 */
		{ 0,          UINT32_MAX, DISK_READ,  4, -ENXIO },	/* ends at the last number, and holds nothing there */
		{ 19,         2,          DISK_READ,  4, -ENXIO },	/* into the hole */
		{ 20,         1,          DISK_READ,  4, -ENXIO },	/* the hole */
		{ 29,         2,          DISK_READ,  4, -ENXIO },	/* out of the hole */
		{ 40,         1,          DISK_READ,  4, -ENXIO },	/* behind the end */
		{ 39,         2,          DISK_READ,  4, -ENXIO },	/* over the end */
		{ 10,         1,          DISK_WRITE, 4, -EACCES },	/* read-only */
		{ 9,          2,          DISK_WRITE, 4, -EACCES },	/* second half read-only */
		{ 9,          2,          DISK_READ,  1, -E2BIG },
		{ 0,          1,          DISK_READ,  0, -E2BIG },
	};
	struct rrun out[4];

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(resolve(&table, bad[i].first, bad[i].count, bad[i].need, out, bad[i].max),
			  bad[i].error, "row %u", i);
}

TEST(an_empty_table_holds_nothing)
{
	const struct extent_table none = { 0 };
	struct rrun out[1];

	EXPECT_EQ(resolve(&none, 0, 1, DISK_READ, out, 1), -ENXIO);
	EXPECT_EQ(extent_end(&none), 0);
}

TEST(the_last_sectors_that_have_numbers_can_be_had)
{
	const struct extent_table t = { 1, { { { UINT32_MAX - 8 }, { 0, { 8 }, 8 }, RW } } };
	struct rrun out[1];

	EXPECT(extent_check(&t));
	EXPECT_EQ(resolve(&t, UINT32_MAX - 1, 1, RW, out, 1), 1);
	expect_run(out[0], 0, 15, 1);
	EXPECT_EQ(resolve(&t, UINT32_MAX, 1, RW, out, 1), -EINVAL);
}

/* ---- the table ---- */

TEST(extents_are_appended_and_the_last_one_is_removed)
{
	struct extent_table t = { 0 };

	EXPECT_EQ(extent_add(&t, (struct rrun){ 0, { 90 }, 10 }, RW), 0);
	EXPECT_EQ(extent_add(&t, (struct rrun){ 0, { 10 }, 5 }, DISK_READ), 0);
	EXPECT_EQ(t.count, 2);
	EXPECT_EQ(t.extents[1].first.n, 10);
	EXPECT_EQ(extent_end(&t), 15);
	EXPECT_EQ(extent_remove(&t), 0);
	EXPECT_EQ(extent_end(&t), 10);
	EXPECT_EQ(extent_remove(&t), 0);
	EXPECT_EQ(extent_remove(&t), -ENODEV);
	EXPECT_EQ(extent_end(&t), 0);
}

TEST(an_extent_that_cannot_be_is_refused_and_changes_nothing)
{
	static const struct { uint32_t first, count; unsigned int rights; } bad[] = {
		{ 5,          0,               RW },			/* no sectors */
		{ UINT32_MAX, 1,               RW },			/* the real end overflows */
		{ 2,          UINT32_MAX - 1,  RW },
		{ 0,          UINT32_MAX - 9,  RW },			/* the virtual end overflows */
		{ 5,          5,               0 },			/* no rights */
		{ 5,          5,               DISK_SHARED },
		{ 5,          5,               RW | 8 },		/* a right that is none */
		{ 5,          5,               UINT32_MAX },
	};
	struct extent_table t = { 0 };

	EXPECT_EQ(extent_add(&t, (struct rrun){ 0, { 0 }, 10 }, RW), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(extent_add(&t, (struct rrun){ 0, { bad[i].first }, bad[i].count }, bad[i].rights), -EINVAL, "row %u", i);
		EXPECT_EQ(t.count, 1, "row %u", i);
	}
	EXPECT_EQ(extent_add(&t, (struct rrun){ 0, { 0 }, UINT32_MAX - 10 }, RW), 0);
	EXPECT(extent_check(&t));
}

TEST(a_full_table_says_so)
{
	struct extent_table t = { 0 };

	for (uint32_t i = 0; i < EXTENTS; i++)
		EXPECT_EQ(extent_add(&t, (struct rrun){ 0, { i }, 1 }, RW), 0);
	EXPECT_EQ(extent_add(&t, (struct rrun){ 0, { 100 }, 1 }, RW), -ENOSPC);
	EXPECT_EQ(t.count, EXTENTS);
}

/* ---- conflicts ---- */

TEST(sectors_that_one_may_write_are_nobody_elses)
{
	static const struct { unsigned int have, want; bool conflict; } rows[] = {
		{ DISK_READ,               DISK_READ,               false },
		{ DISK_READ,               RW,                      true },
		{ DISK_READ,               DISK_WRITE,              true },
		{ RW,                      DISK_READ,               true },
		{ RW,                      RW,                      true },
		{ DISK_READ | DISK_SHARED, RW,                      false },	/* the reader was told */
		{ RW,                      DISK_READ | DISK_SHARED, false },
		{ RW | DISK_SHARED,        DISK_READ,               true },	/* the writer was, the reader not */
		{ DISK_READ,               RW | DISK_SHARED,        true },
		{ RW | DISK_SHARED,        RW,                      true },
		{ RW | DISK_SHARED,        RW | DISK_SHARED,        false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct extent_table t = { 1, { { { 0 }, { 1, { 10 }, 10 }, rows[i].have } } };

		EXPECT_EQ(extent_conflict(&t, (struct rrun){ 1, { 15 }, 1 }, rows[i].want), rows[i].conflict, "row %u", i);
	}
}

TEST(a_conflict_needs_a_sector_in_common)
{
	static const struct { uint32_t disk, first, count; bool conflict; } rows[] = {
		{ 1, 500, 10, true },
		{ 1, 509, 1,  true },
		{ 1, 510, 1,  false },
		{ 1, 499, 1,  false },
		{ 1, 499, 2,  true },
		{ 1, 490, 50, true },
		{ 0, 500, 10, false },
		{ 2, 9,   1,  true },
		{ 2, 10,  1,  false },
		{ 1, 110, 390, false },
		{ 1, 110, 391, true },
		{ 1, 0, UINT32_MAX, true },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_EQ(extent_conflict(&table, (struct rrun){ rows[i].disk, { rows[i].first }, rows[i].count }, RW),
			  rows[i].conflict, "row %u", i);
}

TEST(the_auditor_sees_a_table_that_is_wrong)
{
	static const struct extent_table bad[] = {
		{ EXTENTS + 1, { { { 0 }, { 0, { 0 }, 1 }, RW } } },
		{ 1, { { { 0 }, { 0, { 0 }, 0 }, RW } } },
		{ 2, { { { 5 }, { 0, { 0 }, 5 }, RW }, { { 9 }, { 0, { 9 }, 1 }, RW } } },
		{ 2, { { { 5 }, { 0, { 0 }, 5 }, RW }, { { 0 }, { 0, { 9 }, 1 }, RW } } },
		{ 1, { { { UINT32_MAX }, { 0, { 0 }, 1 }, RW } } },
		{ 1, { { { 0 }, { 0, { UINT32_MAX }, 1 }, RW } } },
	};

	EXPECT(extent_check(&table));
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT(!extent_check(&bad[i]), "row %u", i);
}
