/* SPDX-License-Identifier: MIT */
/*
 * Events: bits that cannot be lost (paper, section 3.2).
 *
 * Who raises sets the pending bit first, then looks whether the other end sleeps; who sleeps
 * unmasks first and then looks whether something is pending. With interrupts off in between, one of
 * the two always sees the other.
 *
 * Invariants (event_check): E1, E4: ports are symmetric, a VIRQ is bound once, and all of it is
 * known here, not in the shared page.
 */
#ifndef ATELIER_EVENT_H
#define ATELIER_EVENT_H

#include "lib/types.h"
#include "public/event.h"

struct domain;

struct event_port {
	uint8_t state;		/* EVENT_... */
	uint8_t virq;
	domid_t remote;
	uint16_t remote_port;
};

/* A domain's share. */
struct events {
	struct event_port ports[EVENT_PORTS];
	uint16_t virq_port[VIRQ_COUNT];		/* 0: unbound */
};

void event_init(void);
void events_open(struct domain *d);

/* Raises @port of @d: sets its bit, then wakes @d if the port is not masked. @port is in range. */
void event_raise(struct domain *d, uint32_t port);

/* Raises the port that @virq is bound to, if any. */
void event_raise_virq(struct domain *d, unsigned int virq);

/* Whether an upcall is due as soon as the master mask allows. */
bool event_deliverable(const struct domain *d);

/* A channel between @d and @peer: the port that each has got. -ENOSPC: one of them has no port left. */
int event_bind_pair(struct domain *d, struct domain *peer, uint32_t *port, uint32_t *peer_port);

/* A dying domain's ports: each peer becomes unbound, for nobody. */
void events_destroy(struct domain *d);

int do_event_channel_op(struct domain *d, guest_addr_t arg);
int do_block(struct domain *d);

bool event_check(void);

#endif
