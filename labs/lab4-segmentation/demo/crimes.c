// SPDX-License-Identifier: MIT
/* The vandal of lab 4: descriptors. What they reach nothing else forbids to ring 1. */
#include "vandal.h"
#include "hypercall.h"
#include "mini.h"
#include "paging.h"
#include "segment.h"

#define SLOT		5u
#define CALL_GATE	0x8c	/* type 12: for 32 bits */

/* Loads a table with one descriptor in it. */
static int load(uint64_t descriptor)
{
	uint64_t *table = page_alloc();

	table[SLOT] = descriptor;
	return gdt_load(table, SLOT + 1);
}

CRIME(4, 'a', call_gate, "asks for a call gate from ring 3 to a place in the hypervisor")
{
	uint32_t high = (HYPERVISOR & 0xffff0000) | (CALL_GATE | SEGMENT_DPL(3)) << 8;

	return load((uint64_t)high << 32 | 0xe008u << 16 | (HYPERVISOR & 0xffff));
}

CRIME(4, 'b', ring_0, "asks for a code segment of ring 0")
{
	uint32_t bits = SEGMENT_CODE | SEGMENT_READABLE | SEGMENT_NO_SYSTEM | SEGMENT_PRESENT | SEGMENT_32 | SEGMENT_PAGES;

	return load(segment_descriptor(0, 0xfffff, bits));
}

CRIME(4, 'c', behind_the_fence, "asks for a segment of one page, in the hypervisor")
{
	return load(segment_descriptor(HYPERVISOR, 0xfff, SEGMENT_DATA3));
}

CRIME(4, 'd', all_memory, "asks for a segment of all 4 GiB, and counts what it got")
{
	uint64_t *table = page_alloc();
	int err;

	table[SLOT] = segment_descriptor(0, 0xfffff, SEGMENT_DATA3 | SEGMENT_PAGES);
	err = gdt_load(table, SLOT + 1);
	if (err)
		return err;
	return segment_limit(table[SLOT]) < ATELIER_FENCE >> PAGE_SHIFT ? -EACCES : 0;
}

CRIME(4, 'e', expand_down, "asks for one that expands down: all that its limit does not hold")
{
	return load(segment_descriptor(0, 0x1, SEGMENT_DATA3 | SEGMENT_DOWN | SEGMENT_PAGES));
}

CRIME(4, 'f', still_writable, "gives a table that it can still write")
{
	uint64_t *table = page_alloc();
	uint32_t frame = page_mfn(table);

	return hypercall_set_gdt(&frame, SLOT + 1);
}

CRIME(4, 'g', ldt_still_writable, "gives an LDT that it can still write")
{
	return hypercall_set_ldt(page_alloc(), SLOT + 1);
}

CRIME(4, 'h', two_words, "writes two words into its page table, as if they were a descriptor")
{
	const uint32_t *entry = page_entry(start_info->virt_base);

	return hypercall_update_descriptor(machine_address(entry) & ~7u, 0, 0);
}

CRIME(4, 'i', reserved_slot, "changes the hypervisor's own descriptors, in the table that it gave")
{
	uint64_t *gdt = page_alloc_run(GDT_FRAMES);
	uint32_t frames[GDT_FRAMES];
	int err;

	for (uint32_t i = 0; i < GDT_FRAMES; i++) {
		frames[i] = page_mfn(gdt + i * GDT_ENTRIES_A_FRAME);
		page_protect(gdt + i * GDT_ENTRIES_A_FRAME, PTE_P | PTE_A);
	}
	err = hypercall_set_gdt(frames, GDT_FRAMES * GDT_ENTRIES_A_FRAME);
	if (err)
		return err;
	return hypercall_update_descriptor(machine_address(gdt + GDT_RESERVED_FRAME * GDT_ENTRIES_A_FRAME + 1), 0, 0);
}
