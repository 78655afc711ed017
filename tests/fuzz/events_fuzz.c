// SPDX-License-Identifier: MIT
/*
 * Ports: four domains that open, bind, close, send, mask and sleep in any order, write what they like into their shared pages, die and
 * come again. A table of the fuzzer's own says what each operation must answer; after each one all ports, all bits and who sleeps are
 * compared, and audited.
 */
#include <string.h>
#include "event.h"
#include "fuzz/reader.h"
#include "host/audit.h"
#include "host/domains.h"

#define DOMAINS		4u
#define FRAMES		4u
#define STEPS		96u
#define FEW		6u	/* ports are mostly these */

struct model_port {
	uint32_t state, remote, remote_port, virq;
};

/* What is known of a domain. */
static struct model {
	struct model_port ports[EVENT_PORTS];
	uint32_t virq[VIRQ_COUNT];
	uint32_t pending[EVENT_WORDS], mask[EVENT_WORDS], selector;
	uint8_t upcall_pending, upcall_mask;
	bool lives, sleeps;
	unsigned int open;	/* ports */
} model[DOMAINS];

static struct guest guests[DOMAINS];

/* ---- the model ---- */

static struct model_port *model_open(unsigned int d, uint32_t port)
{
	if (port == 0 || port >= EVENT_PORTS || model[d].ports[port].state == EVENT_CLOSED)
		return NULL;
	return &model[d].ports[port];
}

static unsigned int model_left(unsigned int d)
{
	return EVENT_PORTS - 1 - model[d].open;
}

/* The domain that a number names, DOMAINS if there is none. */
static unsigned int model_find(unsigned int self, uint32_t id)
{
	unsigned int d = id == DOMID_SELF ? self : id;

	return d < DOMAINS && model[d].lives ? d : DOMAINS;
}

static void model_raise(unsigned int d, uint32_t port)
{
	struct model *m = &model[d];
	uint32_t word = port / 32, bit = 1u << port % 32;

	m->pending[word] |= bit;
	m->selector |= 1u << word;
	if (m->mask[word] & bit)
		return;
	m->upcall_pending = 1;
	m->sleeps = false;
}

static void model_close(unsigned int d, uint32_t port, uint32_t for_whom)
{
	struct model_port p = model[d].ports[port];

	model[d].ports[port] = (struct model_port){ .state = EVENT_CLOSED };
	model[d].open--;
	model[d].pending[port / 32] &= ~(1u << port % 32);
	if (p.state == EVENT_VIRQ)
		model[d].virq[p.virq] = 0;
	if (p.state == EVENT_INTERDOMAIN && (p.remote != d || p.remote_port != port))
		model[p.remote].ports[p.remote_port] = (struct model_port){ .state = EVENT_UNBOUND, .remote = for_whom };
}

static void model_die(unsigned int d)
{
	for (uint32_t i = 1; i < EVENT_PORTS; i++)
		if (model_open(d, i))
			model_close(d, i, DOMID_NONE);
	model[d] = (struct model){ .lives = false };
	if (model[0].virq[VIRQ_DOMAIN])
		model_raise(0, model[0].virq[VIRQ_DOMAIN]);
}

/* ---- comparing ---- */

static void compare_port(unsigned int d, uint32_t i)
{
	const struct event_port *is = &guests[d].d->events.ports[i];
	const struct model_port *p = &model[d].ports[i];
	bool peer = p->state == EVENT_INTERDOMAIN;

	if (is->state != p->state || ((peer || p->state == EVENT_UNBOUND) && is->remote != p->remote) ||
	    is->remote_port != (peer ? p->remote_port : 0) || (p->state == EVENT_VIRQ && is->virq != p->virq))
		host_panic("E1: domain %u port %u is in state %u with %u:%u, not %u with %u:%u", d, i, is->state, is->remote,
			   is->remote_port, p->state, p->remote, p->remote_port);
}

static void compare(unsigned int d, bool all)
{
	const struct shared_info *s = guests[d].d->shared;
	const struct model *m = &model[d];

	/* The others do not change unless these do, or all do: that is seen at the end. */
	for (uint32_t i = 0; i < EVENT_PORTS; i += all || i % 256 < FEW || i >= EVENT_PORTS - 8 ? 1 : 8)
		compare_port(d, i);
	for (unsigned int v = 0; v < VIRQ_COUNT; v++)
		if (guests[d].d->events.virq_port[v] != m->virq[v])
			host_panic("E1: domain %u: interrupt %u is not bound to %u", d, v, m->virq[v]);
	if (memcmp(s->pending, m->pending, sizeof(m->pending)) || s->selector != m->selector || memcmp(s->mask, m->mask, sizeof(s->mask)))
		host_panic("E3: domain %u: the bits of its page are not those that were raised", d);
	if (s->upcall_pending != m->upcall_pending || s->upcall_mask != m->upcall_mask)
		host_panic("E2: domain %u: an upcall is %u pending, %u masked, not %u, %u", d, s->upcall_pending, s->upcall_mask,
			   m->upcall_pending, m->upcall_mask);
	if (guests[d].d->sched.blocked != m->sleeps)
		host_panic("E3: domain %u %s", d, m->sleeps ? "was woken by nothing" : "sleeps on");
}

static void compare_all(bool all)
{
	for (unsigned int d = 0; d < DOMAINS; d++)
		if (model[d].lives)
			compare(d, all);
	if (all && !event_check())
		host_panic("event_check() objects");
}

/* ---- operations ---- */

/* One call. What it wrote is in @o; if it was refused, it has written nothing. */
static int ask(unsigned int d, struct event_channel_op *o)
{
	struct event_channel_op before = *o;
	uint32_t at = host_arg(o, sizeof(*o));
	int err = CALL(&guests[d], event_channel_op, at);

	memcpy(o, host_arg_bytes(at), sizeof(*o));
	if (err && memcmp(o, &before, sizeof(before)))
		host_panic("a refused operation %u has written", before.op);
	return err;
}

static void expect(int got, int want, const struct event_channel_op *o)
{
	if (got != want)
		host_panic("operation %u on port %u, remote %u:%u gives %d, not %d", o->op, o->port, o->remote, o->remote_port, got, want);
}

/* A port that was closed is given, and no other. */
static void take_port(unsigned int d, uint32_t port, struct model_port p)
{
	if (port == 0 || port >= EVENT_PORTS || model_open(d, port))
		host_panic("domain %u is given port %u, which is not free", d, port);
	model[d].ports[port] = p;
	model[d].open++;
}

static void try_alloc(unsigned int d, uint32_t remote)
{
	struct event_channel_op o = { .op = EVENT_alloc_unbound, .remote = remote };
	unsigned int r = model_find(d, remote);
	int want = r == DOMAINS ? -ESRCH : !model_left(d) ? -ENOSPC
							  : 0;

	expect(ask(d, &o), want, &o);
	if (!want)
		take_port(d, o.port, (struct model_port){ .state = EVENT_UNBOUND, .remote = r });
}

static void try_bind(unsigned int d, uint32_t remote, uint32_t port)
{
	struct event_channel_op o = { .op = EVENT_bind_interdomain, .remote = remote, .remote_port = port };
	unsigned int r = model_find(d, remote);
	struct model_port *peer = r == DOMAINS ? NULL : model_open(r, port);
	int want = 0;

	if (r == DOMAINS)
		want = -ESRCH;
	else if (!peer)
		want = -EINVAL;
	else if (peer->state != EVENT_UNBOUND || peer->remote != d)
		want = -EPERM;
	else if (!model_left(d))
		want = -ENOSPC;
	expect(ask(d, &o), want, &o);
	if (want)
		return;
	take_port(d, o.port, (struct model_port){ EVENT_INTERDOMAIN, r, port, 0 });
	*peer = (struct model_port){ EVENT_INTERDOMAIN, d, o.port, 0 };
}

static void try_virq(unsigned int d, uint32_t virq)
{
	struct event_channel_op o = { .op = EVENT_bind_virq, .virq = virq };
	int want = 0;

	if (virq >= VIRQ_COUNT)
		want = -EINVAL;
	else if ((virq == VIRQ_CONSOLE || virq == VIRQ_DOMAIN) && d > 0)
		want = -EPERM;
	else if (model[d].virq[virq])
		want = -EEXIST;
	else if (!model_left(d))
		want = -ENOSPC;
	expect(ask(d, &o), want, &o);
	if (want)
		return;
	take_port(d, o.port, (struct model_port){ EVENT_VIRQ, 0, 0, virq });
	model[d].virq[virq] = o.port;
}

static void try_close(unsigned int d, uint32_t port)
{
	struct event_channel_op o = { .op = EVENT_close, .port = port };
	bool open = model_open(d, port);

	expect(ask(d, &o), open ? 0 : -EINVAL, &o);
	if (open)
		model_close(d, port, d);
}

static void try_send(unsigned int d, uint32_t port)
{
	struct event_channel_op o = { .op = EVENT_send, .port = port };
	struct model_port *p = model_open(d, port);
	bool bound = p && p->state == EVENT_INTERDOMAIN;

	expect(ask(d, &o), bound ? 0 : -EINVAL, &o);
	if (bound)
		model_raise(p->remote, p->remote_port);
}

static void try_status(unsigned int d, uint32_t port)
{
	struct event_channel_op o = { .op = EVENT_status, .port = port };
	bool there = port > 0 && port < EVENT_PORTS;

	expect(ask(d, &o), there ? 0 : -EINVAL, &o);
	if (there && o.status != model[d].ports[port].state)
		host_panic("port %u is said to be in state %u, not %u", port, o.status, model[d].ports[port].state);
}

/* Bits of closed ports mean nothing: where the half of a channel was opened and closed again, one may be gone. */
static void forget_closed(unsigned int d)
{
	for (uint32_t i = 1; i < EVENT_PORTS; i++)
		if (!model_open(d, i) && !(guests[d].d->shared->pending[i / 32] >> i % 32 & 1))
			model[d].pending[i / 32] &= ~(1u << i % 32);
}

/* Domain 0 connects any two. */
static void try_pair(unsigned int d, uint32_t other)
{
	struct control_op o = { .interface = ATELIER_INTERFACE, .op = CONTROL_event_bind, .domain = d };
	unsigned int r = model_find(DOMAINS, other);
	uint32_t at;
	int err, want = 0;

	o.u.event.peer = other;
	at = ARG(o);
	err = CALL(&guests[0], control_op, at);
	memcpy(&o, host_arg_bytes(at), sizeof(o));
	if (r == DOMAINS)
		want = -ESRCH;
	else if (model_left(d) < 1 + (r == d) || model_left(r) < 1)
		want = -ENOSPC;
	if (err == -ENOSPC)
		forget_closed(d);
	if (err != want)
		host_panic("connecting %u and %u gives %d, not %d", d, other, err, want);
	if (!err) {
		take_port(d, o.u.event.port, (struct model_port){ EVENT_INTERDOMAIN, r, o.u.event.peer_port, 0 });
		take_port(r, o.u.event.peer_port, (struct model_port){ EVENT_INTERDOMAIN, d, o.u.event.port, 0 });
	}
}

/* All ports but @but. */
static void try_fill(unsigned int d, unsigned int but)
{
	for (uint32_t i = but; i < EVENT_PORTS && model_left(d) > 0; i++)
		try_alloc(d, DOMID_SELF);
}

static void try_block(unsigned int d)
{
	if (model[d].sleeps)
		return;
	if (CALL(&guests[d], block))
		host_panic("block does not answer 0");
	model[d].upcall_mask = 0;
	model[d].sleeps = !model[d].upcall_pending;
}

/* The guest's own word of its page. */
static void try_page(struct reader *r, unsigned int d)
{
	struct shared_info *s = guests[d].d->shared;
	struct model *m = &model[d];
	uint8_t b = take8(r);
	uint32_t value = take8(r) < 0x20 ? UINT32_MAX : take32(r), word = (b >> 3) % EVENT_WORDS;

	switch (b % 8) {
	case 0:
		s->pending[word] = m->pending[word] = value;
		break;
	case 1 ... 2:
		s->mask[word] = m->mask[word] = value;
		break;
	case 3:
		s->mask[0] = m->mask[0] = value & 0x7f;
		break;
	case 4:
		s->selector = m->selector = value;
		break;
	case 5 ... 6:
		s->upcall_pending = m->upcall_pending = value;
		break;
	case 7:
		s->upcall_mask = m->upcall_mask = value;
		break;
	}
}

static void try_life(struct reader *r, unsigned int d)
{
	if (d == 0 || take8(r) < 0x80)
		return;
	domain_kill(guests[d].d, SHUTDOWN_crash, 0);
	model_die(d);
	compare_all(true);
	while (domain_reap())
		;
}

/* Slots come back late: until it is this one's turn, others live shortly. */
static void be_born(unsigned int d)
{
	for (;;) {
		struct guest g = host_domain(FRAMES);

		sched_unpause(g.d);
		if (g.d->id == d) {
			guests[d] = g;
			model[d].lives = true;
			model[d].upcall_mask = 1;
			return;
		}
		domain_kill(g.d, SHUTDOWN_crash, 0);
		if (model[0].virq[VIRQ_DOMAIN])
			model_raise(0, model[0].virq[VIRQ_DOMAIN]);
		while (domain_reap())
			;
	}
}

static uint32_t take_port_number(struct reader *r)
{
	uint8_t b = take8(r);

	if (b < 0xe0)
		return b % FEW;
	if (b < 0xf0)
		return EVENT_PORTS - 8 + b % 16;
	return take32(r);
}

static uint32_t take_domain(struct reader *r)
{
	static const uint32_t others[] = { DOMID_SELF, DOMID_NONE, DOMAINS, MAX_DOMAINS, UINT32_MAX, 0x80000001u };
	uint8_t b = take8(r);

	return b < 0xd0 ? b % DOMAINS : others[b % ARRAY_SIZE(others)];
}

static void step(struct reader *r)
{
	unsigned int d = take_of(r, DOMAINS), what = take_of(r, 32);
	uint32_t remote;

	if (!model[d].lives) {
		be_born(d);
		return;
	}
	switch (what) {
	case 0 ... 4:
		try_alloc(d, take_domain(r));
		break;
	case 5 ... 9:
		remote = take_domain(r);
		try_bind(d, remote, take_port_number(r));
		break;
	case 10 ... 11:
		try_virq(d, take_of(r, VIRQ_COUNT + 2));
		break;
	case 12 ... 14:
		try_close(d, take_port_number(r));
		break;
	case 15 ... 19:
		try_send(d, take_port_number(r));
		break;
	case 20:
		try_status(d, take_port_number(r));
		break;
	case 21 ... 22:
		try_pair(d, take_domain(r));
		break;
	case 23:
		try_fill(d, take_of(r, 4));
		break;
	case 24 ... 25:
		try_block(d);
		break;
	case 26 ... 29:
		try_page(r, d);
		break;
	case 30 ... 31:
		try_life(r, d);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct reader r = { bytes, size };

	host_start(48);
	for (unsigned int d = 0; d < DOMAINS; d++) {
		guests[d] = host_domain(FRAMES);
		sched_unpause(guests[d].d);
		memset(&model[d], 0, sizeof(model[d]));
		model[d].lives = true;
		model[d].upcall_mask = 1;
	}
	for (unsigned int i = 0; i < STEPS && r.left > 0; i++) {
		step(&r);
		compare_all(false);
	}
	compare_all(true);
	audit_all();
	return 0;
}
