/* SPDX-License-Identifier: MIT */
/*
 * A large packet of TCP over IPv4, cut into several that the wire takes (RFC 791, 793; VIF_TX_SEGMENTS in public/ring.h).
 *
 * Each has the large one's headers, with lengths, numbers and check sums of its own, and a part of its payload. The headers
 * are read from the sender's private copy alone: what does not lie in that whole is not cut. Some cards can do the same;
 * this needs none of them, and serves packets that stay on this machine too.
 */
#ifndef ATELIER_SEGMENTATION_H
#define ATELIER_SEGMENTATION_H

#include "lib/types.h"
#include "machine.h"
#include "machine_wire.h"

struct segmentation {
	uint16_t count;		/* packets; 0: it is not to be cut */
	uint16_t segment;	/* bytes of payload in each but the last */
	uint16_t tcp;		/* where TCP's header begins, ... */
	uint16_t payload;	/* ... and what follows it */
	uint32_t length;	/* of the large packet */
};

/*
 * How a packet of @length bytes, the first @have of them in @header, is cut into packets with @segment bytes of payload.
 * -EINVAL: it is not TCP over IPv4 in one piece, a header lies beyond @have, its own length is not @length, it has no
 * payload, @segment is less than VFR_HEADER, or that makes packets that are too long, or more than VIF_SEGMENTS.
 */
int segmentation_plan(struct segmentation *s, const uint8_t *header, uint32_t have, uint32_t length, uint32_t segment);

/* All bytes of all the packets. */
static inline uint32_t segmentation_bytes(const struct segmentation *s)
{
	return s->length + (s->count - 1u) * s->payload;
}

/* Where the payload of packet @i begins in the large one, and how much it is. */
static inline uint32_t segmentation_from(const struct segmentation *s, uint32_t i)
{
	return s->payload + i * s->segment;
}

static inline uint32_t segmentation_size(const struct segmentation *s, uint32_t i)
{
	return MIN(s->segment, s->length - segmentation_from(s, i));
}

/*
 * Writes the headers of packet @i, s->payload bytes, made of those in @header. TCP's check sum holds only the sum of the
 * pseudo-header, as with VIF_TX_CSUM.
 */
void segmentation_header(const struct segmentation *s, uint32_t i, const uint8_t *header, uint8_t *to);

/*
 * Copies packet @i of a large one, whose first @have bytes lie in @header and the others in pieces, or the whole of one
 * that is not to be cut. Returns its length.
 */
uint32_t segmentation_copy(const struct segmentation *s, uint32_t i, const uint8_t *header, uint32_t have,
			   const struct machine_piece *pieces, unsigned int count, uint8_t *to);

/* Takes the next @n bytes off the pieces that begin at *@left; how many pieces they make, in @to. */
unsigned int segmentation_take(struct machine_piece **left, uint32_t n, struct machine_piece *to);

#endif
