/* SPDX-License-Identifier: MIT */
/*
 * Unit tests: TEST(a_name_that_is_a_sentence) { ... } in X_test.c for src/X.c.
 *
 * Each test runs in a process of its own. A failed EXPECT is reported and the test goes on.
 */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#include "lib/types.h"

struct test {
	const char *file, *name;
	void (*run)(void);
	struct test *next;
};
void test_add(struct test *t);

#define TEST(sentence)								\
	static void sentence(void);						\
	static struct test test_##sentence = { __FILE__, #sentence, sentence, NULL };	\
	__attribute__((constructor)) static void add_##sentence(void)		\
	{									\
		test_add(&test_##sentence);					\
	}									\
	static void sentence(void)

void test_fail(const char *file, int line, const char *what, const char *format, ...) PRINTF_LIKE(4, 5);
void test_differ(const char *file, int line, const char *what, long long seen, long long wanted,
		 const char *format, ...) PRINTF_LIKE(6, 7);

/* Compares integers; more arguments are a printf format that says which row it was. */
#define EXPECT_EQ(seen, wanted, ...)						\
	do {									\
		long long seen_ = (long long)(seen), wanted_ = (long long)(wanted);	\
		if (seen_ != wanted_)						\
			test_differ(__FILE__, __LINE__, #seen, seen_, wanted_, " " __VA_ARGS__);	\
	} while (0)

#define EXPECT(condition, ...)							\
	do {									\
		if (!(condition))						\
			test_fail(__FILE__, __LINE__, #condition, " " __VA_ARGS__);	\
	} while (0)

/* The text that a test printed, against what it should be. */
#define EXPECT_TEXT(seen, wanted)						\
	do {									\
		const char *seen_ = (seen), *wanted_ = (wanted);		\
		if (__builtin_strcmp(seen_, wanted_) != 0)			\
			test_fail(__FILE__, __LINE__, #seen, "it says \"%s\", not \"%s\"", seen_, wanted_);	\
	} while (0)

#endif
