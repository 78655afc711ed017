/* SPDX-License-Identifier: MIT */
/*
 * The interrupted registers, as entry.S leaves them on the ring-1 stack for traps and events alike.
 */
#ifndef MINI_FRAME_H
#define MINI_FRAME_H

/* For entry.S; trap.c holds them against the structure. */
#define FRAME_EFLAGS	60
#define FRAME_SIZE	72

#define EFLAGS_IF	0x200

/* In @vector: not a trap but a callback (public/trap.h). */
#define FRAME_EVENT	0x100
#define FRAME_FAILSAFE	0x101	/* @address is DS << 16 | ES, @error FS << 16 | GS: what could not be loaded */
#define FRAME_VECTORS	0x102

#ifndef __ASSEMBLY__
#include <stdint.h>

struct frame {
	uint32_t es, ds;
	uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
	uint32_t vector;
	uint32_t address;	/* of a page fault, else 0 */
	uint32_t error;		/* of a vector that has one, else 0 */
	uint32_t eip, cs;
	uint32_t eflags;	/* EFLAGS_IF: events were unmasked; returning restores that */
	uint32_t esp, ss;	/* only there if CS is of ring 2 or 3 */
};

/* The ring that was interrupted. */
static inline unsigned int frame_ring(const struct frame *f)
{
	return f->cs & 3;
}
#endif

#endif
