/* SPDX-License-Identifier: MIT */
/* Instructions that C has no word for. */
#ifndef ATELIER_PC_IO_H
#define ATELIER_PC_IO_H

#include "lib/types.h"

static inline void outb(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a" (value), "Nd" (port));
}

static inline void outw(uint16_t port, uint16_t value)
{
	asm volatile("outw %0, %1" : : "a" (value), "Nd" (port));
}

static inline void outl(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a" (value), "Nd" (port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	asm volatile("inb %1, %0" : "=a" (value) : "Nd" (port));
	return value;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t value;

	asm volatile("inw %1, %0" : "=a" (value) : "Nd" (port));
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	asm volatile("inl %1, %0" : "=a" (value) : "Nd" (port));
	return value;
}

static inline uint64_t read_tsc(void)
{
	uint64_t value;

	asm volatile("rdtsc" : "=A" (value));
	return value;
}

static inline void invlpg(const void *page)
{
	asm volatile("invlpg %0" : : "m" (*(const char *)page) : "memory");
}

static inline void load_cr3(uint32_t value)
{
	asm volatile("mov %0, %%cr3" : : "r" (value) : "memory");
}

static inline uint32_t read_cr2(void)
{
	uint32_t value;

	asm volatile("mov %%cr2, %0" : "=r" (value));
	return value;
}

#endif
