/* SPDX-License-Identifier: MIT */
/*
 * What a driver of the wire is: the seam's functions (machine.h), and an address. wire.c takes the
 * first one that finds something.
 */
#ifndef ATELIER_PC_WIRE_H
#define ATELIER_PC_WIRE_H

#include "machine.h"

struct wire_driver {
	const uint8_t *mac;
	unsigned int buffers;
	void (*give)(mfn_t frame);
	unsigned int (*room)(void);
	void (*send)(const void *header, uint32_t n, const struct machine_piece *pieces, unsigned int count, uint32_t token,
		     struct machine_sum sum);
};

/* Looks for a network. Before start(). */
void wire_init(void);

/* NULL: there is none. At start only. */
const struct wire_driver *ramwire_find(void);
const struct wire_driver *e1000_find(void);

#endif
