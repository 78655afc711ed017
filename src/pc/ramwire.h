/* SPDX-License-Identifier: MIT */
/*
 * A wire in a boot module: what comes in and when, how long each packet takes to leave, and a log of
 * what left. With it a graded run is the same each time; grader/atelier_grader/wire.py makes such
 * modules and reads the logs. All numbers are little-endian, all offsets from the module's start.
 *
 * The wire's clock starts when the first packet is sent: a guest begins when it is ready.
 */
#ifndef ATELIER_PC_RAMWIRE_H
#define ATELIER_PC_RAMWIRE_H

#include "lib/types.h"

#define RAMWIRE_MAGIC	"Atelier ramwire"	/* 16 bytes with its NUL */

struct ramwire {
	char magic[16];
	uint8_t mac[6];
	uint16_t slots;				/* packets that it takes at a time: 1 to MACHINE_WIRE_PACKETS */
	uint32_t arrivals, arrival_count;	/* struct ramwire_arrival [], the first one first */
	uint32_t delays, delay_count;		/* uint32_t [], nanoseconds: packet n takes delay n mod count */
	uint32_t log, log_size;
	/* Written by the hypervisor. */
	uint32_t left, logged;			/* packets; bytes of the log */
	uint32_t came, lost;			/* arrivals; those of them that found no frame */
};

struct ramwire_arrival {
	uint64_t when;				/* nanoseconds */
	uint32_t offset, length;
};

/* In the log, followed by the packet's bytes and zeros up to a multiple of 8. */
struct ramwire_departure {
	uint64_t when;
	uint32_t length, reserved;
};

#endif
