/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's side of a descriptor ring (<atelier/ring.h>): one page, shared with the hypervisor.
 *
 * Indices run freely. A request may be written where the response to an older one lay, once that has been taken: so there is
 * room for as many requests as slots, less those whose responses have not been taken. Whoever uses a ring keeps
 * its functions from running at the same time. The hypervisor can be believed: a ring that it has stopped (we asked for the
 * impossible) gives no more responses.
 */
#ifndef DRIVERS_ATELIER_RING_H
#define DRIVERS_ATELIER_RING_H

#include <linux/types.h>
#include <linux/workqueue.h>
#include <atelier/ring.h>

struct atelier_ring {
	struct ring_header *header;	/* NULL: not open */
	u32 class, device;
	u32 slots, size;		/* bytes of a slot */
	u32 written, sent;		/* indices: of the next request; up to which the hypervisor knows */
	u32 taken;			/* index of the next response */
};

/*
 * Registers a ring of @slots slots of @size bytes; @irq (atelier_open_port()) is raised for it. 0, -ENOMEM, or what the
 * hypervisor says: -ENODEV, -ENOSYS: there is no such device.
 */
int atelier_ring_open(struct atelier_ring *r, u32 class, u32 device, u32 slots, u32 size, int irq);

/* Waits for what is under way, whose responses nobody will see. */
void atelier_ring_close(struct atelier_ring *r);

/* Has @look done whenever domain 0 gives this domain a device or takes one away. At most two; they stay for ever. */
int atelier_watch_devices(struct work_struct *look);

/* How many requests can be written. */
static inline u32 atelier_ring_room(const struct atelier_ring *r)
{
	return r->slots - (r->written - r->taken);
}

/* Where the next request is to be written; there must be room for it. Counts it. */
void *atelier_ring_request(struct atelier_ring *r);

/* Tells the hypervisor of all requests that were written; calls it only if it waits for one of them. */
void atelier_ring_send(struct atelier_ring *r);

/* The next response, or NULL. It is to be read before the next request is written. */
const void *atelier_ring_response(struct atelier_ring *r);

/* Asks for an interrupt at the next response; true: there is one already. */
bool atelier_ring_more(struct atelier_ring *r);

#endif
