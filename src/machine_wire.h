/* SPDX-License-Identifier: MIT */
/* The part of the seam (machine.h) that is about the wire: a network interface that hears everything. */
#ifndef ATELIER_MACHINE_WIRE_H
#define ATELIER_MACHINE_WIRE_H

#include "lib/types.h"

#define MACHINE_WIRE_PACKETS	64u	/* that it takes at most before it is done with the first */
#define MACHINE_WIRE_OFFSET	64u	/* where in them a packet begins */

/* A run of bytes inside one frame. */
struct machine_piece {
	mfn_t frame;
	uint16_t offset, length;
};

/*
 * A check sum (RFC 1071) that the wire puts into a packet, of all bytes from @start on; and if it is larger than a packet
 * can be, how it is cut into several, each with a check sum (segmentation.h).
 */
struct machine_sum {
	uint16_t start, at;	/* offsets in the packet; @at 0: none is wanted */
	uint16_t segment;	/* bytes of payload in each; 0: it is one packet */
};

/* Its six bytes of address; NULL: there is no wire. */
const uint8_t *machine_wire_mac(void);

/* How many frames it receives into. */
unsigned int machine_wire_buffers(void);

/*
 * Gives it a frame of the hypervisor's to receive into; machine_wire_buffers() of them at start.
 * vif_receive() is called with each that got a packet, from an interrupt.
 */
void machine_wire_give(mfn_t frame);

/* How many packets it takes now. */
unsigned int machine_wire_room(void);

/*
 * Sends one: @n bytes from @header, which are copied, then the pieces, which the wire reads until
 * vif_sent(@token) is called, from an interrupt. There is room, and all of it is a packet. @sum lies in
 * it.
 */
void machine_wire_send(const void *header, uint32_t n, const struct machine_piece *pieces,
		       unsigned int count, uint32_t token, struct machine_sum sum);

/* vif_alarm() is called at or soon after @deadline; the last one asked counts. */
void machine_wire_alarm(uint64_t deadline);

#endif
