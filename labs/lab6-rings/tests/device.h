/* SPDX-License-Identifier: MIT */
/*
 * What the host tests of lab 6 share: a device of the tests' own with rings of 8 slots of 24 bytes, three of them in two domains, and
 * the guests' side of them. Nothing of what the hypervisor keeps of a ring is looked at.
 */
#ifndef LAB6_DEVICE_H
#define LAB6_DEVICE_H

#include "frame.h"
#include "host/domains.h"
#include "host/program.h"
#include "host/watch.h"

#define SLOTS		8u
#define SLOT_BYTES	24u
#define DEVICES		2u
#define RINGS		3u		/* both devices of domain 1, one of domain 2 */
#define PAGES		5u		/* of each domain, that may become rings */
#define PORTS		2u		/* of each domain */

struct request {
	uint32_t id, word[5];
};
struct response {
	uint32_t id, word[2];
};

static struct guest zero, guests[2];
static uint32_t ports[PORTS];		/* the same in both */

static struct side {
	struct guest *g;
	uint32_t device;
	uint32_t page, port;		/* as it was registered */
	uint32_t made, answers;		/* indices, the guest's: requests that it wrote, responses that it read */
	uint32_t kicks, stops;		/* of the device */
} sides[RINGS];

/* ---- the device ---- */

static struct side *side_of(const struct ring *r)
{
	for (unsigned int i = 0; i < RINGS; i++)
		if (sides[i].g->d == r->domain && sides[i].device == r->device)
			return &sides[i];
	host_panic("a ring of nobody");
}

static bool present(const struct domain *d, uint32_t device)
{
	return !d->privileged && device < DEVICES;
}

static void kick(struct ring *r)
{
	side_of(r)->kicks++;
}

static void stopped(struct ring *r)
{
	side_of(r)->stops++;
}

static const struct ring_class class = {
	.slots = SLOTS,
	.request = sizeof(struct request),
	.response = sizeof(struct response),
	.present = present,
	.kick = kick,
	.stopped = stopped,
};

/* ---- the guest ---- */

static struct ring_header *header_of(const struct side *s)
{
	return host_frame(s->g->mfn[s->page]);
}

static void *slot_of(const struct side *s, uint32_t index)
{
	return (uint8_t *)(header_of(s) + 1) + index % SLOTS * SLOT_BYTES;
}

/* The ring, for the device; NULL: there is none. */
static struct ring *ring_of(const struct side *s)
{
	return ring_find(s->g->d, RING_VBD, s->device);
}

static uint32_t word_of(uint32_t id, unsigned int i)
{
	return (id + 1) * 2654435761u + i;
}

static void produce(struct side *s, uint32_t id)
{
	struct request q = { .id = id };

	for (unsigned int i = 0; i < ARRAY_SIZE(q.word); i++)
		q.word[i] = word_of(id, i);
	memcpy(slot_of(s, s->made++), &q, sizeof(q));
	header_of(s)->req_prod = s->made;
}

static struct response response_to(uint32_t id)
{
	return (struct response){ id, { word_of(id, 10), word_of(id, 11) } };
}

/* Events since the last look, a bit for each port. */
static uint32_t told(struct guest *g)
{
	uint32_t which = 0;

	for (unsigned int i = 0; i < PORTS && g->d->shared; i++) {
		uint32_t *word = &g->d->shared->pending[ports[i] / 32], bit = 1u << ports[i] % 32;

		which |= (*word & bit ? 1u : 0) << i;
		*word &= ~bit;
	}
	return which;
}

/* ---- the system ---- */

static uint32_t open_port(struct guest *g)
{
	struct event_channel_op op = { .op = EVENT_alloc_unbound, .remote = 0 };
	uint32_t at = ARG(op);

	if (CALL(g, event_channel_op, at))
		host_panic("no port");
	return ((struct event_channel_op *)host_arg_bytes(at))->port;
}

static int ring_call(struct guest *g, struct ring_op op)
{
	return CALL(g, ring_op, ARG(op));
}

static void open_all(void)
{
	host_start(128);
	ring_register_class(RING_VBD, &class);
	zero = host_domain(6);
	for (unsigned int i = 0; i < 2; i++) {
		guests[i] = host_domain(PFN_DATA + PAGES);
		for (unsigned int p = 0; p < PORTS; p++)
			ports[p] = open_port(&guests[i]);
	}
	for (unsigned int i = 0; i < RINGS; i++)
		sides[i] = (struct side){ .g = &guests[i / DEVICES], .device = i % DEVICES };
	host_enter(&guests[0]);
	frame_pool_scrub();
}

#endif
