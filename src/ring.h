/* SPDX-License-Identifier: MIT */
/*
 * Rings: memory that two share who do not trust each other (paper, section 3.2.2; public/ring.h).
 *
 * The guest may change any word of the frame between any two of our looks at it. So what counts is
 * kept here: how many requests were taken, how many answers were given. Of the frame three things
 * are read: the guest's index and its threshold, one load each, and a request, copied once; all
 * else in it is written and never read back.
 *
 * A ring belongs to a class of device, which lies above this file and is told when there may be
 * requests. A ring that is stopped takes no more; what was taken before is still counted off when
 * the device answers, but nothing of it reaches the guest's memory.
 *
 * Invariants (ring_check): R2: @taken - @answered <= slots; R5: a registered ring's frame is held
 * as writable, and no other ring lives in it.
 */
#ifndef ATELIER_RING_H
#define ATELIER_RING_H

#include "lib/types.h"
#include "public/ring.h"

struct domain;
struct ring;

#define RING_DEVICES	4	/* of a class that a domain can have rings for */

/* Where indices begin: the interface says 0; tests begin close to the end. */
#ifndef RING_START
#define RING_START	0
#endif

struct ring_class {
	uint32_t slots;			/* a power of two */
	uint32_t request, response;	/* bytes; a slot has room for either */

	/* Whether @d has this device, so that a ring may be registered for it. */
	bool (*present)(const struct domain *d, uint32_t device);

	/* Writes what RING_info answers. NULL: nothing. */
	void (*info)(const struct domain *d, uint32_t device, struct ring_op *op);

	/* There may be requests: takes them, and before it rests asks ring_more(). */
	void (*kick)(struct ring *r);

	/*
	 * The ring has stopped, or would be released: answers now whatever only waits. Requests
	 * that a device is at work on are answered when that is done.
	 */
	void (*stopped)(struct ring *r);
};

struct ring {
	const struct ring_class *class;	/* NULL: there is no ring */
	struct domain *domain;
	uint32_t device;
	mfn_t frame;
	uint32_t port;
	bool stopped;
	uint32_t taken;			/* index of the next request */
	uint32_t answered;		/* index of the next response */
};

/* A domain's share. */
struct rings {
	struct ring rings[RING_CLASSES][RING_DEVICES];
};

void ring_init(void);

/* From now on rings of @number can be registered. */
void ring_register_class(unsigned int number, const struct ring_class *class);

/* The ring that is registered for a device, stopped or not; NULL: none. */
struct ring *ring_find(struct domain *d, unsigned int number, uint32_t device);

/*
 * Copies the next request, all @request bytes of it, and counts it as taken:
 *   1     there was one
 *   0     there is none
 *   -EIO  the ring is stopped, now or before: the guest's index was more than the slots that can
 *         hold requests. The guest gets one event.
 */
int ring_take(struct ring *r, void *request);

/*
 * Publishes @count responses, one after another in @responses, to requests that were taken; raises
 * the guest's port once if its threshold lies among them. Which request a response answers is in
 * it. On a stopped ring they are only counted.
 */
void ring_respond(struct ring *r, const void *responses, unsigned int count);

/*
 * Whether there are requests. If not, the guest kicks at the next one: its threshold is set first,
 * and only then looked for them.
 */
bool ring_more(struct ring *r);

/*
 * For a dying domain: stops all rings, and releases those with nothing under way. False: some have,
 * and the domain's death goes on when that is answered.
 */
bool ring_destroy(struct domain *d);

/* Handler of HYPERCALL_ring_op; contract in public/ring.h. */
int do_ring_op(struct domain *d, guest_addr_t arg);

bool ring_check(void);

#endif
