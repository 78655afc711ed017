// SPDX-License-Identifier: MIT
#include "console_ring.h"
#include <string.h>
#include "console.h"
#include "host/audit.h"
#include "host/domains.h"
#include "unit/test.h"

#define PFN_RING	PFN_DATA

static struct guest zero, one, two;
static uint32_t port, virq;
static uint32_t buffer;		/* domain 0's, in its arguments */

static struct event_channel_op channel(struct guest *g, struct event_channel_op op)
{
	uint32_t at = ARG(op);

	EXPECT_EQ(CALL(g, event_channel_op, at), 0);
	return *(struct event_channel_op *)host_arg_bytes(at);
}

static int ring(struct guest *g, uint32_t op)
{
	struct ring_op o = { op, RING_CONSOLE, 0, g->mfn[PFN_RING], port, 0 };
	int err = CALL(g, ring_op, ARG(o));

	audit_all();
	return err;
}

static struct ring_header *header(struct guest *g)
{
	return host_frame(g->mfn[PFN_RING]);
}

static struct console_slot *slot(struct guest *g, uint32_t index)
{
	return (struct console_slot *)(header(g) + 1) + index % CONSOLE_SLOTS;
}

static void open_ring(struct guest *g)
{
	EXPECT_EQ(ring(g, RING_register), 0);
	header(g)->req_prod = RING_START;
	header(g)->rsp_event = RING_START + 1;
}

static void start(void)
{
	char room[4096] = { 0 };

	host_start(64);
	zero = host_domain(6);
	one = host_domain(6);
	two = host_domain(6);
	buffer = ARG(room);
	virq = channel(&zero, (struct event_channel_op){ .op = EVENT_bind_virq, .virq = VIRQ_CONSOLE }).port;
	port = channel(&one, (struct event_channel_op){ .op = EVENT_alloc_unbound }).port;
	channel(&two, (struct event_channel_op){ .op = EVENT_alloc_unbound });
	open_ring(&one);
	open_ring(&two);
	host_enter(&zero);
}

/* A request on the ring, without a kick; more than 60 bytes are claimed and not there. */
static void post(struct guest *g, uint32_t id, const char *bytes, uint32_t n)
{
	struct console_slot *s = slot(g, header(g)->req_prod);

	s->id = id;
	s->count = n;
	memcpy(s->data, bytes, MIN(n, strlen(bytes)));
	header(g)->req_prod++;
}

static void say(struct guest *g, uint32_t id, const char *text)
{
	post(g, id, text, strlen(text));
	EXPECT_EQ(ring(g, RING_kick), 0);
}

/* Responses so far. */
static uint32_t answers(struct guest *g)
{
	return header(g)->rsp_prod - RING_START;
}

static int control(struct guest *who, uint32_t domain, uint32_t at, uint32_t size, uint32_t flags)
{
	struct control_op op = {
		.interface = ATELIER_INTERFACE, .op = CONTROL_console, .domain = domain,
		.u.console = { .buffer = at, .size = size, .flags = flags },
	};
	uint32_t arg = ARG(op);
	int err = CALL(who, control_op, arg);

	audit_all();
	return err ? err : (int)((struct control_op *)host_arg_bytes(arg))->u.console.count;
}

/* What domain 0 reads of @g's console, up to @size bytes at once; good until the next call. */
static const char *heard(struct guest *g, uint32_t size)
{
	static char text[4097];
	int n = control(&zero, g->d->id, buffer, size, 0);

	EXPECT(n >= 0);
	memcpy(text, host_arg_bytes(buffer), MAX(n, 0));
	text[MAX(n, 0)] = '\0';
	return text;
}

static int type(struct guest *g, const char *text)
{
	return control(&zero, g->d->id, host_arg(text, strlen(text)), strlen(text), 1);
}

static bool told(struct guest *g, uint32_t which)
{
	bool yes = g->d->shared->pending[which / 32] >> which % 32 & 1;

	g->d->shared->pending[which / 32] &= ~(1u << which % 32);
	return yes;
}

/* ---- out ---- */

TEST(what_a_domain_writes_comes_to_domain_0_and_is_answered_when_it_has_come)
{
	start();
	say(&one, 7, "hello ");
	say(&one, 8, "world");
	EXPECT(told(&zero, virq));
	EXPECT_EQ(answers(&one), 0);
	EXPECT_TEXT(heard(&one, 3), "hel");
	EXPECT_EQ(answers(&one), 0);
	EXPECT_TEXT(heard(&one, 4), "lo w");
	EXPECT_EQ(answers(&one), 1);
	EXPECT(told(&one, port));
	EXPECT_EQ(slot(&one, RING_START)->id, 7);
	EXPECT_EQ(slot(&one, RING_START)->count, 6);
	EXPECT_TEXT(heard(&one, 4096), "orld");
	EXPECT_EQ(answers(&one), 2);
	EXPECT_EQ(slot(&one, RING_START + 1)->id, 8);
	EXPECT_TEXT(heard(&one, 4096), "");
}

TEST(bytes_of_two_domains_are_never_mixed)
{
	start();
	say(&one, 1, "one ");
	say(&two, 1, "two ");
	say(&one, 2, "eins");
	say(&two, 2, "zwei");
	EXPECT_TEXT(heard(&two, 4096), "two zwei");
	EXPECT_TEXT(heard(&one, 4096), "one eins");
	type(&two, "2");
	type(&one, "1");
	post(&one, 3, "", 0);
	post(&two, 3, "", 0);
	ring(&two, RING_kick);
	ring(&one, RING_kick);
	EXPECT_EQ(slot(&one, RING_START + 2)->data[0], '1');
	EXPECT_EQ(slot(&two, RING_START + 2)->data[0], '2');
}

TEST(a_claim_of_more_bytes_than_a_slot_has_is_answered_with_none)
{
	start();
	post(&one, 5, "x", 61);
	post(&one, 6, "y", 0xffff);
	ring(&one, RING_kick);
	EXPECT_EQ(answers(&one), 2);
	EXPECT_EQ(slot(&one, RING_START)->id, 5);
	EXPECT_EQ(slot(&one, RING_START)->count, 0);
	EXPECT_EQ(slot(&one, RING_START + 1)->count, 0);
	EXPECT_TEXT(heard(&one, 4096), "");
}

TEST(a_full_slot_goes_out_whole)
{
	char text[61];

	start();
	memset(text, 'a', 60);
	text[60] = '\0';
	say(&one, 1, text);
	EXPECT_TEXT(heard(&one, 4096), text);
}

/* Domain 0 does not look: the domain gets no slot back, and nothing but its own writing stops. */
TEST(who_is_not_read_waits_and_goes_on_without_a_kick)
{
	start();
	for (uint32_t i = 0; i < CONSOLE_SLOTS; i++)
		say(&one, i, "x");
	EXPECT_EQ(answers(&one), 0);
	say(&two, 1, "still here");
	EXPECT_TEXT(heard(&two, 4096), "still here");
	EXPECT_EQ(strlen(heard(&one, 1)), 1);
	EXPECT_EQ(answers(&one), 1);
	post(&one, 99, "y", 1);
	EXPECT_EQ(strlen(heard(&one, 4096)), CONSOLE_SLOTS - 1);
	EXPECT_EQ(answers(&one), CONSOLE_SLOTS);
	EXPECT_TEXT(heard(&one, 4096), "y");
	EXPECT_EQ(answers(&one), CONSOLE_SLOTS + 1);
}

TEST(who_writes_more_than_there_are_slots_is_stopped)
{
	start();
	for (uint32_t i = 0; i < CONSOLE_SLOTS; i++)
		say(&one, i, "x");
	heard(&one, 1);
	post(&one, 1, "y", 1);
	post(&one, 2, "z", 1);
	heard(&one, 1);
	EXPECT(!ring_find(one.d, RING_CONSOLE, 0)->stopped);
	header(&one)->req_prod += CONSOLE_SLOTS;
	told(&one, port);
	ring(&one, RING_kick);
	heard(&one, 1);
	EXPECT(ring_find(one.d, RING_CONSOLE, 0)->stopped);
	EXPECT_EQ(header(&one)->flags, RING_STOPPED);
	EXPECT(told(&one, port));
	EXPECT_EQ(ring(&one, RING_unregister), 0);
	open_ring(&one);
	EXPECT(strlen(heard(&one, 4096)) > 0);
}

TEST(nothing_is_lost_when_domain_0s_buffer_is_bad)
{
	start();
	say(&one, 1, "precious");
	EXPECT_EQ(control(&zero, 1, 0x1000, 100, 0), -EFAULT);
	EXPECT_EQ(control(&zero, 1, ATELIER_LINE - 4, 100, 0), -EFAULT);
	EXPECT_EQ(control(&zero, 1, 0x1000, 10, 1), -EFAULT);
	EXPECT_EQ(answers(&one), 0);
	EXPECT_TEXT(heard(&one, 4096), "precious");
}

/* ---- in ---- */

TEST(what_is_typed_fills_the_requests_in_their_order)
{
	start();
	post(&one, 10, "", 0);
	post(&one, 11, "", 0);
	say(&one, 12, "prompt");
	EXPECT_EQ(type(&one, "ls\n"), 3);
	EXPECT_EQ(answers(&one), 1);
	EXPECT_EQ(slot(&one, RING_START)->id, 10);
	EXPECT_EQ(slot(&one, RING_START)->count, 3);
	EXPECT_EQ(memcmp(slot(&one, RING_START)->data, "ls\n", 3), 0);
	EXPECT_EQ(type(&one, "x"), 1);
	EXPECT_EQ(slot(&one, RING_START + 1)->id, 11);
	EXPECT_TEXT(heard(&one, 4096), "prompt");
	EXPECT_EQ(slot(&one, RING_START + 2)->id, 12);
}

TEST(what_is_typed_ahead_waits_and_what_does_not_fit_is_refused)
{
	char text[201];

	start();
	memset(text, 'q', 200);
	text[200] = '\0';
	EXPECT_EQ(type(&one, text), 200);
	EXPECT_EQ(type(&one, text), CONSOLE_INPUT - 200);
	EXPECT_EQ(type(&one, text), 0);
	post(&one, 1, "", 0);
	ring(&one, RING_kick);
	EXPECT_EQ(answers(&one), 1);
	EXPECT_EQ(slot(&one, RING_START)->count, 60);
	EXPECT_EQ(type(&one, text), 60);
}

/* ---- the end ---- */

TEST(release_answers_all_and_keeps_what_was_written_for_domain_0)
{
	start();
	post(&one, 1, "", 0);
	say(&one, 2, "last words");
	EXPECT_EQ(ring(&one, RING_unregister), 0);
	EXPECT_EQ(answers(&one), 2);
	open_ring(&one);
	say(&one, 3, " and first");
	EXPECT_EQ(answers(&one), 0);
	EXPECT_TEXT(heard(&one, 10), "last words");
	EXPECT_EQ(answers(&one), 0);
	EXPECT_TEXT(heard(&one, 100), " and first");
	EXPECT_EQ(answers(&one), 1);
	EXPECT_EQ(slot(&one, RING_START)->id, 3);
	type(&one, "x");
	EXPECT_EQ(answers(&one), 1);
}

TEST(what_is_left_in_the_queue_holds_a_new_ring_back_and_no_byte_is_lost)
{
	start();
	for (unsigned int round = 0; round < 4; round++) {
		for (uint32_t i = 0; i < CONSOLE_SLOTS; i++)
			say(&one, i, "z");
		EXPECT_EQ(ring(&one, RING_unregister), 0);
		open_ring(&one);
	}
	EXPECT_EQ(strlen(heard(&one, 4096)), CONSOLE_SLOTS);
	EXPECT_TEXT(heard(&one, 4096), "");
}

TEST(a_domain_dies_with_all_of_it_unread_and_gives_all_back)
{
	uint32_t before;

	start();
	before = frame_pool_free_count();
	for (uint32_t i = 0; i < CONSOLE_SLOTS; i++)
		post(&one, i, "x", i % 2);
	ring(&one, RING_kick);
	domain_kill(one.d, SHUTDOWN_crash, 0);
	EXPECT_EQ(control(&zero, 1, buffer, 100, 0), -ESRCH);
	while (domain_reap())
		;
	EXPECT_EQ(one.d->life, LIFE_FREE);
	EXPECT_EQ(frame_pool_free_count(), before + one.frames + 1);
	audit_all();
}

/* ---- who may ---- */

TEST(only_domain_0_is_at_the_other_end_and_of_other_domains)
{
	start();
	say(&one, 1, "secret");
	EXPECT_EQ(control(&two, 1, buffer, 100, 0), -EPERM);
	EXPECT_EQ(control(&zero, 0, buffer, 100, 0), -EINVAL);
	EXPECT_EQ(control(&zero, 5, buffer, 100, 0), -ESRCH);
	EXPECT_EQ(control(&zero, 1, buffer, 100, 2), -EINVAL);
	EXPECT_EQ(ring(&zero, RING_register), -ENODEV);
}

TEST(console_write_goes_to_the_machines_console_with_a_ring_and_without)
{
	start();
	host_output_clear();
	EXPECT_EQ(CALL(&one, console_write, host_arg("a\n", 2), 2), 2);
	EXPECT_EQ(ring(&one, RING_unregister), 0);
	EXPECT_EQ(CALL(&one, console_write, host_arg("b\n", 2), 2), 2);
	EXPECT_TEXT(host_output(NULL), "(1) a\n(1) b\n");
	EXPECT_TEXT(heard(&one, 100), "");
}

/* ---- what is printed without a ring ---- */

TEST(what_a_domain_prints_comes_to_domain_0_once_that_has_looked)
{
	static char line[CONSOLE_SLOTS * sizeof(((struct console_slot *)0)->data) + 1];

	start();
	host_output_clear();
	console_emit(one.d, "early\n", 6);
	EXPECT_TEXT(host_output(NULL), "(1) early\n");
	EXPECT_TEXT(heard(&one, 100), "");
	host_output_clear();
	console_emit(one.d, "later\n", 6);
	console_emit(two.d, "other\n", 6);
	EXPECT_TEXT(host_output(NULL), "(2) other\n");
	EXPECT(told(&zero, virq));
	say(&one, 7, "ring");
	EXPECT_EQ(answers(&one), 0);
	EXPECT_TEXT(heard(&one, 8), "later\nri");
	EXPECT_EQ(answers(&one), 0, "what was printed needs no answer");
	EXPECT_TEXT(heard(&one, 8), "ng");
	EXPECT_EQ(answers(&one), 1);
	EXPECT_EQ(slot(&one, RING_START)->id, 7);
	memset(line, 'x', sizeof(line));
	host_output_clear();
	console_emit(one.d, line, sizeof(line));
	EXPECT_EQ(heard(&one, 100)[0], 0, "without room it is in the log alone");
	EXPECT_TEXT(host_output(NULL), "");
	EXPECT_EQ(console_log((guest_addr_t){ buffer }, 4000), (int)(strlen("(1) early\n(2) other\n(1) ") + sizeof(line)));
	console_emit(one.d, line, sizeof(line) - 1);
	EXPECT_EQ(strlen(heard(&one, 4000)), sizeof(line) - 1);
	audit_all();
}
