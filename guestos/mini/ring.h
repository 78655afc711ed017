/* SPDX-License-Identifier: MIT */
/*
 * Rings of descriptors: the guest's side (public/ring.h). Needs lab 6.
 *
 *   struct ring disk;
 *   ring_open(&disk, RING_VBD, 0, NULL, NULL);
 *   ring_put(&disk, &request);			 as many as ring_room() says
 *   ring_publish(&disk);
 *   events_wait_until(ring_answered(&disk));
 *   while (ring_get(&disk, &response)) ...
 *
 * The page belongs to both sides. A request's slot is free again not when it was consumed but when
 * the answer in it was read: so what counts is @taken, our own, and not the hypervisor's index.
 */
#ifndef MINI_RING_H
#define MINI_RING_H

#include "event.h"
#include "hypercall.h"
#include "lib/types.h"

struct ring {
	struct ring_header *header;	/* the page; a test may write there what it likes */
	uint32_t ring_class, device;
	uint32_t port;
	uint32_t put;			/* index of the next request to be written */
	uint32_t taken;			/* index of the next response to be read */
};

/*
 * Registers a page as the ring of a device, with a port of its own, and asks to be woken at the
 * first answer. Events must be open (event_init()) if anybody is to be woken. 0 or the hypervisor's
 * error; then nothing is left of it.
 */
int ring_open(struct ring *r, uint32_t ring_class, uint32_t device, event_handler *handler, void *arg);

/* Ends it. 0 or the hypervisor's error, which says that it goes on. */
int ring_close(struct ring *r);

/* How many more requests there is room for. */
uint32_t ring_room(const struct ring *r);

/* Writes the next request; nobody sees it yet. There must be room. */
void ring_put(struct ring *r, const void *request);

/* Shows the hypervisor all that was put, and kicks it if it asked for that. 0 or the kick's error. */
int ring_publish(struct ring *r);

/* Copies the next response; false: there is none. */
bool ring_get(struct ring *r, void *response);

/* Whether there is a response. If not, the next one raises the port. */
bool ring_answered(struct ring *r);

/* The same, when the @count-th from now on is there; an event comes then and not before. */
bool ring_answered_all(struct ring *r, uint32_t count);

/* RING_kick, wanted or not. */
int ring_kick(struct ring *r);

/* Index @i's slot, and how many bytes it has. */
void *ring_slot(const struct ring *r, uint32_t i);
uint32_t ring_slot_size(const struct ring *r);
uint32_t ring_slots(const struct ring *r);

#endif
