/* SPDX-License-Identifier: MIT */
/*
 * Segments: descriptors and the tables that hold them (public/segment.h; SDM 3A, 3.4.5). Needs lab
 * 4.
 */
#ifndef MINI_SEGMENT_H
#define MINI_SEGMENT_H

#include "lib/types.h"

/* Bits of a descriptor: those of its upper half, from bit 8 on. */
#define SEGMENT_ACCESSED	0x01
#define SEGMENT_WRITABLE	0x02	/* data */
#define SEGMENT_READABLE	0x02	/* code */
#define SEGMENT_DOWN		0x04	/* data: expands down */
#define SEGMENT_CONFORMING	0x04	/* code */
#define SEGMENT_CODE		0x08
#define SEGMENT_NO_SYSTEM	0x10
#define SEGMENT_DPL(n)		((n) << 5)
#define SEGMENT_PRESENT		0x80
#define SEGMENT_32		0x4000
#define SEGMENT_PAGES		0x8000	/* the limit counts pages */

#define SEGMENT_DATA3	(SEGMENT_WRITABLE | SEGMENT_NO_SYSTEM | SEGMENT_DPL(3) | SEGMENT_PRESENT | SEGMENT_32)

/* @limit is the 20-bit field: the last byte, or page, of the segment. */
uint64_t segment_descriptor(uint32_t base, uint32_t limit, uint32_t bits);

/* Fields of a descriptor. */
uint32_t segment_base(uint64_t descriptor);
uint32_t segment_limit(uint64_t descriptor);

/*
 * Makes the page @table, filled with descriptors, read-only and the first frame of the GDT, with
 * @entries (up to GDT_ENTRIES_A_FRAME). Selectors are then index << 3 | ring. 0 or the hypervisor's
 * error.
 */
int gdt_load(uint64_t *table, uint32_t entries);

/* The same for an LDT of up to a page. Selectors are index << 3 | 4 | ring. */
int ldt_load(uint64_t *table, uint32_t entries);

/*
 * The selector in GS, and 32 bits through it. They fault like the instructions that they are: use
 * try_call().
 */
static inline void gs_load(uint32_t selector)
{
	asm volatile("mov %0, %%gs" : : "r" (selector) : "memory");
}

static inline uint32_t gs_read(uint32_t offset)
{
	uint32_t value;

	asm volatile("mov %%gs:(%1), %0" : "=r" (value) : "r" (offset) : "memory");
	return value;
}

static inline void gs_write(uint32_t offset, uint32_t value)
{
	asm volatile("mov %0, %%gs:(%1)" : : "r" (value), "r" (offset) : "memory");
}

#endif
