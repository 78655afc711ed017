// SPDX-License-Identifier: MIT
#include "event.h"
#include <stdlib.h>
#include <string.h>
#include "host/audit.h"
#include "host/domains.h"
#include "unit/test.h"

static struct guest guests[4];

static void start(unsigned int n)
{
	host_start(64);
	for (unsigned int i = 0; i < n; i++)
		guests[i] = host_domain(6);
	host_enter(&guests[0]);
}

static struct event_channel_op answer;

/* One operation; what it wrote is in @answer. */
static int op(unsigned int who, struct event_channel_op o)
{
	uint32_t at = ARG(o);
	int result = CALL(&guests[who], event_channel_op, at);

	answer = *(struct event_channel_op *)host_arg_bytes(at);
	audit_all();
	return result;
}

static int alloc(unsigned int who, uint32_t remote)
{
	return op(who, (struct event_channel_op){ .op = EVENT_alloc_unbound, .remote = remote });
}

static int bind(unsigned int who, uint32_t remote, uint32_t port)
{
	return op(who, (struct event_channel_op){ .op = EVENT_bind_interdomain, .remote = remote, .remote_port = port });
}

static int on_port(unsigned int who, uint32_t what, uint32_t port)
{
	return op(who, (struct event_channel_op){ .op = what, .port = port });
}

static int bind_virq(unsigned int who, uint32_t virq)
{
	return op(who, (struct event_channel_op){ .op = EVENT_bind_virq, .virq = virq });
}

static void expect_status(unsigned int who, uint32_t port, uint32_t status, uint32_t remote, uint32_t remote_port)
{
	EXPECT_EQ(on_port(who, EVENT_status, port), 0);
	EXPECT_EQ(answer.status, status, "domain %u port %u", who, port);
	EXPECT_EQ(answer.remote, remote, "domain %u port %u", who, port);
	EXPECT_EQ(answer.remote_port, remote_port, "domain %u port %u", who, port);
}

/* Connects 1 and 2; their ports. */
static void connect(uint32_t *a, uint32_t *b)
{
	EXPECT_EQ(alloc(1, 2), 0);
	*a = answer.port;
	EXPECT_EQ(bind(2, 1, *a), 0);
	*b = answer.port;
}

static bool pending(unsigned int who, uint32_t port)
{
	return guests[who].d->shared->pending[port / 32] >> port % 32 & 1;
}

/* ---- raising ---- */

TEST(raising_sets_the_bit_its_words_bit_and_asks_for_the_upcall)
{
	static const uint32_t ports[] = { 1, 31, 32, 33, 511 };

	for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++) {
		struct shared_info *s;

		start(1);
		s = guests[0].d->shared;
		event_raise(guests[0].d, ports[i]);
		EXPECT_EQ(s->pending[ports[i] / 32], 1u << ports[i] % 32, "port %u", ports[i]);
		EXPECT_EQ(s->selector, 1u << ports[i] / 32, "port %u", ports[i]);
		EXPECT_EQ(s->upcall_pending, 1, "port %u", ports[i]);
		EXPECT_EQ(s->upcall_mask, 1, "raising does not unmask");
	}
}

TEST(raising_a_masked_port_sets_the_bit_and_no_more)
{
	struct shared_info *s;

	start(1);
	s = guests[0].d->shared;
	s->mask[1] = 1u << 3;
	sched_sleep(guests[0].d);
	event_raise(guests[0].d, 35);
	EXPECT_EQ(s->pending[1], 1u << 3);
	EXPECT_EQ(s->upcall_pending, 0);
	EXPECT(guests[0].d->sched.blocked);
}

TEST(raising_wakes_a_sleeper_even_if_the_bit_was_set_already)
{
	start(1);
	/* The guest's page says that everything is pending: that is its word, not ours. */
	memset(guests[0].d->shared->pending, 0xff, sizeof(guests[0].d->shared->pending));
	guests[0].d->shared->upcall_pending = 0;
	sched_sleep(guests[0].d);
	event_raise(guests[0].d, 5);
	EXPECT(!guests[0].d->sched.blocked);
	EXPECT_EQ(guests[0].d->shared->upcall_pending, 1);
}

TEST(raising_wakes_a_sleeper_who_says_that_an_upcall_is_due_already)
{
	start(1);
	sched_sleep(guests[0].d);
	guests[0].d->shared->upcall_pending = 1;
	event_raise(guests[0].d, 5);
	EXPECT(!guests[0].d->sched.blocked);
	EXPECT(pending(0, 5));
}

/* XSA-332: the flood is the sender's own time. */
TEST(a_flood_of_events_is_one_event_and_takes_nobodys_turn)
{
	uint32_t ports[2];

	start(3);
	connect(&ports[0], &ports[1]);
	sched_unpause(guests[1].d);
	sched_unpause(guests[2].d);
	EXPECT(sched_return() == guests[0].d);
	for (unsigned int i = 0; i < 1000; i++) {
		EXPECT_EQ(on_port(1, EVENT_send, ports[0]), 0);
		EXPECT(sched_return() == guests[0].d, "round %u", i);
	}
	EXPECT_EQ(guests[2].d->shared->pending[ports[1] / 32], 1u << ports[1] % 32);
	EXPECT_EQ(guests[2].d->shared->selector, 1u << ports[1] / 32);
}

TEST(block_sleeps_only_if_nothing_is_deliverable_and_always_unmasks)
{
	start(1);
	EXPECT_EQ(CALL(&guests[0], block), 0);
	EXPECT(guests[0].d->sched.blocked);
	EXPECT_EQ(guests[0].d->shared->upcall_mask, 0);

	start(1);
	event_raise(guests[0].d, 1);
	EXPECT_EQ(CALL(&guests[0], block), 0);
	EXPECT(!guests[0].d->sched.blocked);
	EXPECT_EQ(guests[0].d->shared->upcall_mask, 0);
}

/* ---- channels ---- */

TEST(a_channel_names_both_ends_and_carries_events_both_ways)
{
	uint32_t a, b;

	start(3);
	connect(&a, &b);
	expect_status(1, a, EVENT_INTERDOMAIN, 2, b);
	expect_status(2, b, EVENT_INTERDOMAIN, 1, a);
	EXPECT_EQ(on_port(1, EVENT_send, a), 0);
	EXPECT(pending(2, b));
	EXPECT(!pending(1, a));
	EXPECT_EQ(on_port(2, EVENT_send, b), 0);
	EXPECT(pending(1, a));
}

TEST(closing_one_end_makes_the_other_unbound_for_the_one_who_closed)
{
	uint32_t a, b;

	start(4);
	connect(&a, &b);
	EXPECT_EQ(on_port(1, EVENT_close, a), 0);
	expect_status(1, a, EVENT_CLOSED, DOMID_NONE, 0);
	expect_status(2, b, EVENT_UNBOUND, 1, 0);
	EXPECT_EQ(on_port(2, EVENT_send, b), -EINVAL);
	EXPECT_EQ(on_port(1, EVENT_send, a), -EINVAL);
	EXPECT_EQ(bind(3, 2, b), -EPERM);
	EXPECT_EQ(bind(1, 2, b), 0);
	expect_status(2, b, EVENT_INTERDOMAIN, 1, answer.port);
}

TEST(a_port_that_waits_for_one_domain_is_nobody_elses)
{
	uint32_t a;

	start(4);
	EXPECT_EQ(alloc(1, 2), 0);
	a = answer.port;
	EXPECT_EQ(bind(3, 1, a), -EPERM);
	EXPECT_EQ(bind(0, 1, a), -EPERM);
	EXPECT_EQ(bind(1, DOMID_SELF, a), -EPERM);
	EXPECT_EQ(bind(2, 1, a), 0);
	EXPECT_EQ(bind(2, 1, a), -EPERM);		/* bound already */
}

TEST(a_domain_may_have_a_channel_with_itself)
{
	uint32_t a, b;

	start(2);
	EXPECT_EQ(alloc(1, DOMID_SELF), 0);
	a = answer.port;
	EXPECT_EQ(bind(1, 1, a), 0);
	b = answer.port;
	EXPECT_EQ(on_port(1, EVENT_send, a), 0);
	EXPECT(pending(1, b));
	EXPECT_EQ(on_port(1, EVENT_close, b), 0);
	expect_status(1, a, EVENT_UNBOUND, 1, 0);
	EXPECT_EQ(on_port(1, EVENT_close, a), 0);
}

TEST(what_names_no_port_or_no_domain_is_refused)
{
	static const uint32_t ports[] = { 0, 7, EVENT_PORTS, EVENT_PORTS + 1, 0x80000001u, UINT32_MAX };
	static const uint32_t domains[] = { 3, MAX_DOMAINS, 0xffef, DOMID_NONE, UINT32_MAX };

	start(3);
	for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++) {
		EXPECT_EQ(on_port(1, EVENT_close, ports[i]), -EINVAL, "port 0x%x", ports[i]);
		EXPECT_EQ(on_port(1, EVENT_send, ports[i]), -EINVAL, "port 0x%x", ports[i]);
		EXPECT_EQ(bind(1, 2, ports[i]), -EINVAL, "port 0x%x", ports[i]);
		EXPECT_EQ(on_port(1, EVENT_status, ports[i]), ports[i] == 7 ? 0 : -EINVAL, "port 0x%x", ports[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(domains); i++) {
		EXPECT_EQ(alloc(1, domains[i]), -ESRCH, "domain 0x%x", domains[i]);
		EXPECT_EQ(bind(1, domains[i], 1), -ESRCH, "domain 0x%x", domains[i]);
	}
	EXPECT_EQ(op(1, (struct event_channel_op){ .op = 6 }), -EINVAL);
	EXPECT_EQ(op(1, (struct event_channel_op){ .op = UINT32_MAX }), -EINVAL);
	EXPECT_EQ(CALL(&guests[1], event_channel_op, 0x1000), -EFAULT);
	EXPECT_EQ(CALL(&guests[1], event_channel_op, 0xfbfffffc), -EFAULT);
}

TEST(sending_on_a_port_that_is_not_bound_to_a_domain_is_refused)
{
	start(2);
	EXPECT_EQ(alloc(1, 0), 0);
	EXPECT_EQ(on_port(1, EVENT_send, answer.port), -EINVAL);
	EXPECT_EQ(bind_virq(1, VIRQ_TIMER), 0);
	EXPECT_EQ(on_port(1, EVENT_send, answer.port), -EINVAL);
}

TEST(ports_can_be_had_until_the_table_is_full_and_not_one_more)
{
	unsigned int n = 0;

	start(2);
	while (alloc(1, 0) == 0)
		n++;
	EXPECT_EQ(n, EVENT_PORTS - 1);
	EXPECT_EQ(alloc(1, 0), -ENOSPC);
	EXPECT_EQ(bind_virq(1, VIRQ_TIMER), -ENOSPC);
	EXPECT_EQ(alloc(0, 1), 0);
	EXPECT_EQ(bind(1, 0, answer.port), -ENOSPC);
	EXPECT_EQ(on_port(1, EVENT_close, 100), 0);
	EXPECT_EQ(alloc(1, 0), 0);
	EXPECT_EQ(answer.port, 100);
	EXPECT_EQ(guests[1].d->events.ports[0].state, EVENT_CLOSED);
}

TEST(what_cannot_be_answered_is_not_done)
{
	struct event_channel_op o = { .op = EVENT_alloc_unbound, .remote = 0 };
	uint32_t *table;

	start(2);
	host_enter(&guests[1]);
	host_store(host_va(PFN_DATA), &o, sizeof(o));
	table = host_frame(guests[1].mfn[PFN_TABLE]);
	table[PFN_DATA] &= ~PTE_RW;
	EXPECT_EQ(CALL(&guests[1], event_channel_op, host_va(PFN_DATA)), -EFAULT);
	EXPECT_EQ(guests[1].d->events.ports[1].state, EVENT_CLOSED);
}

/* ---- virtual interrupts ---- */

TEST(a_virtual_interrupt_is_bound_once_and_raised_where_it_is_bound)
{
	uint32_t port;

	start(2);
	event_raise_virq(guests[1].d, VIRQ_DEBUG);	/* unbound: lost */
	EXPECT_EQ(guests[1].d->shared->pending[0], 0);
	EXPECT_EQ(bind_virq(1, VIRQ_DEBUG), 0);
	port = answer.port;
	EXPECT_EQ(bind_virq(1, VIRQ_DEBUG), -EEXIST);
	event_raise_virq(guests[1].d, VIRQ_DEBUG);
	EXPECT(pending(1, port));
	EXPECT_EQ(on_port(1, EVENT_close, port), 0);
	EXPECT(!pending(1, port));
	EXPECT_EQ(bind_virq(1, VIRQ_DEBUG), 0);
	EXPECT_EQ(bind_virq(1, VIRQ_COUNT), -EINVAL);
	EXPECT_EQ(bind_virq(1, UINT32_MAX), -EINVAL);
}

TEST(the_interrupts_of_domain_0_are_its_own)
{
	start(2);
	EXPECT_EQ(bind_virq(1, VIRQ_CONSOLE), -EPERM);
	EXPECT_EQ(bind_virq(1, VIRQ_DOMAIN), -EPERM);
	EXPECT_EQ(bind_virq(0, VIRQ_CONSOLE), 0);
	EXPECT_EQ(bind_virq(0, VIRQ_DOMAIN), 0);
}

/* ---- death ---- */

TEST(death_unbinds_every_peer_for_nobody_and_tells_domain_0)
{
	uint32_t a, b, port;

	start(3);
	EXPECT_EQ(bind_virq(0, VIRQ_DOMAIN), 0);
	port = answer.port;
	connect(&a, &b);
	domain_kill(guests[1].d, SHUTDOWN_crash, 0);
	expect_status(2, b, EVENT_UNBOUND, DOMID_NONE, 0);
	EXPECT(pending(0, port));
	EXPECT_EQ(on_port(2, EVENT_send, b), -EINVAL);
	EXPECT_EQ(alloc(2, 1), -ESRCH);
	EXPECT_EQ(bind(2, 1, a), -ESRCH);
}

TEST(a_new_domain_in_an_old_slot_cannot_take_the_dead_ones_channel)
{
	uint32_t a, b;

	start(3);
	connect(&a, &b);
	domain_kill(guests[1].d, SHUTDOWN_crash, 0);
	while (domain_reap())
		;
	for (unsigned int i = 3; i <= MAX_DOMAINS; i++)
		guests[1] = host_domain(4);
	EXPECT_EQ(guests[1].d->id, 1);
	EXPECT_EQ(bind(1, 2, b), -EPERM);
}

/* ---- the auditor ---- */

TEST(the_auditor_sees_ends_that_disagree)
{
	uint32_t a, b;

	start(3);
	connect(&a, &b);
	EXPECT(event_check());
	guests[2].d->events.ports[b].remote_port = a + 1;
	EXPECT(!event_check());
	EXPECT(audit());
	guests[2].d->events.ports[b].remote_port = a;
	EXPECT(event_check());
	guests[1].d->events.virq_port[VIRQ_DEBUG] = a;
	EXPECT(!event_check());
	guests[1].d->events.virq_port[VIRQ_DEBUG] = 0;
	guests[1].d->events.ports[0].state = EVENT_UNBOUND;
	EXPECT(!event_check());
}

/* ---- in general ---- */

static void random_step(void)
{
	static const uint32_t what[] = {
		EVENT_alloc_unbound, EVENT_bind_interdomain, EVENT_bind_virq, EVENT_close, EVENT_send, EVENT_status,
	};
	unsigned int who = random() % 3;
	struct event_channel_op o = {
		.op = what[random() % 6], .port = random() % 6, .remote = random() % 4,
		.remote_port = random() % 6, .virq = random() % 5,
	};

	op(who, o);
	if (random() % 50 == 0) {
		unsigned int dead = 1 + random() % 2;

		domain_kill(guests[dead].d, SHUTDOWN_crash, 0);
		while (domain_reap())
			;
		do {
			struct guest g = host_domain(4);

			if (g.d->id == dead)
				guests[dead] = g;
			else
				domain_kill(g.d, SHUTDOWN_crash, 0);
			while (domain_reap())
				;
		} while (guests[dead].d->life != LIFE_OPEN);
	}
}

TEST(after_any_operations_both_ends_agree)
{
	srandom(2);
	start(3);
	for (unsigned int i = 0; i < 5000; i++)
		random_step();
}
