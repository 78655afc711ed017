// SPDX-License-Identifier: MIT
#include "console.h"
#include <string.h>
#include "host/domains.h"
#include "unit/test.h"

static struct guest zero, other;

static void start(void)
{
	host_start(64);
	zero = host_domain(6);
	other = host_domain(6);
	host_enter(&zero);
	host_output_clear();
}

static void emit(struct guest *g, const char *text)
{
	console_emit(g ? g->d : NULL, text, strlen(text));
}

TEST(domain_0_prints_as_it_is_and_others_with_their_number_before_each_line)
{
	start();
	emit(&zero, "a\nb\n");
	emit(&other, "c\nd\n");
	EXPECT_TEXT(host_output(NULL), "a\nb\n(1) c\n(1) d\n");
}

TEST(a_line_may_come_in_pieces)
{
	start();
	emit(&other, "on");
	emit(&other, "");
	emit(&other, "e\n");
	EXPECT_TEXT(host_output(NULL), "(1) one\n");
}

TEST(who_speaks_into_an_unfinished_line_begins_a_new_one)
{
	start();
	emit(&other, "half");
	emit(&zero, "whole\n");
	emit(&other, "rest\n");
	EXPECT_TEXT(host_output(NULL), "(1) half\r\nwhole\n(1) rest\n");
}

TEST(the_hypervisors_own_lines_say_so)
{
	start();
	console_printf("%d pages\n", 7);
	EXPECT_TEXT(host_output(NULL), "(atelier) 7 pages\r\n");
}

TEST(lines_that_guests_cause_are_limited_in_rate_and_the_rest_is_counted)
{
	unsigned int lines = 0;

	start();
	for (unsigned int i = 0; i < 1000; i++)
		console_guest_printf("x\n");
	for (const char *s = host_output(NULL); (s = strchr(s, '\n')); s++)
		lines++;
	EXPECT_EQ(lines, CONSOLE_GUEST_LINES);
	host_output_clear();
	host.now += CONSOLE_GUEST_PERIOD;
	console_guest_printf("y\n");
	EXPECT_TEXT(host_output(NULL), "(atelier) 984 lines about guests were left out\r\n(atelier) y\r\n");
}

/* ---- reading ---- */

static void type(const char *text)
{
	while (*text)
		console_input(*text++);
}

TEST(what_is_typed_is_read_in_order_and_raises_the_virtual_interrupt)
{
	struct event_channel_op bind = { .op = EVENT_bind_virq, .virq = VIRQ_CONSOLE };
	char bytes[64] = { 0 };
	uint32_t at = ARG(bytes), port_at;
	const struct event_channel_op *bound;

	start();
	port_at = ARG(bind);
	bound = host_arg_bytes(port_at);
	EXPECT_EQ(CALL(&zero, event_channel_op, port_at), 0);
	EXPECT_EQ(CALL(&zero, console_read, at, 10), 0);
	type("hello");
	EXPECT_EQ(zero.d->shared->pending[0], 1u << bound->port);
	EXPECT_EQ(CALL(&zero, console_read, at, 3), 3);
	EXPECT_EQ(memcmp(host_arg_bytes(at), "hel", 3), 0);
	EXPECT_EQ(CALL(&zero, console_read, at, 64), 2);
	EXPECT_EQ(memcmp(host_arg_bytes(at), "lo", 2), 0);
	EXPECT_EQ(CALL(&zero, console_read, at, 64), 0);
}

TEST(nothing_is_lost_when_the_buffer_cannot_be_written)
{
	uint32_t at = host_arg("12345678", 8);

	start();
	type("ab");
	EXPECT_EQ(CALL(&zero, console_read, 0x1000, 2), -EFAULT);
	EXPECT_EQ(CALL(&zero, console_read, 0xfc000000, 2), -EFAULT);
	EXPECT_EQ(CALL(&zero, console_read, at, 8), 2);
	EXPECT_EQ(memcmp(host_arg_bytes(at), "ab345678", 8), 0);
}

TEST(only_domain_0_reads)
{
	start();
	type("secret");
	EXPECT_EQ(CALL(&other, console_read, HOST_ARGS, 8), -EPERM);
}

TEST(input_beyond_the_buffer_is_lost_and_what_was_there_is_not)
{
	unsigned int read = 0, n;
	char first = 0;

	start();
	for (unsigned int i = 0; i < 5000; i++)
		console_input('a' + i % 26);
	do {
		n = CALL(&zero, console_read, HOST_ARGS, 64);
		for (unsigned int i = 0; i < n; i++) {
			first = ((char *)host_arg_bytes(HOST_ARGS))[i];
			EXPECT_EQ(first, 'a' + (read + i) % 26, "byte %u", read + i);
		}
		read += n;
	} while (n > 0);
	EXPECT(read >= 512 && read < 5000, "%u bytes", read);
}
