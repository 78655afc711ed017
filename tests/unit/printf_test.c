// SPDX-License-Identifier: MIT
#include "lib/printf.h"
#include <string.h>
#include "unit/test.h"

static char out[64];

#define FORMAT(...)	format_string(out, sizeof(out), __VA_ARGS__)

TEST(each_conversion_prints_what_the_c_standard_says)
{
	FORMAT("%d %i %u %x", -5, 7, 4000000000u, 0xbeefu);
	EXPECT_TEXT(out, "-5 7 4000000000 beef");
	FORMAT("%c%s%%", 'a', "bc");
	EXPECT_TEXT(out, "abc%");
	FORMAT("%d %lld", INT32_MIN, (long long)INT64_MIN);
	EXPECT_TEXT(out, "-2147483648 -9223372036854775808");
	FORMAT("%llu %llx", (unsigned long long)UINT64_MAX, 0x123456789abcull);
	EXPECT_TEXT(out, "18446744073709551615 123456789abc");
	FORMAT("%lu %zu", 7ul, (size_t)8);
	EXPECT_TEXT(out, "7 8");
	FORMAT("%p", (void *)0x10);
	EXPECT_TEXT(out, "10");
	FORMAT("%u|%x|%d", 0u, 0u, 0);
	EXPECT_TEXT(out, "0|0|0");
}

TEST(a_width_fills_with_blanks_or_zeros_on_the_side_that_was_asked)
{
	FORMAT("[%5d][%-5d][%05x][%3s][%-3s]", 42, 42, 0xabu, "x", "y");
	EXPECT_TEXT(out, "[   42][42   ][000ab][  x][y  ]");
	FORMAT("[%2d]", 12345);
	EXPECT_TEXT(out, "[12345]");
}

TEST(a_precision_cuts_a_string_that_need_not_end)
{
	static const char three[3] = { 'a', 'b', 'c' };

	FORMAT("[%.3s][%.0s][%5.2s]", three, three, three);
	EXPECT_TEXT(out, "[abc][][   ab]");
}

TEST(a_missing_string_is_said_to_be_missing)
{
	const char *volatile none = NULL;	/* hidden from the compiler, which warns */

	FORMAT("%s", none);
	EXPECT_TEXT(out, "(null)");
}

TEST(a_buffer_that_is_too_small_holds_the_beginning_and_the_whole_length_is_told)
{
	char small[4];

	memset(small, 'x', sizeof(small));
	EXPECT_EQ(format_string(small, sizeof(small), "%s", "abcdef"), 6);
	EXPECT_TEXT(small, "abc");
	memset(small, 'x', sizeof(small));
	EXPECT_EQ(format_string(small, 0, "%s", "abc"), 3);
	EXPECT_EQ(small[0], 'x');
	EXPECT_EQ(format_string(small, 1, "%s", "abc"), 3);
	EXPECT_EQ(small[0], '\0');
}
