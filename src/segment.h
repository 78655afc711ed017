/* SPDX-License-Identifier: MIT */
/*
 * Segments: the fence around ring 1 (paper, section 3.1.1).
 *
 * Page tables take ring 1 for a supervisor, so only segment limits keep a guest's kernel out of the
 * hypervisor. Every descriptor that a processor can load was judged by segment_fit(): when its
 * frame became of type GDT or LDT, or when it was stored into one. Bochs and hardware check limits,
 * QEMU does not: what this file is worth shows there.
 *
 * Invariants (segment_check): assurance S1, S2.
 */
#ifndef ATELIER_SEGMENT_H
#define ATELIER_SEGMENT_H

#include "lib/types.h"
#include "public/segment.h"

struct domain;

struct descriptor {
	uint32_t low, high;
};

/* Bits of the high word (SDM 3A, 3.4.5). */
#define DESC_P		0x00008000u
#define DESC_S		0x00001000u	/* 0: system */
#define DESC_DPL	0x00006000u
#define DESC_CODE	0x00000800u
#define DESC_WRITE	0x00000200u	/* data: writable; code: readable */
#define DESC_EXPAND	0x00000400u	/* data: expand-down; code: conforming */
#define DESC_DB		0x00400000u
#define DESC_G		0x00800000u

/* A domain's share. */
struct segments {
	mfn_t gdt[GDT_FRAMES];
	mfn_t ldt[GDT_FRAMES];
	uint32_t gdt_frames;
	uint32_t ldt_entries;
};

/* Registers the classes of FRAME_GDT and FRAME_LDT. */
void segment_init(void);
void segment_open(struct domain *d);

/*
 * Makes one descriptor safe, cutting a page-granular expand-up one to end at the fence; false: it
 * cannot be accepted.
 */
bool segment_fit(struct descriptor *desc);

/* At a switch: the LDT of the next domain. */
void segment_switch_to(struct domain *d);

/* Gives all table frames of a dying domain back. */
void segment_destroy(struct domain *d);

/*
 * Where @selector's descriptor is, to be read and changed in place; NULL if it lies outside @d's
 * tables or among the reserved ones, or is the null selector.
 */
struct descriptor *segment_find(struct domain *d, uint16_t selector);

int do_set_gdt(struct domain *d, guest_addr_t frames, uint32_t entries);
int do_set_ldt(struct domain *d, guest_addr_t va, uint32_t entries);
int do_update_descriptor(struct domain *d, uint32_t address, uint32_t low, uint32_t high);

bool segment_check(void);

#endif
