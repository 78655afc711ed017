// SPDX-License-Identifier: MIT
/*
 * Names ports that are not there, or not for it, while others hold theirs. "role=attack": that one; "role=own": has ports that wait
 * for other domains; "role=die": is bound to the attacker and dies.
 */
#include "event.h"
#include "mini.h"

#define WAITING	6	/* ports of "role=own", for domains 0 and 1 in turn */
#define OWNER	2
#define MORTAL	3

static int32_t op(uint32_t what, uint32_t port, uint32_t remote, uint32_t remote_port, uint32_t virq, struct event_channel_op *result)
{
	*result = (struct event_channel_op){ what, port, remote, remote_port, virq, 0 };
	return hypercall_event_channel_op(result);
}

static void yield_often(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		hypercall_yield();
}

static uint32_t state(uint32_t port)
{
	struct event_channel_op result;

	return op(EVENT_status, port, 0, 0, 0, &result) ? ~0u : result.status;
}

/* ---- the others ---- */

static void own(void)
{
	for (uint32_t i = 0; i < WAITING; i++)
		observe("waiting port:int whom", i, event_alloc_unbound(i % 2, NULL, NULL), i % 2);
	yield_often(300);
	observe("still yes", 0, 1);
}

NORETURN static void die(void)
{
	int port = event_alloc_unbound(1, NULL, NULL);

	while (state(port) != EVENT_INTERDOMAIN)
		hypercall_yield();
	yield_often(4);
	for (;;)
		hypercall_shutdown(SHUTDOWN_crash, 0);
}

/* ---- the attacker ---- */

/* Each of the bad numbers in each place where a port is named. */
static void name_ports(void)
{
	uint32_t count = input_word();
	struct event_channel_op r;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t port = input_word();

		observe("named close:int send:int status:int self:int owner:int", i,
			op(EVENT_close, port, 0, 0, 0, &r), op(EVENT_send, port, 0, 0, 0, &r), op(EVENT_status, port, 0, 0, 0, &r),
			op(EVENT_bind_interdomain, 0, DOMID_SELF, port, 0, &r), op(EVENT_bind_interdomain, 0, OWNER, port, 0, &r));
	}
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		observe("virq answer:int", i, op(EVENT_bind_virq, 0, 0, 0, input_word(), &r));
	count = input_word();
	for (uint32_t i = 0; i < count; i++) {
		uint32_t domain = input_word();

		observe("domain alloc:int bind:int", i,
			op(EVENT_alloc_unbound, 0, domain, 0, 0, &r), op(EVENT_bind_interdomain, 0, domain, 1, 0, &r));
	}
}

/* Ports of others, every number: what does not say that there is no such port. */
static void try_ports_of(uint32_t domain)
{
	struct event_channel_op r;

	for (uint32_t port = 1; port < EVENT_PORTS; port++) {
		int32_t answer = op(EVENT_bind_interdomain, 0, domain, port, 0, &r);

		if (answer != -EINVAL)
			observe("tried whose port answer:int again:int", domain << 16 | port, domain, port, answer,
				op(EVENT_bind_interdomain, 0, domain, port, 0, &r));
	}
}

static void see_death(void)
{
	struct event_channel_op r;
	int port = -1;

	for (;;) {
		for (uint32_t i = 1; i < EVENT_PORTS && port < 0; i++)
			port = event_bind_interdomain(MORTAL, i, NULL, NULL);
		if (port >= 0)
			break;		/* and at once, before the other one runs and dies */
		hypercall_yield();
	}
	observe("alive state send:int", 0, state(port), event_send(port));
	for (uint32_t i = 0; i < 200 && state(port) == EVENT_INTERDOMAIN; i++)
		hypercall_yield();
	op(EVENT_status, port, 0, 0, 0, &r);
	observe("dead state remote send:int bind:int alloc:int close:int", 0, r.status, r.remote, event_send(port),
		event_bind_interdomain(MORTAL, 1, NULL, NULL), event_alloc_unbound(MORTAL, NULL, NULL), event_close(port));
}

static void use_up(void)
{
	struct event_channel_op r;
	uint32_t open = 0, got = 0, closed = 0;
	int32_t refused, unbound = event_alloc_unbound(DOMID_SELF, NULL, NULL);

	for (uint32_t i = 1; i < EVENT_PORTS; i++)
		open += state(i) != EVENT_CLOSED;
	while ((refused = op(EVENT_alloc_unbound, 0, DOMID_SELF, 0, 0, &r)) == 0 && got <= EVENT_PORTS)
		got++;
	observe("used open got refused:int bind:int virq:int", 0, open, got, refused,
		op(EVENT_bind_interdomain, 0, DOMID_SELF, unbound, 0, &r), op(EVENT_bind_virq, 0, 0, 0, VIRQ_VTIMER, &r));
	for (uint32_t i = 1; i < EVENT_PORTS; i++)
		closed += op(EVENT_close, i, 0, 0, 0, &r) == 0;
	observe("closed ports again:int", 0, closed, op(EVENT_alloc_unbound, 0, DOMID_SELF, 0, 0, &r));
}

static void attack(void)
{
	int timer = event_bind_virq(VIRQ_TIMER, NULL, NULL), debug = event_bind_virq(VIRQ_DEBUG, NULL, NULL);

	yield_often(5);
	observe("virqs timer:int debug:int", 0, timer, debug);
	name_ports();
	observe("intact timer debug", 0, state(timer), state(debug));
	try_ports_of(OWNER);
	try_ports_of(0);
	see_death();
	use_up();
}

int test_main(const struct start_info *start)
{
	events_disable();
	if (start->domid == OWNER)
		own();
	else if (start->domid == MORTAL)
		die();
	else
		attack();
	return 0;
}
