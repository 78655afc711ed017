// SPDX-License-Identifier: MIT
#include "guest_copy.h"
#include "host/domains.h"
#include "unit/test.h"
#include <string.h>

#define LINE	0xfc000000u

TEST(a_range_is_fine_exactly_if_all_its_bytes_lie_below_the_line)
{
	static const struct { uint32_t addr, n; bool ok; } rows[] = {
		{ 0,		0,		true },
		{ 0,		1,		true },
		{ 0,		LINE,		true },		/* all of it */
		{ 0,		LINE + 1,	false },
		{ 0,		UINT32_MAX,	false },
		{ LINE - 1,	1,		true },		/* the last byte */
		{ LINE - 1,	2,		false },
		{ LINE - 1,	0,		true },
		{ LINE,		0,		true },		/* nothing, at the line itself */
		{ LINE,		1,		false },
		{ LINE + 1,	0,		false },
		{ UINT32_MAX,	0,		false },
		{ UINT32_MAX,	1,		false },	/* the end wraps to 0 */
		{ LINE - 4,	UINT32_MAX,	false },	/* ... to below the start */
		{ 0x1000,	LINE - 0x1000,	true },
		{ 0x1000,	LINE - 0xfff,	false },
		{ 0x80000000u,	0x80000000u,	false },	/* the end wraps to exactly 0 */
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_EQ(guest_range_ok(GUEST_ADDR(rows[i].addr), rows[i].n), rows[i].ok, "row %u", i);
}

TEST(an_array_is_fine_exactly_if_the_product_is_and_it_may_be_more_than_32_bits)
{
	static const struct { uint32_t addr, count, size; bool ok; } rows[] = {
		{ 0,		0,		8,		true },
		{ LINE,		0,		8,		true },
		{ LINE + 1,	0,		8,		false },
		{ LINE,		8,		0,		true },
		{ LINE - 8,	1,		8,		true },
		{ LINE - 8,	2,		8,		false },
		{ LINE - 15,	2,		8,		false },	/* a byte too many */
		{ LINE - 16,	2,		8,		true },
		{ 0x1000,	0x20000000u,	8,		false },	/* the product is 2^32: 0 in 32 bits */
		{ 0x1000,	0x20000001u,	8,		false },	/* ... and here 8 */
		{ 0x1000,	UINT32_MAX,	UINT32_MAX,	false },	/* ... and here 1 */
		{ 0,		LINE,		1,		true },
		{ 0,		1,		LINE,		true },
		{ 0,		LINE / 8,	8,		true },
		{ 0,		LINE / 8 + 1,	8,		false },
		{ UINT32_MAX,	1,		1,		false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_EQ(guest_array_ok(GUEST_ADDR(rows[i].addr), rows[i].count, rows[i].size),
			  rows[i].ok, "row %u", i);
}

/* Pages of the domain: data 0 writable, data 1 writable, data 2 read-only, then a hole. */
static struct guest make_guest(void)
{
	struct guest g;
	uint32_t *table;

	host_start(64);
	g = host_domain(8);
	host_enter(&g);
	table = host_frame(g.mfn[PFN_TABLE]);
	table[PFN_DATA + 2] &= ~PTE_RW;
	for (uint32_t pfn = PFN_DATA; pfn < PFN_DATA + 3; pfn++)
		memset(host_frame(g.mfn[pfn]), 0x10 * pfn, PAGE_SIZE);
	table[PFN_DATA + 3] = 0;
	return g;
}

#define WRITABLE_END	host_va(PFN_DATA + 2)	/* read-only from here on */
#define READABLE_END	host_va(PFN_DATA + 3)	/* nothing from here on */

TEST(a_copy_goes_across_pages_and_says_that_nothing_is_missing)
{
	uint8_t bytes[64], back[64];

	make_guest();
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = i + 1;
	EXPECT_EQ(copy_to_guest(GUEST_ADDR(WRITABLE_END - PAGE_SIZE - 20), bytes, sizeof(bytes)), 0);
	EXPECT_EQ(copy_from_guest(back, GUEST_ADDR(WRITABLE_END - PAGE_SIZE - 20), sizeof(back)), 0);
	EXPECT_EQ(memcmp(bytes, back, sizeof(bytes)), 0);
}

TEST(a_copy_from_a_guest_stops_at_a_hole_and_leaves_zeros)
{
	uint8_t bytes[32];

	make_guest();
	for (unsigned int before = 0; before <= sizeof(bytes); before++) {
		memset(bytes, 0xaa, sizeof(bytes));
		EXPECT_EQ(copy_from_guest(bytes, GUEST_ADDR(READABLE_END - before), sizeof(bytes)),
			  sizeof(bytes) - before, "%u bytes before the hole", before);
		for (unsigned int i = 0; i < sizeof(bytes); i++)
			EXPECT_EQ(bytes[i], i < before ? 0x10 * (PFN_DATA + 2) : 0, "byte %u of %u", i, before);
	}
}

TEST(a_copy_to_a_guest_stops_at_a_read_only_page)
{
	static const uint8_t bytes[32] = { [0 ... 31] = 0xcc };
	struct guest g = make_guest();
	const uint8_t *last = (uint8_t *)host_frame(g.mfn[PFN_DATA + 1]) + PAGE_SIZE;
	const uint8_t *ro = host_frame(g.mfn[PFN_DATA + 2]);

	EXPECT_EQ(copy_to_guest(GUEST_ADDR(WRITABLE_END - 5), bytes, sizeof(bytes)), sizeof(bytes) - 5);
	EXPECT_EQ(last[-5], 0xcc);
	EXPECT_EQ(last[-6], 0x10 * (PFN_DATA + 1));
	EXPECT_EQ(ro[0], 0x10 * (PFN_DATA + 2));
	EXPECT_EQ(copy_to_guest(GUEST_ADDR(WRITABLE_END), bytes, sizeof(bytes)), sizeof(bytes));
}

TEST(a_range_that_is_not_the_guests_is_not_touched_at_all)
{
	static const struct { uint32_t addr, n; } rows[] = {
		{ LINE - 4, 8 },		/* starts below, ends above */
		{ LINE, 4 },
		{ 0xffffffff, 4 },		/* wraps */
		{ 0xfc400000, 4 },
	};
	uint8_t bytes[8];

	make_guest();
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(bytes, 0xaa, sizeof(bytes));
		EXPECT_EQ(copy_from_guest(bytes, GUEST_ADDR(rows[i].addr), rows[i].n), rows[i].n, "row %u", i);
		for (unsigned int b = 0; b < rows[i].n; b++)
			EXPECT_EQ(bytes[b], 0, "row %u byte %u", i, b);
		EXPECT_EQ(copy_to_guest(GUEST_ADDR(rows[i].addr), bytes, rows[i].n), rows[i].n, "row %u", i);
	}
}

TEST(a_fault_resumes_where_its_own_row_says_and_nowhere_else)
{
	size_t count;
	const struct machine_fixup *rows = machine_fixups(&count);

	EXPECT(count > 1);
	for (size_t i = 0; i < count; i++)
		EXPECT_EQ(guest_fixup(rows[i].fault), rows[i].resume, "row %zu", i);
	EXPECT_EQ(guest_fixup(rows[0].fault + 1), 0);
	EXPECT_EQ(guest_fixup(0), 0);
	EXPECT_EQ(guest_fixup(rows[0].resume), 0);
}
