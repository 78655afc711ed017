// SPDX-License-Identifier: MIT
#include "event.h"
#include "console.h"
#include "crash.h"
#include "domain.h"
#include "guest_copy.h"

static void console_has_input(void)
{
	struct domain *d = domain_find(NULL, 0);

	if (d)
		event_raise_virq(d, VIRQ_CONSOLE);
}

void event_init(void)
{
	console_set_notify(console_has_input);
}

void events_open(struct domain *d)
{
	for (uint32_t i = 0; i < EVENT_PORTS; i++)
		d->events.ports[i].state = EVENT_CLOSED;
}

/* ---- raising, sleeping ---- */

void event_raise(struct domain *d, uint32_t port)
{
	struct shared_info *s = d->shared;
	uint32_t word = port / 32, bit = 1u << port % 32;

	if (!s)
		return;
	s->pending[word] |= bit;
	s->selector |= 1u << word;
	if (s->mask[word] & bit)
		return;
	s->upcall_pending = 1;
	sched_wake(d);
}

void event_raise_virq(struct domain *d, unsigned int virq)
{
	if (d->events.virq_port[virq])
		event_raise(d, d->events.virq_port[virq]);
}

bool event_deliverable(const struct domain *d)
{
	return d->shared && d->shared->upcall_pending;
}

int do_block(struct domain *d)
{
	/*
	 * First unmask, then look: an event that came before the look is seen, one that comes after
	 * it wakes.
	 */
	d->shared->upcall_mask = 0;
	if (!event_deliverable(d))
		sched_sleep(d);
	return 0;
}

/* ---- ports ---- */

/* The port of that number if it is open, or NULL. */
static struct event_port *open_port(struct domain *d, uint32_t port)
{
	if (port == 0 || port >= EVENT_PORTS || d->events.ports[port].state == EVENT_CLOSED)
		return NULL;
	return &d->events.ports[port];
}

/* The lowest closed port, or 0. */
static uint32_t closed_port(const struct domain *d)
{
	for (uint32_t i = 1; i < EVENT_PORTS; i++)
		if (d->events.ports[i].state == EVENT_CLOSED)
			return i;
	return 0;
}

static void unbind_peer(struct domain *d, const struct event_port *p, domid_t for_whom)
{
	struct domain *peer = domain_find(NULL, p->remote);

	if (peer)
		peer->events.ports[p->remote_port] = (struct event_port){
			.state = EVENT_UNBOUND, .remote = for_whom };
}

static void close_port(struct domain *d, uint32_t port, domid_t for_whom)
{
	struct event_port *p = &d->events.ports[port];

	if (p->state == EVENT_VIRQ)
		d->events.virq_port[p->virq] = 0;
	p->state = EVENT_CLOSED;	/* before the peer: it may be a port of our own */
	if (p->remote_port)
		unbind_peer(d, p, for_whom);
	*p = (struct event_port){ .state = EVENT_CLOSED };
	if (d->shared)
		d->shared->pending[port / 32] &= ~(1u << port % 32);
}

void events_destroy(struct domain *d)
{
	for (uint32_t i = 1; i < EVENT_PORTS; i++)
		if (open_port(d, i))
			close_port(d, i, DOMID_NONE);
}

static int alloc_unbound(struct domain *d, struct event_channel_op *op)
{
	struct domain *remote = domain_find(d, op->remote);
	uint32_t port = closed_port(d);

	if (!remote)
		return -ESRCH;
	if (!port)
		return -ENOSPC;
	d->events.ports[port] = (struct event_port){ .state = EVENT_UNBOUND, .remote = remote->id };
	op->port = port;
	return 0;
}

static int bind_interdomain(struct domain *d, struct event_channel_op *op)
{
	struct domain *remote = domain_find(d, op->remote);
	uint32_t port = closed_port(d);
	struct event_port *peer;

	if (!remote)
		return -ESRCH;
	peer = open_port(remote, op->remote_port);
	if (!peer)
		return -EINVAL;
	if (peer->state != EVENT_UNBOUND || peer->remote != d->id)
		return -EPERM;
	if (!port)
		return -ENOSPC;
	*peer = (struct event_port){ EVENT_INTERDOMAIN, 0, d->id, port };
	d->events.ports[port] = (struct event_port){ EVENT_INTERDOMAIN, 0, remote->id, op->remote_port };
	op->port = port;
	return 0;
}

int event_bind_pair(struct domain *d, struct domain *peer, uint32_t *port, uint32_t *peer_port)
{
	struct event_channel_op first = { .remote = peer->id }, second = { .remote = d->id };
	int err = alloc_unbound(d, &first);

	if (err)
		return err;
	second.remote_port = first.port;
	err = bind_interdomain(peer, &second);
	if (err)
		close_port(d, first.port, DOMID_NONE);
	*port = first.port;
	*peer_port = second.port;
	return err;
}

static int bind_virq(struct domain *d, struct event_channel_op *op)
{
	uint32_t port = closed_port(d);

	if (op->virq >= VIRQ_COUNT)
		return -EINVAL;
	if ((op->virq == VIRQ_CONSOLE || op->virq == VIRQ_DOMAIN) && !d->privileged)
		return -EPERM;
	if (d->events.virq_port[op->virq])
		return -EEXIST;
	if (!port)
		return -ENOSPC;
	d->events.ports[port] = (struct event_port){ .state = EVENT_VIRQ, .virq = op->virq };
	d->events.virq_port[op->virq] = port;
	op->port = port;
	return 0;
}

static int close_op(struct domain *d, uint32_t port)
{
	if (!open_port(d, port))
		return -EINVAL;
	close_port(d, port, d->id);
	return 0;
}

static int send(struct domain *d, uint32_t port)
{
	struct event_port *p = open_port(d, port);
	struct domain *peer;

	if (!p || p->state != EVENT_INTERDOMAIN)
		return -EINVAL;
	peer = domain_find(d, p->remote);
	ASSERT(peer);		/* a dying domain's peers were unbound */
	event_raise(peer, p->remote_port);
	return 0;
}

static int status(struct domain *d, struct event_channel_op *op)
{
	const struct event_port *p;

	if (op->port == 0 || op->port >= EVENT_PORTS)
		return -EINVAL;
	p = &d->events.ports[op->port];
	op->status = p->state;
	op->remote = p->state == EVENT_UNBOUND || p->state == EVENT_INTERDOMAIN ? p->remote : DOMID_NONE;
	op->remote_port = p->remote_port;
	op->virq = p->virq;
	return 0;
}

static int channel_op(struct domain *d, struct event_channel_op *op)
{
	switch (op->op) {
	case EVENT_alloc_unbound:
		return alloc_unbound(d, op);
	case EVENT_bind_interdomain:
		return bind_interdomain(d, op);
	case EVENT_bind_virq:
		return bind_virq(d, op);
	case EVENT_close:
		return close_op(d, op->port);
	case EVENT_send:
		return send(d, op->port);
	case EVENT_status:
		return status(d, op);
	}
	return -EINVAL;
}

int do_event_channel_op(struct domain *d, guest_addr_t arg)
{
	struct event_channel_op op;
	int err;

	/* Written back first, unchanged: what cannot be answered is not done. */
	if (copy_from_guest(&op, arg, sizeof(op)) || copy_to_guest(arg, &op, sizeof(op)))
		return -EFAULT;
	err = channel_op(d, &op);
	if (!err && copy_to_guest(arg, &op, sizeof(op)))
		return -EFAULT;
	return err;
}

/* ---- the auditor ---- */

static bool port_ok(struct domain *d, uint32_t i)
{
	const struct event_port *p = &d->events.ports[i], *peer;
	struct domain *remote;

	switch (p->state) {
	case EVENT_CLOSED:
	case EVENT_UNBOUND:
		return p->remote_port == 0;
	case EVENT_VIRQ:
		return p->virq < VIRQ_COUNT && d->events.virq_port[p->virq] == i;
	case EVENT_INTERDOMAIN:
		remote = domain_find(NULL, p->remote);
		if (!remote || p->remote_port == 0 || p->remote_port >= EVENT_PORTS)
			return false;
		peer = &remote->events.ports[p->remote_port];
		return peer->state == EVENT_INTERDOMAIN && peer->remote == d->id && peer->remote_port == i;
	}
	return false;
}

static bool virqs_ok(const struct domain *d)
{
	for (unsigned int v = 0; v < VIRQ_COUNT; v++) {
		uint32_t port = d->events.virq_port[v];

		if (port && (d->events.ports[port].state != EVENT_VIRQ || d->events.ports[port].virq != v))
			return false;
	}
	return true;
}

bool event_check(void)
{
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u)) {
		bool ok = d->events.ports[0].state == EVENT_CLOSED && virqs_ok(d);

		for (uint32_t i = 1; i < EVENT_PORTS && ok && d->life == LIFE_OPEN; i++)
			ok = port_ok(d, i);
		if (!ok) {
			console_printf("event_check: domain %u: a port and its other end disagree\n", d->id);
			return false;
		}
	}
	return true;
}
