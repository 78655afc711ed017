// SPDX-License-Identifier: MIT
#include "crash.h"
#include <string.h>
#include "host/domains.h"
#include "unit/test.h"

static struct guest zero, g;

static void start(void)
{
	host_start(64);
	zero = host_domain(4);
	g = host_domain(4);
	host_enter(&g);
	host_output_clear();
}

TEST(a_domain_that_crashes_is_named_with_the_reason_once)
{
	start();
	crash_domain(g.d, "because of %d", 7);
	EXPECT_EQ(g.d->life, LIFE_DYING);
	EXPECT(strstr(host_output(NULL), "domain 1 (guest) dies: because of 7"));
	host_output_clear();
	crash_domain(g.d, "again");
	EXPECT_TEXT(host_output(NULL), "");
	EXPECT_EQ(zero.d->life, LIFE_OPEN);
}

static void crash_zero(void *unused)
{
	crash_domain(zero.d, "gone");
}

TEST(domain_0_takes_the_machine_with_it)
{
	struct host_end end;

	start();
	end = host_run(crash_zero, NULL);
	EXPECT(end.stopped);
	EXPECT_EQ(end.how, END_CRASH);
	EXPECT(strstr(host_output(NULL), "gone"));
}

static void fail_an_assertion(void *unused)
{
	int two = 2;

	ASSERT(two == 3);
}

TEST(an_assertion_says_where_and_for_whom)
{
	struct host_end end;

	start();
	crash_context.call = 17;
	end = host_run(fail_an_assertion, NULL);
	EXPECT_EQ(end.how, END_CRASH);
	EXPECT(strstr(host_output(NULL), "crash_test.c"));
	EXPECT(strstr(host_output(NULL), "two == 3"));
	EXPECT(strstr(host_output(NULL), "for domain 1 (guest), call 17"));
}

static void crash_with_registers(void *unused)
{
	struct regs r = { .eip = 0xfc123456, .eax = 0x13579bdf, .vector = 14 };

	crash_machine(&r, "page fault in ring 0");
}

TEST(a_fault_in_ring_0_is_reported_with_its_registers)
{
	start();
	EXPECT(host_run(crash_with_registers, NULL).stopped);
	EXPECT(strstr(host_output(NULL), "fc123456"));
	EXPECT(strstr(host_output(NULL), "13579bdf"));
}

TEST(a_very_long_reason_is_cut)
{
	char reason[1000];

	memset(reason, 'r', sizeof(reason));
	reason[999] = '\0';
	start();
	crash_domain(g.d, "%s", reason);
	EXPECT(strlen(host_output(NULL)) < 900);
}
