/* SPDX-License-Identifier: MIT */
/*
 * A domain's console: the first device on a ring. Domain 0 is at the other end and may be slow, or
 * never look.
 *
 * What the domain writes waits in @output, one place for each slot of the ring: as long as all is
 * full the ring is not looked at, and its writer finds no free slot. What the domain prints by
 * console_write, before it has a ring or after, waits there too from the time when domain 0 first
 * looks; before, it goes to the machine's console, and without room into its log alone. What is typed waits in @input,
 * and what does not fit is refused. So a domain's console takes this struct and no byte more.
 */
#ifndef ATELIER_CONSOLE_RING_H
#define ATELIER_CONSOLE_RING_H

#include "lib/types.h"
#include "public/ring.h"

struct domain;

#define CONSOLE_INPUT	256	/* bytes typed ahead; a power of two, as CONSOLE_SLOTS is */

/* A domain's share. All indices run freely. */
struct console_ring {
	struct console_slot output[CONSOLE_SLOTS];
	uint32_t written, drained;
	uint32_t accepted;	/* output before this one needs no answer any more */
	uint32_t owed;		/* bit for each place: it came through the ring, and an answer is expected */
	bool watched;		/* domain 0 has looked once: what is printed by console_write comes here too */
	uint32_t skip;		/* bytes of the oldest that domain 0 has already */
	uint16_t readers[CONSOLE_SLOTS];	/* ids of the requests for input */
	uint32_t asked, served;
	uint8_t input[CONSOLE_INPUT];
	uint32_t typed, read;
};

void console_ring_init(void);

/*
 * Domain 0's end of @d's console; the buffer is the running domain's. Both answer how many bytes
 * went, 0 if none could, or -EFAULT if the buffer is bad, and then none is lost.
 */
int console_ring_drain(struct domain *d, guest_addr_t buffer, uint32_t size);
int console_ring_input(struct domain *d, guest_addr_t bytes, uint32_t count);

/* Whether console_ring_drain() would find anything. */
bool console_ring_unread(const struct domain *d);

#endif
