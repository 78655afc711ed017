/* SPDX-License-Identifier: MIT */
/*
 * mini: a small kernel for a guest of Atelier, and the base of every test guest.
 *
 * A guest is one file with a test_main() on it. It runs in ring 1 on one stack of 16 KiB and finds
 * its memory mapped, its events masked and nothing registered: mini asks the hypervisor for nothing
 * until the guest opens a part of it. So a guest for lab 1 makes exactly the calls that it makes,
 * and an exception kills it.
 *
 *   hypercall.h   the calls, one function each
 *   console.h     printf, and typed characters
 *   trap.h        exceptions: handlers, and try
 *   event.h       the event callback, ports, virtual interrupts
 *   time.h        the clocks and the alarms
 *   paging.h      memory: pages, page tables, the four windows
 *   segment.h     descriptor tables
 *   ring.h        rings of requests and responses
 *   net.h         a virtual interface
 *   user.h        ring 3
 *   observe.h     what a test tells the grader, and is told by it
 *
 * Read hello.c for how it looks, then entry.S and event.c: the part that is easy to get wrong.
 */
#ifndef MINI_H
#define MINI_H

#include "lib/types.h"
#include "observe.h"
#include "public/atelier.h"

/* What the hypervisor said at the start; never changes. */
extern const struct start_info *start_info;

/* The page that both sides write. */
extern volatile struct shared_info shared_info;

/*
 * The guest. When it returns, its observations are ended and the domain shuts down: domain 0 powers
 * the machine off with the answer as its exit status.
 */
int test_main(const struct start_info *start);

/* Text behind "@name=" on the command line, which ends at a blank; NULL: not there. */
const char *argument(const char *name);

/* A decimal or 0x number from the command line; @otherwise if it is not there or not a number. */
uint32_t argument_number(const char *name, uint32_t otherwise);

/* The seed's numbers ("seed=" in hexadecimal): the same ones in every run with that seed. */
uint32_t random_word(void);
uint32_t random_below(uint32_t n);	/* 0 to @n - 1; @n > 0 */

/* The guest cannot go on: says why and dies. */
NORETURN void panic(const char *format, ...) PRINTF_LIKE(1, 2);

/* At file scope: this guest is mapped at @address and not at 0xc0000000. 4 MiB aligned. */
#define MINI_BASE(address)	asm(".globl mini_base\nmini_base = " #address)

static inline uint64_t read_tsc(void)
{
	uint64_t tsc;

	asm volatile("rdtsc" : "=A" (tsc));
	return tsc;
}

/* The compiler moves no memory access across. */
static inline void barrier(void)
{
	asm volatile("" : : : "memory");
}

#endif
