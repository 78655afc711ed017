/* SPDX-License-Identifier: MIT */
/*
 * The types that keep the house's numbers apart, and a few words that C lacks.
 */
#ifndef ATELIER_LIB_TYPES_H
#define ATELIER_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A machine frame number: which 4 KiB of real memory. */
typedef struct { uint32_t n; } mfn_t;

/* A pseudo-physical frame number: what a domain takes for one (paper, section 3.3.4). */
typedef struct { uint32_t n; } pfn_t;

/*
 * An address that a guest gave us. It has no `*` on purpose: guest_copy.h is the only way to what
 * is there.
 */
typedef struct { uint32_t n; } guest_addr_t;

#define MFN(x)		((mfn_t){ (x) })
#define PFN(x)		((pfn_t){ (x) })
#define GUEST_ADDR(x)	((guest_addr_t){ (x) })
#define MFN_NONE	MFN(UINT32_MAX)

static inline bool mfn_equal(mfn_t a, mfn_t b)
{
	return a.n == b.n;
}

#define PAGE_SHIFT	12
#define PAGE_SIZE	4096u
#define PAGE_MASK	(~(PAGE_SIZE - 1))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	((a) < (b) ? (a) : (b))
#define MAX(a, b)	((a) > (b) ? (a) : (b))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))

#define container_of(ptr, type, member)	((type *)((char *)(ptr) - offsetof(type, member)))

#define PRINTF_LIKE(fmt, args)	__attribute__((format(printf, fmt, args)))
#define NORETURN		__attribute__((noreturn))
#define NOINLINE		__attribute__((noinline))	/* what a short way is not to make room for */
#define PACKED			__attribute__((packed))
#define ALIGNED(n)		__attribute__((aligned(n)))

#endif
