// SPDX-License-Identifier: MIT
#include "segmentation.h"
#include <string.h>
#include "public/ring.h"
#include "unit/test.h"
#include "vfr.h"

#define HEADERS	66u		/* Ethernet, IP, TCP with time stamps */

static uint8_t large[VIF_LARGE_MAX];
static struct segmentation s;

static uint32_t get(const uint8_t *at, unsigned int n)
{
	uint32_t value = 0;

	while (n-- > 0)
		value = value << 8 | *at++;
	return value;
}

static void put(uint8_t *at, uint32_t value, unsigned int n)
{
	while (n-- > 0)
		at[n] = value, value >>= 8;
}

/* RFC 1071, byte by byte. */
static uint32_t sum_of(const uint8_t *bytes, uint32_t n, uint32_t total)
{
	for (uint32_t i = 0; i < n; i++)
		total += bytes[i] << (i % 2 ? 0 : 8);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

static void make(uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		large[i] = i * 7 + i / 256;
	put(large + 12, 0x0800, 2);
	large[14] = 0x45;
	put(large + 16, length - 14, 2);
	put(large + 18, 0xfffe, 2);
	put(large + 20, 0x4000, 2);
	large[23] = 6;
	put(large + 38, 0xffffff00, 4);
	large[46] = 8 << 4;
	large[47] = 0x19;		/* ACK, PSH, FIN */
}

static int plan(uint32_t length, uint32_t segment)
{
	return segmentation_plan(&s, large, MIN(length, VFR_HEADER), length, segment);
}

TEST(a_packet_is_cut_where_its_segments_end)
{
	make(HEADERS + 3000);
	EXPECT_EQ(plan(HEADERS + 3000, 1448), 0);
	EXPECT_EQ(s.count, 3);
	EXPECT_EQ(s.payload, HEADERS);
	EXPECT_EQ(segmentation_size(&s, 0), 1448);
	EXPECT_EQ(segmentation_size(&s, 2), 104);
	EXPECT_EQ(segmentation_from(&s, 2), HEADERS + 2896);
	EXPECT_EQ(segmentation_bytes(&s), 3 * HEADERS + 3000);
	make(HEADERS + 2896);
	EXPECT_EQ(plan(HEADERS + 2896, 1448), 0);
	EXPECT_EQ(s.count, 2);
	EXPECT_EQ(segmentation_size(&s, 1), 1448);
	make(HEADERS + 1);
	EXPECT_EQ(plan(HEADERS + 1, 1448), 0);
	EXPECT_EQ(s.count, 1);
}

/* What is wrong is one number at one place. */
TEST(what_cannot_be_cut_is_refused)
{
	static const struct {
		uint32_t at, bytes, value;
		const char *why;
	} bad[] = {
		{ 12, 2, 0x0806, "not IP" },
		{ 14, 1, 0x65, "not version 4" },
		{ 14, 1, 0x44, "a header that is shorter than any" },
		{ 14, 1, 0x4f, "options up to where TCP does not fit any more" },
		{ 16, 2, 2985, "a length of its own that is not the packet's" },
		{ 20, 2, 0x2000, "the first fragment" },
		{ 20, 2, 1, "a later fragment" },
		{ 23, 1, 17, "UDP" },
		{ 46, 1, 4 << 4, "a header of TCP's that is shorter than any" },
		{ 46, 1, 12 << 4, "options beyond what was copied" },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		make(3000);
		EXPECT_EQ(plan(3000, 1000), 0);
		put(large + bad[i].at, bad[i].value, bad[i].bytes);
		EXPECT_EQ(plan(3000, 1000), -EINVAL, "%s", bad[i].why);
	}
}

TEST(segments_have_bounds)
{
	make(HEADERS);
	EXPECT_EQ(plan(HEADERS, 1000), -EINVAL);
	make(53);
	EXPECT_EQ(plan(53, 1000), -EINVAL);
	make(3000);
	EXPECT_EQ(plan(3000, 0), -EINVAL);
	EXPECT_EQ(plan(3000, VFR_HEADER - 1), -EINVAL);
	EXPECT_EQ(plan(3000, VFR_HEADER), 0);
	EXPECT_EQ(plan(3000, VIF_PACKET_MAX - HEADERS), 0);
	EXPECT_EQ(plan(3000, VIF_PACKET_MAX - HEADERS + 1), -EINVAL);
	make(HEADERS + VIF_SEGMENTS * 200);
	EXPECT_EQ(plan(HEADERS + VIF_SEGMENTS * 200, 200), 0);
	make(HEADERS + VIF_SEGMENTS * 200 + 1);
	EXPECT_EQ(plan(HEADERS + VIF_SEGMENTS * 200 + 1, 200), -EINVAL);
}

TEST(each_packet_has_headers_of_its_own)
{
	uint8_t now[VIF_PACKET_MAX];

	make(HEADERS + 3001);
	EXPECT_EQ(plan(HEADERS + 3001, 1000), 0);
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t size = i < 3 ? 1000 : 1, total;

		segmentation_header(&s, i, large, now);
		memcpy(now + HEADERS, large + segmentation_from(&s, i), size);
		EXPECT(memcmp(now, large, 16) == 0);
		EXPECT_EQ(get(now + 16, 2), HEADERS - 14 + size, "packet %u", i);
		EXPECT_EQ(get(now + 18, 2), (0xfffe + i) & 0xffff);
		EXPECT_EQ(sum_of(now + 14, 20, 0), 0xffff, "packet %u", i);
		EXPECT_EQ(get(now + 38, 4), 0xffffff00 + i * 1000);
		EXPECT_EQ(now[47], i < 3 ? 0x10 : 0x19, "packet %u", i);
		EXPECT(memcmp(now + 52, large + 52, HEADERS - 52) == 0);
		/* As with VIF_TX_CSUM: what follows added up, and turned, it is right. */
		total = sum_of(now + 34, HEADERS - 34 + size, 0);
		put(now + 50, ~total, 2);
		EXPECT_EQ(sum_of(now + 26, HEADERS - 26 + size, 6 + HEADERS - 34 + size), 0xffff, "packet %u", i);
	}
}

TEST(pieces_are_taken_off_one_after_the_other)
{
	struct machine_piece pieces[] = { { MFN(5), 100, 50 }, { MFN(6), 0, 4096 }, { MFN(7), 10, 1 } };
	struct machine_piece *left = pieces, to[4];

	EXPECT_EQ(segmentation_take(&left, 0, to), 0);
	EXPECT_EQ(segmentation_take(&left, 20, to), 1);
	EXPECT(to[0].frame.n == 5 && to[0].offset == 100 && to[0].length == 20);
	EXPECT_EQ(segmentation_take(&left, 31, to), 2);
	EXPECT(to[0].frame.n == 5 && to[0].offset == 120 && to[0].length == 30);
	EXPECT(to[1].frame.n == 6 && to[1].offset == 0 && to[1].length == 1);
	EXPECT_EQ(segmentation_take(&left, 4096, to), 2);
	EXPECT(to[0].frame.n == 6 && to[0].offset == 1 && to[0].length == 4095);
	EXPECT(to[1].frame.n == 7 && to[1].offset == 10 && to[1].length == 1);
	EXPECT(left == pieces + 3);
}
