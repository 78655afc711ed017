/* SPDX-License-Identifier: MIT */
/*
 * What a debug build remembers for whoever looks at it from outside (tools/gdb: `atl calls`, `atl
 * why`): the last hypercalls, the last exceptions, and what was said when something died. Nothing
 * in the hypervisor reads it, no guest can, and other builds have none of it: there these functions
 * are empty.
 *
 * Each record has a number of one count, so that it is known which came first.
 */
#ifndef ATELIER_TRACE_H
#define ATELIER_TRACE_H

#include "lib/types.h"

/* On the host a snapshot is to have what decides, and no more. */
#if defined(DEBUG) && DEBUG && !defined(HOST_BUILD)
#define TRACE	1
#else
#define TRACE	0
#endif

struct regs;

#define TRACE_CALLS		256u
#define TRACE_EXCEPTIONS	32u
#define TRACE_WORDS		8u
#define TRACE_TEXT		160
#define TRACE_NO_DOMAIN		0xffffu		/* the hypervisor itself */

/*
 * A guest begins a call, which serve_hypercall() will answer: the registers as they came in.
 * trace_answer(): its answer.
 */
#if TRACE
void trace_call(uint32_t domain, const struct regs *regs);
void trace_answer(uint32_t result);
#else
static inline void trace_call(uint32_t domain, const struct regs *regs)
{
}
static inline void trace_answer(uint32_t result)
{
}
#endif

/*
 * A handler begins: of the call that trace_call() said, or of an entry of a multicall. Returns the
 * number of its record. trace_leave(): it is over; gives the result back.
 */
#if TRACE
uint32_t trace_enter(uint32_t domain, uint32_t handler, const uint32_t *args);
int trace_leave(uint32_t number, int result);
#else
static inline uint32_t trace_enter(uint32_t domain, uint32_t handler, const uint32_t *args)
{
	return 0;
}
static inline int trace_leave(uint32_t number, int result)
{
	return result;
}
#endif

/*
 * An exception, of a guest (@own: in the hypervisor). @address: that of a page fault. trace_mended():
 * the last one is settled, nobody hears of it.
 */
#if TRACE
void trace_exception(uint32_t domain, bool own, const struct regs *regs, uint32_t address);
void trace_mended(void);
#else
static inline void trace_exception(uint32_t domain, bool own, const struct regs *regs, uint32_t address)
{
}
static inline void trace_mended(void)
{
}
#endif

/*
 * What is said at a death, of a domain or (TRACE_NO_DOMAIN) of the hypervisor. @from: where it was
 * found, an address in the hypervisor. @regs may be NULL.
 */
#if TRACE
void trace_words(uint32_t domain, const char *text, const struct regs *regs, const void *from);
#else
static inline void trace_words(uint32_t domain, const char *text, const struct regs *regs, const void *from)
{
}
#endif

#endif
