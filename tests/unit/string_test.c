// SPDX-License-Identifier: MIT
#include "lib/string.h"
#include "unit/test.h"

TEST(a_string_copy_always_ends)
{
	char to[4] = "xyz";

	string_copy(to, "abcdef", sizeof(to));
	EXPECT_TEXT(to, "abc");
	string_copy(to, "a", sizeof(to));
	EXPECT_TEXT(to, "a");
	string_copy(to, "abc", 1);
	EXPECT_TEXT(to, "");
}

TEST(a_number_is_read_with_its_unit_and_refused_if_it_does_not_fit)
{
	static const struct { const char *text; bool ok; uint32_t value; const char *rest; } rows[] = {
		{ "0",		true,	0,		"" },
		{ "12 x",	true,	12,		" x" },
		{ "0x1F",	true,	31,		"" },
		{ "0xff,",	true,	255,		"," },
		{ "4K",		true,	4096,		"" },
		{ "64m",	true,	64u << 20,	"" },
		{ "3G",		true,	3u << 30,	"" },
		{ "4G",		false,	0,		"4G" },		/* 2^32 */
		{ "4294967295",	true,	UINT32_MAX,	"" },
		{ "4294967296",	false,	0,		"4294967296" },
		{ "99999999999999999999", false, 0,	"99999999999999999999" },
		{ "4194304K",	false,	0,		"4194304K" },	/* 2^32 by its unit */
		{ "",		false,	0,		"" },
		{ "x",		false,	0,		"x" },
		{ "0x",		false,	0,		"0x" },
		{ "-1",		false,	0,		"-1" },
		{ "1Q",		true,	1,		"Q" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *s = rows[i].text;
		uint32_t value = 0;

		EXPECT_EQ(string_number(&s, &value), rows[i].ok, "row %u", i);
		EXPECT_EQ(value, rows[i].value, "row %u", i);
		EXPECT_TEXT(s, rows[i].rest);
	}
}

TEST(bytes_are_pairs_of_hexadecimal_digits_and_nothing_else)
{
	static const struct { const char *text; bool ok; } rows[] = {
		{ "00fA9c",	true },
		{ "00fA9c x",	true },
		{ "",		false },
		{ "00fA9",	false },
		{ "00fA9 c",	false },
		{ "00fA9c0",	false },	/* a digit more */
		{ "00fA9c,",	false },
		{ "00fA9g",	false },
		{ "00f:9c",	false },	/* behind the nine */
		{ "0x00fA9c",	false },
		{ "00-A9c",	false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[4] = { 1, 1, 1, 1 };

		EXPECT_EQ(string_bytes(rows[i].text, bytes, 3), rows[i].ok, "row %u", i);
		EXPECT_EQ(bytes[3], 1, "row %u", i);
		if (rows[i].ok)
			EXPECT(bytes[0] == 0 && bytes[1] == 0xfa && bytes[2] == 0x9c, "row %u", i);
	}
}

TEST(an_option_is_found_as_a_whole_word)
{
	const char *line = "kernel dom0_mem=64M  audit=on x=";

	EXPECT_TEXT(string_option(line, "dom0_mem"), "64M  audit=on x=");
	EXPECT_TEXT(string_option(line, "audit"), "on x=");
	EXPECT_TEXT(string_option(line, "x"), "");
	EXPECT_EQ(string_option(line, "mem") == NULL, true);	/* the end of another word */
	EXPECT_EQ(string_option(line, "dom0") == NULL, true);	/* its beginning */
	EXPECT_EQ(string_option(line, "kernel") == NULL, true);	/* no = */
	EXPECT_EQ(string_option("", "a") == NULL, true);
}

TEST(a_keyword_is_the_first_word_behind_its_last_slash)
{
	EXPECT(string_keyword("disk", "disk"));
	EXPECT(string_keyword("disk seed=7", "disk"));
	EXPECT(string_keyword("/boot/1/disk depth=4 path=/a/b", "disk"));
	EXPECT(!string_keyword("disks", "disk"));
	EXPECT(!string_keyword("dis", "disk"));
	EXPECT(!string_keyword("my-disk", "disk"));
	EXPECT(!string_keyword("/disk/kernel", "disk"));
	EXPECT(!string_keyword("kernel disk", "disk"));
	EXPECT(!string_keyword("", "disk"));
}
