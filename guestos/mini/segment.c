// SPDX-License-Identifier: MIT
#include "segment.h"
#include "hypercall.h"
#include "paging.h"

uint64_t segment_descriptor(uint32_t base, uint32_t limit, uint32_t bits)
{
	uint32_t low = base << 16 | (limit & 0xffff);
	uint32_t high = (base & 0xff000000) | (limit & 0xf0000) | bits << 8 | (base >> 16 & 0xff);

	return (uint64_t)high << 32 | low;
}

uint32_t segment_base(uint64_t descriptor)
{
	return (descriptor >> 56) << 24 | (descriptor >> 16 & 0xffffff);
}

uint32_t segment_limit(uint64_t descriptor)
{
	return (descriptor >> 32 & 0xf0000) | (descriptor & 0xffff);
}

int gdt_load(uint64_t *table, uint32_t entries)
{
	uint32_t frame = page_mfn(table);
	int err = page_protect(table, PTE_P | PTE_A);

	return err ? err : hypercall_set_gdt(&frame, entries);
}

int ldt_load(uint64_t *table, uint32_t entries)
{
	int err = page_protect(table, PTE_P | PTE_A);

	return err ? err : hypercall_set_ldt(table, entries);
}
